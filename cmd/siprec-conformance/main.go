// Command siprec-conformance runs the conformance suite for Session Recording
// Servers (RFC 7866) against a server and reports each case.
//
// Its exit code is 0 when all cases passed or were skipped, 1 when the server
// failed a case, and 2 when it was used wrongly, the server could not be
// reached, or a case could not be decided. With both failures and errors it is
// 1. A requirement of level SHOULD that is failed is a warning, and counts as a
// failure with --strict only.
//
// "siprec-conformance policy" plays scenarios of the rules as real calls, and ends with 0
// when all passed and 1 when one failed.
//
// "siprec-conformance load" puts a server under load. It ends with 0 when nothing
// was missing, 1 when the server failed, and 2 when the generator itself was late
// or failed, whatever the server did.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// The exit codes.
const (
	exitPassed = 0
	exitFailed = 1
	exitError  = 2
)

type options struct {
	Run  runCommand  `cmd:"" help:"Run the cases against a server. Exit code 0: all passed; 1: the server failed a case; 2: wrong use, unreachable server, or a case without a verdict."`
	List listCommand `cmd:"" help:"List the cases: ID, level, section and requirement."`

	Compare compareCommand `cmd:"" help:"Write reports side by side as a table in Markdown, for a README."`

	Profiles profilesCommand `cmd:"" help:"List the profiles and features that a server may claim."`

	Policy policyCommand `cmd:"" help:"Play scenarios of the rules to a server as real calls."`

	Load  loadCommand  `cmd:"" help:"Have many recording sessions at a time, and look for each packet in the server's files. Exit code 0: nothing is missing; 1: the server failed; 2: wrong use, unreachable server, or the generator was late itself."`
	Floor floorCommand `cmd:"" help:"Receive on many sockets and append to files, nothing else, until standard input ends: what a server is compared with (load --floor)."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// errHelp says that kong printed the help and wants the program to end.
var errHelp = errors.New("help was printed")

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (code int) {
	defer func() {
		// kong ends the program by its Exit function after --help.
		if p := recover(); p == any(errHelp) {
			code = exitPassed
		} else if p != nil {
			panic(p)
		}
	}()
	var o options
	parser, err := kong.New(&o,
		kong.Name("siprec-conformance"),
		kong.Description("Conformance suite and load generator for Session Recording Servers (RFC 7866)."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { panic(errHelp) }),
	)
	if err != nil {
		return complain(stderr, err)
	}
	command, err := parser.Parse(args)
	if err != nil {
		return complain(stderr, err)
	}
	switch name, rest, _ := strings.Cut(command.Command(), " "); name {
	case "policy":
		if strings.HasPrefix(rest, "files") {
			err = o.Policy.Files.run()
		} else {
			code, err = o.Policy.Play.run(ctx, stdout)
		}
	case "list":
		err = o.List.list(stdout)
	case "compare":
		err = o.Compare.run(stdout)
	case "profiles":
		err = o.Profiles.list(stdout)
	case "load":
		code, err = o.Load.run(ctx, stdout)
	case "floor":
		err = o.Floor.run(ctx, os.Stdin, stdout)
	default:
		code, err = o.Run.run(ctx, stdout)
	}
	if err != nil {
		return complain(stderr, err)
	}
	return code
}

func complain(stderr io.Writer, err error) int {
	fmt.Fprintf(stderr, "siprec-conformance: %v\n", err)
	return exitError
}
