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

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/recorder/store"
)

type recordingsCommand struct {
	Data string `help:"Folder of the recordings." env:"SIPRECD_DATA" default:"./data" placeholder:"DIR"`

	List     recordingsList     `cmd:"" default:"withargs" help:"List recordings, newest first."`
	Finalise recordingsFinalise `cmd:"" help:"Make the files of a finished recording anew from its capture, which was kept because some of it could not be decoded then."`

	Mix recordingsMix `cmd:"" help:"Write a stereo file: the first participant left, all others right."`
}

type recordingsList struct {
	JSON bool `help:"Print a JSON array of objects."`
}

// Run prints one line, or one JSON object, for each recording.
func (c *recordingsList) Run(out streams, parent *recordingsCommand) error {
	list, err := store.List(parent.Data)
	if err != nil {
		return err
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
	fmt.Fprintln(table, "ID\tSTART\tLENGTH\tSTATE\tPARTICIPANTS\tFILES")
	for _, s := range list {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, s.Start.UTC().Format(time.DateTime),
			s.Length.Round(100*time.Millisecond), s.State, dash(s.People), dash(s.Files))
	}
	return table.Flush()
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
	path, err := recorder.Mix(ctx, parent.Data, c.ID)
	switch {
	case errors.Is(err, store.ErrID):
		return usageError{err}
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no recording %s in %s", c.ID, parent.Data)
	case err != nil:
		return err
	}
	_, err = fmt.Fprintln(out.stdout, path)
	return err
}

type recordingsFinalise struct {
	ID     string `arg:"" help:"Identifier of the recording, as the list shows it."`
	FFmpeg string `name:"ffmpeg" help:"Program that decodes what siprecd cannot by itself." env:"SIPRECD_FFMPEG" default:"ffmpeg" placeholder:"PROGRAM"`
	Keys   string `name:"master-keys" help:"File of master keys, where the server has one." env:"SIPRECD_MASTER_KEYS" placeholder:"FILE"`
}

// Run makes the files and prints what they came to. It fails when some of the audio
// is still in the capture alone.
func (c *recordingsFinalise) Run(ctx context.Context, out streams, parent *recordingsCommand) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	ffmpeg, err := findFFmpeg(c.FFmpeg, zap.NewNop())
	if err != nil {
		return err
	}
	masters, err := readMasterKeys(c.Keys)
	if err != nil {
		return err
	}
	m, err := recorder.Refinalise(ctx, parent.Data, c.ID, ffmpeg, masters)
	switch {
	case errors.Is(err, store.ErrID):
		return usageError{err}
	case errors.Is(err, fs.ErrNotExist) && m.Recording == "":
		return fmt.Errorf("there is no recording %s in %s", c.ID, parent.Data)
	case err != nil:
		return err
	}
	fmt.Fprintln(out.stdout, "verdict", m.Verdict)
	for _, r := range m.Reasons {
		fmt.Fprintln(out.stdout, "reason", r)
	}
	for _, f := range m.Files {
		fmt.Fprintln(out.stdout, "file", f.Name)
	}
	if m.Capture != "" {
		return fmt.Errorf("some audio of %s is still in its capture alone", c.ID)
	}
	return nil
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
