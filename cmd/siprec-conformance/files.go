package main

import (
	"errors"
	"slices"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/observe"
)

// fileFlags say where the files of the server are.
type fileFlags struct {
	Files     string        `help:"Folder in which the server puts its WAV files, or above it: cases then look whether what was sent is what was stored. Files are told apart by what is heard in them." placeholder:"DIR" xor:"files"`
	FilesURL  string        `name:"files-url" help:"URLs of the server's WAV files instead of a folder: {call-id} becomes the Call-ID, {n} 1, 2 and so on until there is no such file (404)." placeholder:"TEMPLATE" xor:"files"`
	FilesWait time.Duration `default:"10s" help:"Time for files to come after the BYE, above 0."`
}

// observer looks at the files; nil when nothing says where they are.
func (f fileFlags) observer() (*observe.Observer, error) {
	switch {
	case f.Files != "":
		return observe.Folder(f.Files, f.FilesWait)
	case f.FilesURL != "":
		return observe.Template(f.FilesURL, f.FilesWait)
	}
	return nil, nil
}

// claim has the feature files claimed by who says where they are, and by nobody else.
func (f fileFlags) claim(features []string, said []string) ([]string, error) {
	given := f.Files+f.FilesURL != ""
	if slices.Contains(said, check.Files) && !given {
		return nil, errors.New("the feature files needs --files or --files-url")
	}
	features = slices.DeleteFunc(features, func(name string) bool { return name == check.Files })
	if given {
		features = append(features, check.Files)
		slices.Sort(features)
	}
	return features, nil
}
