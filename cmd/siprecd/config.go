package main

import (
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

type configCommand struct{}

// Run prints the configuration file. It is made from the declarations of the
// flags of serve, so it says what the program does.
func (configCommand) Run(out streams, ctx *kong.Context) error {
	return writeConfig(out.stdout, serveFlags(ctx.Model))
}

// serveFlags are the flags of serve that may stand in a file.
func serveFlags(model *kong.Application) []*kong.Flag {
	for _, command := range model.Leaves(true) {
		if command.Target.Type() == reflect.TypeFor[serveCommand]() {
			return fileFlags(command)
		}
	}
	return nil
}

// commentWidth is the longest line of a comment, in bytes.
const commentWidth = 78

func writeConfig(w io.Writer, flags []*kong.Flag) error {
	var text strings.Builder
	text.WriteString("# siprecd serve --config FILE\n" +
		"#\n# Every key at its default. A flag wins over its environment variable,\n" +
		"# that over this file.\n")
	for _, flag := range flags {
		text.WriteString("\n")
		for _, line := range wrap(flag.Help, commentWidth-2) {
			fmt.Fprintf(&text, "# %s\n", line)
		}
		fmt.Fprintf(&text, "# Flag --%s, environment %s.\n", flag.Name, strings.Join(flag.Envs, ", "))
		line, err := yamlLine(flag, flag.Default)
		if err != nil {
			return err
		}
		text.WriteString(line)
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// yamlLine is a flag with a value, as it stands in a file. The value comes in the
// form of the command line: elements of a list are divided by commas.
func yamlLine(flag *kong.Flag, value string) (string, error) {
	switch {
	case flag.IsSlice():
		var elements []string
		if value != "" {
			elements = strings.Split(value, ",")
		}
		for i, element := range elements {
			elements[i] = strconv.Quote(element)
		}
		value = "[" + strings.Join(elements, ", ") + "]"
	case flag.Target.Kind() != reflect.Int:
		text, err := yaml.Marshal(value)
		if err != nil {
			return "", fmt.Errorf("value of %s: %w", flag.Name, err)
		}
		value = strings.TrimSpace(string(text))
	}
	return flag.Name + ": " + value + "\n", nil
}

// wrap breaks a text into lines at blanks.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
