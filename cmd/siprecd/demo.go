package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/siprecd/siprecd/conformance/src"
)

type demoCommand struct {
	Data string `help:"Folder the recording is written to." env:"SIPRECD_DATA" default:"./data" placeholder:"DIR"`
}

const (
	// demoLength is how long the demo talks.
	demoLength = 6 * time.Second
	// demoLimit is when it gives up.
	demoLimit = demoLength + 30*time.Second
	// audible is a peak, of 32767, that no silence and no noise of a codec has.
	audible = 1000
)

// Run records a conversation with itself and shows what came of it.
func (c *demoCommand) Run(ctx context.Context, out streams) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, demoLimit)
	defer cancel()
	say := func(format string, args ...any) { fmt.Fprintf(out.stdout, format+"\n", args...) }

	s, lines, err := c.settings()
	if err != nil {
		return err
	}
	say("configuration (siprecd config explains it):")
	for _, line := range lines {
		say("  %s", line)
	}
	log, err := newLogger(out.stderr, s.LogLevel, s.LogFormat)
	if err != nil {
		return err
	}
	running, err := start(s, log)
	if err != nil {
		return err
	}
	address := running.sip.Endpoints()[0].Address
	say("server on udp %s; it records everything (no policy file)", address)

	performance := demoPerformance(address, say)
	callID, playErr := performance.play(ctx)
	// Stop finishes the files, also those of a conversation that failed.
	if err := running.stop(ctx); err != nil {
		return fmt.Errorf("stopping the server: %w", err)
	}
	if playErr != nil {
		return playErr
	}
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted")
	}
	return showRecording(s.Data, callID, len(performance.speakers), performance.length, say)
}

// settings are the defaults, whatever the environment says, on a free loopback
// port; lines are the same as text.
func (c *demoCommand) settings() (s settings, lines []string, err error) {
	differ := map[string]string{
		"listen": "udp:127.0.0.1:0", "data": c.Data, "rtp-ports": "0-0", "log-level": "error", "min-free": "0", "audio": "plain",
	}
	var cli commandLine
	parser, err := newParser(&cli, streams{stdout: io.Discard, stderr: io.Discard}, func(int) {})
	if err != nil {
		return settings{}, nil, err
	}
	for _, flag := range serveFlags(parser.Model) {
		value, ok := differ[flag.Name]
		if !ok {
			value = flag.Default
		}
		if value != "" {
			scan := kong.Scan().PushTyped(value, kong.FlagValueToken)
			if err := flag.Parse(scan, flag.Target); err != nil {
				return settings{}, nil, fmt.Errorf("%s: %w", flag.Name, err)
			}
		}
		line, err := yamlLine(flag, value)
		if err != nil {
			return settings{}, nil, err
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	return cli.Serve.settings, lines, cli.Serve.Validate()
}

// demoPerformance is two people who talk at the same time, each in a law of G.711
// of its own.
func demoPerformance(address string, say func(string, ...any)) performance {
	return performance{
		client: src.Config{Target: address, UserAgent: "siprecd-demo/" + version()},
		speakers: []speaker{
			{aor: "sip:alice@example.com", name: "Alice", codec: src.PCMU(), voice: src.Voice(src.Deep)},
			{aor: "sip:bob@example.com", name: "Bob", codec: src.PCMA(), voice: src.Voice(src.Bright)},
		},
		length:   demoLength,
		progress: say,
	}
}

// checkSound reads a finished file and refuses silence.
func checkSound(path string) (peak int, err error) {
	voice, err := src.WAV(path)
	if err != nil {
		return 0, err
	}
	block := make([]int16, 8000)
	for from := int64(0); ; {
		n := voice.Samples(from, block)
		for _, sample := range block[:n] {
			peak = max(peak, int(sample), -int(sample))
		}
		if n < len(block) {
			break
		}
		from += int64(n)
	}
	if peak < audible {
		return peak, fmt.Errorf("%s is silent", filepath.Base(path))
	}
	return peak, nil
}
