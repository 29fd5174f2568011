package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/load"
	"github.com/siprecd/siprecd/conformance/load/floor"
)

type loadCommand struct {
	reachFlags `embed:""`
	Calls      int           `default:"100" help:"Recording sessions at a time, 1 or more."`
	Total      int           `help:"Recording sessions one after the other, each for the duration. 0: as many as at a time, all of which last until the duration after the last was set up."`
	Rate       float64       `default:"100" help:"INVITEs in a second, above 0."`
	EndRate    float64       `default:"100" help:"BYEs in a second; 0 is all at once. With --total each ends after its duration."`
	Duration   time.Duration `default:"10s" help:"How long they last, at least a packet."`
	Streams    int           `default:"2" help:"Streams of a recording session, 1 to 16."`
	Ptime      time.Duration `default:"20ms" help:"Length of a packet, 5ms to 60ms in whole ms."`
	SRTP       bool          `name:"srtp" help:"Send SRTP, AES_CM_128_HMAC_SHA1_80 with keys in the SDP."`
	Files      string        `help:"Folder the server writes its WAV files to: each packet that was sent is looked for in them. Without it no file is looked at." placeholder:"DIR"`
	Wait       time.Duration `default:"1m" help:"Time for the files to come after the last BYE."`
	ServerPID  int           `name:"server-pid" help:"Process of the server on this machine, to measure its CPU, memory and descriptors (Linux)." placeholder:"PID"`
	Floor      string        `help:"Folder for the files of a bare receiver that is measured under the same load after the server, for 10 s or the duration if that is less (Linux). They are removed." placeholder:"DIR"`
	JSON       string        `name:"json" help:"Write the report to this file as JSON; - is standard output." placeholder:"FILE"`
}

type floorCommand struct {
	Sockets int           `default:"200" help:"Sockets to receive on, 1 or more."`
	Address string        `default:"127.0.0.1" help:"IP address to open them at." placeholder:"IP"`
	Dir     string        `required:"" help:"Folder for the files, which stay." placeholder:"DIR"`
	Files   int           `default:"2" help:"Sockets that share a file, 1 or more."`
	Sweep   time.Duration `default:"200ms" help:"From one reading of all sockets to the next, above 0."`
	Threads int           `default:"2" help:"Threads that share the sockets, 1 or more."`
}

func (c loadCommand) run(ctx context.Context, stdout io.Writer) (code int, err error) {
	target, err := c.target()
	if err != nil {
		return 0, err
	}
	progress := stdout
	if c.JSON == "-" {
		progress = io.Discard
	}
	cfg := load.Config{
		Target: target, Calls: c.Calls, Total: c.Total, Rate: c.Rate, EndRate: c.EndRate, Duration: c.Duration,
		Streams: c.Streams, Ptime: c.Ptime, SRTP: c.SRTP, Files: c.Files, Wait: c.Wait, ServerPID: c.ServerPID,
		Progress: func(line string) { fmt.Fprintln(progress, line) },
	}
	if c.Floor != "" {
		dir, err := os.MkdirTemp(c.Floor, "floor-*")
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		if cfg.Floor, err = floorOf(dir, c.Duration); err != nil {
			return 0, err
		}
	}
	defer punctual()()
	report, err := load.Run(ctx, cfg)
	if err != nil {
		return 0, err
	}
	if err := report.Table(progress); err != nil {
		return 0, err
	}
	if err := save(c.JSON, stdout, report); err != nil {
		return 0, err
	}
	switch report.Outcome {
	case check.Pass:
		return exitPassed, nil
	case check.Fail:
		return exitFailed, nil
	}
	return exitError, nil
}

// punctual lets threads that send wait for no other goroutine, and seldom for the
// collector. It returns what takes that back.
func punctual() (restore func()) {
	const spare = 4
	procs := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(procs + spare)
	percent := debug.SetGCPercent(400)
	return func() {
		runtime.GOMAXPROCS(procs)
		debug.SetGCPercent(percent)
	}
}

// floorOf is this program as the floor program.
func floorOf(dir string, duration time.Duration) (*load.Floor, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err = filepath.Abs(dir)
	return &load.Floor{Command: []string{self, "floor", "--dir", dir}, Duration: min(duration, 10*time.Second)}, err
}

func (c floorCommand) run(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	addr, err := netip.ParseAddr(c.Address)
	if err != nil {
		return err
	}
	return floor.Run(ctx, floor.Config{
		Sockets: c.Sockets, Address: addr.Unmap(), Dir: c.Dir, Files: c.Files, Sweep: c.Sweep, Threads: c.Threads,
	}, stdin, stdout)
}
