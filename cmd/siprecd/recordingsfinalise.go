package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/recorder/codec"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
)

type recordingsFinalise struct {
	ID        string `arg:"" help:"Identifier of the recording, as the list shows it."`
	FFmpeg    string `name:"ffmpeg" help:"Program that decodes what siprecd cannot by itself." env:"SIPRECD_FFMPEG" default:"ffmpeg" placeholder:"PROGRAM"`
	AsDecided bool   `name:"as-decided" help:"Make the files of a recording that a server left unfinished because the rules decide otherwise now: from what its journal permits, and nothing else. No server may have the folder."`
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
	masters, err := parent.masters()
	if err != nil {
		return err
	}
	var m store.Manifest
	if c.AsDecided {
		m, err = finaliseAsDecided(ctx, parent.Data, c.ID, ffmpeg, masters)
	} else {
		m, err = recorder.Refinalise(ctx, parent.Data, c.ID, ffmpeg, masters)
	}
	if err != nil {
		return parent.told(c.ID, err)
	}
	fmt.Fprintln(out.stdout, "verdict", m.Verdict)
	for _, r := range m.Reasons {
		fmt.Fprintln(out.stdout, "reason", r)
	}
	for _, f := range m.Files {
		fmt.Fprintln(out.stdout, "file", f.Name)
	}
	switch {
	case recorder.CaptureHeld(m):
		fmt.Fprintln(out.stdout, "the capture stays: a legal hold is on the recording")
	case m.Capture != "":
		return fmt.Errorf("some audio of %s is still in its capture alone", c.ID)
	}
	return nil
}

// finaliseAsDecided makes the files of a recording that was left unfinished.
func finaliseAsDecided(ctx context.Context, data, id string, ffmpeg *codec.FFmpeg, masters *recorder.MasterKeys) (m store.Manifest, err error) {
	folder, err := store.Folder(data, id)
	if err == nil {
		_, err = os.Stat(folder)
	}
	if err != nil {
		return m, err
	}
	cfg := recorder.Config{Dir: data, Policy: rules.RecordAll(), FFmpeg: ffmpeg, Masters: masters}
	versions, err := recorder.Versions(data)
	if err == nil && len(versions) > 0 {
		cfg.Rulebook, err = recorder.OpenRulebook(data, rules.Directory{})
	}
	if err != nil {
		return m, err
	}
	rec, err := recorder.New(cfg)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, rec.Close(ctx)) }()
	return rec.FinaliseAsDecided(ctx, id)
}
