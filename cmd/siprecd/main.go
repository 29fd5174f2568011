// Command siprecd is a Session Recording Server (SRS, RFC 7866): SIP equipment
// that is a Session Recording Client sends it a copy of the audio it relays, and
// metadata (RFC 7865) that says who speaks. siprecd writes one WAV file for each
// participant and a manifest beside them.
//
// It ends with 0 when all went well, 1 when what was asked for failed, and 2 when
// it was asked wrongly: an unknown flag, or a configuration that cannot be.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/alecthomas/kong"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// commandLine is every command with its flags. The help, the environment, the
// configuration file and its documentation are all made from these declarations.
type commandLine struct {
	Serve      serveCommand      `cmd:"" help:"Record what Session Recording Clients send, until SIGTERM."`
	Config     configCommand     `cmd:"" help:"Print the configuration file with every key, explained, at its default."`
	Demo       demoCommand       `cmd:"" help:"Start a server, send it six seconds of two voices, and show the files."`
	Call       callCommand       `cmd:"" help:"Play WAV files to a server as a Session Recording Client."`
	Explain    explainCommand    `cmd:"" help:"Explain raw SIP messages: who is who, who sends what, and how the server would answer."`
	Policy     policyCommand     `cmd:"" help:"Check a policy file: what is recorded of whom, and why not."`
	Control    controlCommand    `cmd:"" help:"Command a live interaction of a running server, find one, or make a token."`
	Recordings recordingsCommand `cmd:"" help:"List, show, mix, export, verify, hold and erase what was recorded."`
	Version    versionCommand    `cmd:"" help:"Print the version."`
}

// streams are what a command writes to.
type streams struct{ stdout, stderr io.Writer }

// A usageError is a mistake in what was asked for, not in doing it.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func main() {
	os.Exit(run(context.Background(), os.Args[1:], streams{stdout: os.Stdout, stderr: os.Stderr}))
}

// run does what the arguments ask for and returns the exit code.
func run(ctx context.Context, args []string, out streams) int {
	// exited is set when kong ends the command by itself, as --help does.
	exited := -1
	parser, err := newParser(&commandLine{}, out, func(code int) { exited = code })
	if err != nil {
		return report(out, err)
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		return report(out, usageError{err})
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	return report(out, parsed.Run(out))
}

func newParser(cli *commandLine, out streams, exit func(int)) (*kong.Kong, error) {
	return kong.New(cli,
		kong.Name("siprecd"),
		kong.Description("A SIPREC session recording server (RFC 7866, RFC 7865)."),
		kong.Writers(out.stdout, out.stderr),
		kong.Exit(exit),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
}

// report writes an error in one line and says with which code to end.
func report(out streams, err error) int {
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(out.stderr, "siprecd:", err)
	var usage usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

type versionCommand struct{}

// Run prints the module version, or the commit it was built from.
func (versionCommand) Run(out streams) error {
	_, err := fmt.Fprintln(out.stdout, "siprecd", version())
	return err
}

// version is what the linker knows: a tag for an installed module, else the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return "devel"
}
