package scenario

import (
	"embed"
	"fmt"
	"io/fs"
)

//go:embed files/*.scenario
var builtIn embed.FS

// BuiltIn are the scenarios of this repository, in the order of their files. The error
// names the file that cannot be read, and says that the program was built wrongly.
func BuiltIn() (all []Scenario, err error) {
	names, err := fs.Glob(builtIn, "files/*.scenario")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := builtIn.ReadFile(name)
		if err != nil {
			return nil, err
		}
		list, err := Parse(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, list...)
	}
	return all, nil
}
