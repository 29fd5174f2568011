package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/recorder/store"
)

type recordingsCommand struct {
	Data       string `help:"Folder of the recordings." env:"SIPRECD_DATA" default:"./data" placeholder:"DIR"`
	MasterKeys string `name:"master-keys" help:"File of master keys, as the server has one. One key may stand in SIPRECD_MASTER_KEY instead." env:"SIPRECD_MASTER_KEYS" placeholder:"FILE"`

	List     recordingsList     `cmd:"" default:"withargs" help:"List recordings, newest first."`
	Finalise recordingsFinalise `cmd:"" help:"Make the files of a finished recording anew from its capture, which was kept because some of it could not be decoded then; with --as-decided those of one that was left unfinished."`
	Mix      recordingsMix      `cmd:"" help:"Write a stereo file: the first participant left, all others right."`
	Show     recordingsShow     `cmd:"" help:"Draw a recording: who was kept or withheld when, and why; or say why an instant is as it is."`
	Verify   recordingsVerify   `cmd:"" help:"Read recordings and compare them with their manifests."`
	Export   recordingsExport   `cmd:"" help:"Write the files of a recording, and the mix, in the clear into a folder."`
	Erase    recordingsErase    `cmd:"" help:"Destroy a recording: its key, its audio, its metadata. What stays says that it was erased, when, by whom and why."`
	Hold     recordingsHold     `cmd:"" help:"Put a legal hold on a recording, finished or not: nothing erases it until that is released."`
	Release  recordingsRelease  `cmd:"" help:"Release a legal hold: what the policy says of the recording holds again."`
	Sweep    recordingsSweep    `cmd:"" help:"Erase the recordings whose time has come by their policy, as a server does by itself; or list them."`
	Rewrap   recordingsRewrap   `cmd:"" help:"Wrap the keys of all recordings under the first master key, so that the others may be given up."`
}

// masters reads the master keys; nil without any.
func (c *recordingsCommand) masters() (*recorder.MasterKeys, error) {
	return readMasterKeys(c.MasterKeys)
}

// told says in the words of a person what is wrong with the recording of an id.
func (c *recordingsCommand) told(id string, err error) error {
	switch {
	case errors.Is(err, store.ErrID):
		return usageError{err}
	case errors.Is(err, store.ErrUnfinished):
		return fmt.Errorf("recording %s is not finished: it is being recorded, or a server that starts finishes it", id)
	case errors.Is(err, store.ErrErased), errors.Is(err, store.ErrSealed):
		return err
	case errors.Is(err, fs.ErrNotExist):
		if folder, other := store.Folder(c.Data, id); other == nil {
			if _, other := os.Stat(folder); errors.Is(other, fs.ErrNotExist) {
				return fmt.Errorf("there is no recording %s in %s", id, c.Data)
			}
		}
	}
	return err
}

type recordingsList struct {
	JSON     bool `help:"Print a JSON array of objects."`
	Limit    int  `help:"List the newest N alone; 0 for all." default:"1000" placeholder:"N"`
	Held     bool `help:"Only those under a legal hold."`
	Evaluate bool `help:"Only those to which the policy assigns an evaluation."`
}

// Run prints one line, or one JSON object, for each recording.
func (c *recordingsList) Run(ctx context.Context, out streams, parent *recordingsCommand) error {
	if c.Limit < 0 {
		return usagef("limit: %d is less than 0", c.Limit)
	}
	masters, err := parent.masters()
	if err != nil {
		return err
	}
	wanted := func(e store.Entry) bool { return (e.Held || !c.Held) && (e.Evaluate || !c.Evaluate) }
	list, all, err := recorder.ListNewest(ctx, parent.Data, masters, c.Limit, wanted)
	if err != nil {
		return err
	}
	if all > len(list) {
		fmt.Fprintf(out.stderr, "these are the newest %d of %d recordings (--limit 0 lists all)\n", len(list), all)
	}
	if c.JSON {
		if list == nil {
			list = []store.Summary{}
		}
		encoder := json.NewEncoder(out.stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(list)
	}
	if len(list) == 0 {
		fmt.Fprintf(out.stderr, "there are no recordings in %s\n", parent.Data)
	}
	table := tabwriter.NewWriter(out.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tSTART\tLENGTH\tKEPT\tSTATE\tPARTICIPANTS\tFILES")
	for _, s := range list {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, s.Start.UTC().Format(time.DateTime),
			s.Length.Round(100*time.Millisecond), kept(s), state(s), dash(s.People), dash(s.Files))
	}
	return table.Flush()
}

// state is how far a recording is, and what of it cannot be read.
func state(s store.Summary) string {
	if s.State == store.Finished && s.Storage == store.Encrypted && s.Error != "" {
		return string(s.State) + ", sealed"
	}
	return string(s.State)
}

// kept is for how long a recording is kept, as far as something says so.
func kept(s store.Summary) string {
	out := "-"
	switch {
	case s.Held:
		out = "held"
	case !s.DeleteAt.IsZero():
		out = "until " + s.DeleteAt.UTC().Format(time.DateTime)
	}
	if s.Evaluate {
		out += ", evaluate"
	}
	return out
}

// dash joins what may be empty. Names come from the wire: what is not to be seen
// does not reach the terminal.
func dash(names []string) string {
	if len(names) == 0 {
		return "-"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return unicode.ReplacementChar
	}, strings.Join(names, ", "))
}

type recordingsMix struct {
	ID string `arg:"" help:"Identifier of the recording, as the list shows it."`
}

// Run writes the mix beside the other files and prints its path.
func (c *recordingsMix) Run(ctx context.Context, out streams, parent *recordingsCommand) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	masters, err := parent.masters()
	if err != nil {
		return err
	}
	path, err := recorder.Mix(ctx, parent.Data, c.ID, masters)
	if err != nil {
		return parent.told(c.ID, err)
	}
	_, err = fmt.Fprintln(out.stdout, path)
	return err
}

// showRecording prints what became of the recording session with a Call-ID: its
// files with their length and peak, and the manifest. It fails when one of them is
// missing or silent.
func showRecording(dir, callID string, voices int, length time.Duration, say func(format string, args ...any)) error {
	list, err := store.List(dir)
	if err != nil {
		return err
	}
	for _, s := range list {
		if s.CallID != callID {
			continue
		}
		if len(s.Files) != voices {
			return fmt.Errorf("recording %s has %d files for %d voices", s.ID, len(s.Files), voices)
		}
		// A packet or two at the edges may be lost, half a second may not.
		if s.Length < length-500*time.Millisecond {
			return fmt.Errorf("recording %s has only %v of %v", s.ID, s.Length, length)
		}
		say("finished, %v for each participant:", s.Length)
		for _, name := range s.Files {
			path := filepath.Join(s.Folder, name)
			peak, err := checkSound(path)
			if err != nil {
				return err
			}
			say("  %s  sounds, peak %d %% of full scale", path, peak*100/32767)
		}
		say("  %s", filepath.Join(s.Folder, store.ManifestName))
		return nil
	}
	return fmt.Errorf("there is no finished recording with Call-ID %s in %s", callID, dir)
}
