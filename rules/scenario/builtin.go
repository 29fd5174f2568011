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
func BuiltIn() ([]Scenario, error) { return parseAll(builtIn) }

// parseAll reads the files of a folder "files".
func parseAll(folder fs.FS) (all []Scenario, err error) {
	entries, err := fs.ReadDir(folder, "files")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		text, err := fs.ReadFile(folder, "files/"+e.Name())
		if err != nil {
			return nil, err
		}
		list, err := Parse(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
		all = append(all, list...)
	}
	return all, nil
}
