package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/pcap"
	"github.com/siprecd/siprecd/conformance/report"
)

// reportFlags say what is written about a run, besides the lines on standard output.
type reportFlags struct {
	JSON  string `name:"json" help:"Write the report to this file as JSON, with the messages of cases that did not pass; - is standard output." placeholder:"FILE"`
	JUnit string `name:"junit" help:"Write the report to this file as JUnit XML, for build servers; - is standard output." placeholder:"FILE"`
	HTML  string `name:"html" help:"Write the report to this file as one page for people, with ladders and messages; - is standard output." placeholder:"FILE"`
	PCAP  string `name:"pcap" help:"Write what was sent and received to this file, for Wireshark and tcpdump; TLS is decrypted, SRTP is not." placeholder:"FILE"`
}

// reports are the files of a run. They are opened before it, so that a path that cannot
// be used is told at once.
type reports struct {
	stdout  io.Writer
	quiet   bool // a report goes to standard output, and nothing else may
	writers []reportWriter
	capture *os.File
	packets *pcap.Writer
}

// reportWriter writes one report to a file, or to standard output without one.
type reportWriter struct {
	write func(io.Writer, *conformance.Report) error
	file  *os.File
}

func (f reportFlags) none() bool { return f == reportFlags{} }

// open opens the files. The capture begins at once.
func (f reportFlags) open(stdout io.Writer) (r *reports, err error) {
	named := make(map[string]bool)
	for _, path := range []string{f.JSON, f.JUnit, f.HTML, f.PCAP} {
		if path != "" && path != "-" && named[path] {
			return nil, fmt.Errorf("two reports cannot go to the one file %s", path)
		}
		named[path] = true
	}
	r = &reports{stdout: stdout}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.discard())
		}
	}()
	for _, one := range []struct {
		path  string
		write func(io.Writer, *conformance.Report) error
	}{{f.JSON, writeJSON}, {f.JUnit, report.JUnit}, {f.HTML, report.HTML}} {
		w := reportWriter{write: one.write}
		switch one.path {
		case "":
			continue
		case "-":
			if r.quiet {
				return r, errors.New("only one report can go to standard output")
			}
			r.quiet = true
		default:
			if w.file, err = os.Create(one.path); err != nil {
				return r, err
			}
		}
		r.writers = append(r.writers, w)
	}
	if f.PCAP != "" {
		if r.capture, err = os.Create(f.PCAP); err == nil {
			r.packets, err = pcap.New(r.capture)
		}
	}
	return r, err
}

// lines is where the lines for people go.
func (r *reports) lines() io.Writer {
	if r.quiet {
		return io.Discard
	}
	return r.stdout
}

// watch hands the packets of a run to the capture.
func (r *reports) watch(target *check.Target) {
	if r.packets != nil {
		target.Packets = r.packets.Write
	}
}

// finish writes the reports and closes their files.
func (r *reports) finish(done *conformance.Report) error {
	var errs []error
	for _, w := range r.writers {
		var err error
		if w.file == nil {
			err = w.write(r.stdout, done)
		} else {
			err = w.write(w.file, done)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("write report: %w", err))
		}
	}
	return errors.Join(append(errs, r.close())...)
}

// discard closes the files and takes the empty ones away, since nothing could be run.
// The capture stays: it may show why.
func (r *reports) discard() error {
	err := r.close()
	for _, w := range r.writers {
		if w.file == nil {
			continue
		}
		if info, found := os.Stat(w.file.Name()); found == nil && info.Mode().IsRegular() && info.Size() == 0 {
			err = errors.Join(err, os.Remove(w.file.Name()))
		}
	}
	return err
}

func (r *reports) close() error {
	var errs []error
	for _, w := range r.writers {
		if w.file != nil {
			errs = append(errs, w.file.Close())
		}
	}
	if r.packets != nil {
		errs = append(errs, r.packets.Flush())
	}
	if r.capture != nil {
		errs = append(errs, r.capture.Close())
	}
	return errors.Join(errs...)
}

func writeJSON(w io.Writer, r *conformance.Report) error { return encode(w, r) }

// encode writes a value as JSON that people can read too.
func encode(w io.Writer, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// save writes a value as JSON to a file; - is standard output, and an empty path
// nothing.
func save(path string, stdout io.Writer, value any) error {
	switch path {
	case "":
		return nil
	case "-":
		return encode(stdout, value)
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if err := errors.Join(encode(f, value), f.Close()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
