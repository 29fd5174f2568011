// Command siprec-conformance runs the conformance suite for Session Recording
// Servers (RFC 7866) against a server and reports each case.
//
// Its exit code is 0 when all cases passed or were skipped, 1 when the server
// failed a case, and 2 when it was used wrongly, the server could not be
// reached, or a case could not be decided. With both failures and errors it is
// 1.
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
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
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

	Policy policyCommand `cmd:"" help:"Play scenarios of the rules to a server as real calls."`

	Load  loadCommand  `cmd:"" help:"Have many recording sessions at a time, and look for each packet in the server's files. Exit code 0: nothing is missing; 1: the server failed; 2: wrong use, unreachable server, or the generator was late itself."`
	Floor floorCommand `cmd:"" help:"Receive on many sockets and append to files, nothing else, until standard input ends: what a server is compared with (load --floor)."`
}

// reachFlags say where the server is and how to talk to it.
type reachFlags struct {
	Target         string `required:"" help:"Server, as sip:[user@]host[:port]; the port is 5060 when absent, with tls 5061." placeholder:"URI"`
	Transport      string `enum:"udp,tcp,tls" default:"udp" help:"udp, tcp or tls."`
	TLSCertificate string `name:"tls-certificate" help:"Certificate to show on TLS, PEM, with --tls-key." placeholder:"FILE"`
	TLSKey         string `name:"tls-key" help:"Private key of the certificate, PEM." placeholder:"FILE"`
	TLSCA          string `name:"tls-ca" help:"Authorities that the certificate of the server may be of, PEM. When empty, those of the system." placeholder:"FILE"`
}

type runCommand struct {
	reachFlags `embed:""`
	JSON       string        `name:"json" help:"Write the report to this file as JSON, with the messages of cases that did not pass; - is standard output." placeholder:"FILE"`
	Timeout    time.Duration `default:"10s" help:"Time for each case, above 0."`
	Features   []string      `help:"Claimed features; cases that need another are skipped. Without it everything is claimed. Known: 100rel, rtcp, snapshot, timer, tls, udp, update." placeholder:"NAME"`
	Prefixes   []string      `arg:"" optional:"" help:"Run only cases whose ID begins with one of these, for example rfc7866/7.2."`
}

type listCommand struct {
	Prefixes []string `arg:"" optional:"" help:"List only cases whose ID begins with one of these."`
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

func (c listCommand) list(w io.Writer) error {
	for _, one := range conformance.All() {
		if !chosen(one.ID, c.Prefixes) {
			continue
		}
		if _, err := fmt.Fprintf(w, "%-20s %-8s %-20s %s\n", one.ID, one.Level, one.Section, one.Requirement); err != nil {
			return err
		}
	}
	return nil
}

func chosen(id string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(id, p) {
			return true
		}
	}
	return len(prefixes) == 0
}

func (c runCommand) run(ctx context.Context, stdout io.Writer) (int, error) {
	target, err := c.target()
	if err != nil {
		return 0, err
	}
	if c.Timeout <= 0 {
		return 0, fmt.Errorf("timeout %s is not above 0", c.Timeout)
	}
	progress := stdout
	if c.JSON == "-" {
		progress = io.Discard
	}
	report, err := conformance.Run(ctx, target, conformance.Options{
		Prefixes: c.Prefixes, Features: c.Features, Timeout: c.Timeout,
		Progress: func(r check.Result) { show(progress, r) },
	})
	if err != nil {
		return 0, err
	}
	fmt.Fprintf(progress, "%d passed, %d failed, %d errors, %d skipped\n",
		report.Passed, report.Failed, report.Errors, report.Skipped)
	if err := save(c.JSON, stdout, report); err != nil {
		return 0, err
	}
	switch {
	case report.Failed > 0:
		return exitFailed, nil
	case report.Errors > 0:
		return exitError, nil
	}
	return exitPassed, nil
}

// target is the server that the flags name.
func (c reachFlags) target() (check.Target, error) {
	target, err := parseTarget(c.Target, c.Transport)
	if err != nil {
		return target, err
	}
	target.Transport = c.Transport
	target.TLS, err = c.tls()
	return target, err
}

// tls is what is shown and believed on TLS.
func (c reachFlags) tls() (*tls.Config, error) {
	if c.Transport != "tls" {
		if c.TLSCertificate+c.TLSKey+c.TLSCA != "" {
			return nil, errors.New("--tls-certificate, --tls-key and --tls-ca are for --transport tls")
		}
		return nil, nil
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.TLSCertificate+c.TLSKey != "" {
		cert, err := tls.LoadX509KeyPair(c.TLSCertificate, c.TLSKey)
		if err != nil {
			return nil, fmt.Errorf("read --tls-certificate and --tls-key: %w", err)
		}
		cfg.Certificates = []tls.Certificate{cert}
	}
	if c.TLSCA != "" {
		text, err := os.ReadFile(c.TLSCA)
		if err != nil {
			return nil, err
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s holds no certificate", c.TLSCA)
		}
	}
	return cfg, nil
}

func show(w io.Writer, r check.Result) {
	fmt.Fprintf(w, "%-5s %-20s %6d ms  %s\n", r.Outcome, r.ID, r.Duration.Milliseconds(), r.Requirement)
	if r.Outcome == check.Pass {
		return
	}
	for _, m := range r.Messages {
		fmt.Fprintf(w, "      %s\n", strings.ReplaceAll(m, "\n", "\n      "))
	}
}

func save(path string, stdout io.Writer, report any) error {
	if path == "" {
		return nil
	}
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	text = append(text, '\n')
	if path == "-" {
		_, err = stdout.Write(text)
		return err
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// parseTarget reads sip:[user@]host[:port]; an IPv6 host stands in brackets
// (RFC 3261 §19.1.1). A user becomes part of the Request-URI. The port is that of
// the transport when absent (§19.1.2).
func parseTarget(uri, transport string) (check.Target, error) {
	rest, ok := strings.CutPrefix(uri, "sip:")
	if !ok {
		return check.Target{}, fmt.Errorf("target %q is not a sip: URI", uri)
	}
	user, hostport, hasUser := strings.Cut(rest, "@")
	if !hasUser {
		hostport = rest
	}
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		host, port = strings.Trim(hostport, "[]"), "5060"
		if transport == "tls" {
			port = "5061"
		}
	}
	if host == "" || strings.ContainsAny(host, " ;?<>/") {
		return check.Target{}, fmt.Errorf("target %q has no host that can be used", uri)
	}
	t := check.Target{Address: net.JoinHostPort(host, port)}
	if hasUser && user != "" {
		t.RequestURI = "sip:" + user + "@" + t.Address
	}
	return t, nil
}
