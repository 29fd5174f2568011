package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/siprecd/siprecd/recorder"
)

type policyVersionsCommand struct {
	Version string `arg:"" optional:"" help:"Beginning of a hash: print the text of that version." placeholder:"HASH"`
	Data    string `help:"Folder of the recordings." env:"SIPRECD_DATA" default:"./data" placeholder:"DIR"`
}

// Run lists every version of the policy file that a server has published in a
// folder, or prints one.
func (c policyVersionsCommand) Run(out streams) error {
	versions, err := recorder.Versions(c.Data)
	if err != nil {
		return err
	}
	for _, v := range versions {
		switch {
		case c.Version == "":
			fmt.Fprintf(out.stdout, "%s  %s  %s\n", v.Published.UTC().Format(time.RFC3339Nano), v.Hash(), v.Actor.Name)
		case strings.HasPrefix(v.Hash(), c.Version):
			_, err := out.stdout.Write(v.Text)
			return err
		}
	}
	switch {
	case c.Version != "":
		return fmt.Errorf("no version of %s begins with %s", c.Data, c.Version)
	case len(versions) == 0:
		return fmt.Errorf("%s: no policy file was ever published there", c.Data)
	}
	return nil
}
