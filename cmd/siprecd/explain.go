package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"time"
	"unicode/utf16"

	"github.com/siprecd/siprecd/siprec"
)

type explainCommand struct {
	Files     []string      `arg:"" name:"file" help:"Raw SIP messages or metadata documents, in the order in which they were sent; - is standard input. A file may hold several messages."`
	JSON      bool          `help:"Print what was found as JSON (docs/explain.md)."`
	Directory string        `help:"YAML file that says who is an agent, what is inside, and how SRCs are set up." placeholder:"FILE"`
	Profile   string        `help:"Profile of the directory that the SRC has." placeholder:"NAME"`
	Apart     time.Duration `help:"Time to assume between one message and the next; a message says nothing that can be trusted about when it came." default:"1m" placeholder:"DURATION"`
}

// Validate refuses what cannot be.
func (c *explainCommand) Validate() error {
	if c.Apart <= 0 {
		return fmt.Errorf("apart: %v is not a positive duration", c.Apart)
	}
	if c.Profile != "" && c.Directory == "" {
		return errors.New("profile: there is no directory to take it from")
	}
	return nil
}

// Run prints what the messages say, as the server would understand them. It
// fails when a message cannot be read at all; the others are explained.
func (c *explainCommand) Run(_ context.Context, out streams) error {
	who, err := readDirectory(c.Directory, c.Profile)
	if err != nil {
		return usageError{err}
	}
	e := &explainer{who: who, apart: c.Apart}
	var failed []error
	for _, file := range c.Files {
		messages, err := readMessages(file, os.Stdin)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		for _, m := range messages {
			e.add(file, m)
			if m.Start != "" && m.Method == "" {
				failed = append(failed, fmt.Errorf("%s: %q cannot be read: %s", file, m.Start, m.Answer.Warning))
			}
		}
	}
	if err := c.print(e.explain(), out.stdout); err != nil {
		return err
	}
	return firstOf(failed)
}

func (c *explainCommand) print(x *explanation, w io.Writer) error {
	if !c.JSON {
		_, err := io.WriteString(w, explainText(x))
		return err
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	fillLists(reflect.ValueOf(x))
	return encoder.Encode(x)
}

// fillLists makes every list that is nil an empty one, so that in JSON a list is
// always a list.
func fillLists(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		fillLists(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			fillLists(v.Field(i))
		}
	case reflect.Slice:
		if v.IsNil() {
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		}
		for i := range v.Len() {
			fillLists(v.Index(i))
		}
	default:
	}
}

// firstOf reports the first of several errors in one line, and how many follow.
func firstOf(errs []error) error {
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	return fmt.Errorf("%w (and %d more)", errs[0], len(errs)-1)
}

// maxExplained bounds what is read of one file: some hundred messages of the
// largest kind.
const maxExplained = 256 << 20

// readMessages reads the messages of a file, or of standard input.
func readMessages(file string, stdin io.Reader) ([]*siprec.Inspection, error) {
	r, name := stdin, "standard input"
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r, name = f, file
	}
	raw, err := io.ReadAll(io.LimitReader(r, maxExplained))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	raw, odd := savedText(raw)
	messages, err := siprec.InspectAll(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if odd != "" {
		messages[0].Oddities = append(messages[0].Oddities, odd)
	}
	return messages, nil
}

// savedText undoes what editors and shells do to messages when they save them: a
// byte order mark in front, or UTF-16. A metadata document stays as it is, since
// there it may be the SRC that did it.
func savedText(raw []byte) (text []byte, odd string) {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(raw, []byte("\xef\xbb\xbf")):
		text, odd = raw[3:], "the file begins with a byte order mark"
	case bytes.HasPrefix(raw, []byte("\xff\xfe")):
		order = binary.LittleEndian
	case bytes.HasPrefix(raw, []byte("\xfe\xff")):
		order = binary.BigEndian
	default:
		return raw, ""
	}
	if order != nil {
		var units []uint16
		for i := 2; i+1 < len(raw); i += 2 {
			units = append(units, order.Uint16(raw[i:]))
		}
		text, odd = []byte(string(utf16.Decode(units))), "the file is in UTF-16"
	}
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("<")) {
		return raw, ""
	}
	return text, odd
}
