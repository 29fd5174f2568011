package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
)

// The elements of JUnit XML, as build servers read them.
type (
	junitSuites struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr"`
		junitCounts
		Suites []junitSuite `xml:"testsuite"`
	}
	junitCounts struct {
		Tests    int     `xml:"tests,attr"`
		Failures int     `xml:"failures,attr"`
		Errors   int     `xml:"errors,attr"`
		Skipped  int     `xml:"skipped,attr"`
		Time     seconds `xml:"time,attr"`
	}
	junitSuite struct {
		Name      string `xml:"name,attr"`
		Timestamp string `xml:"timestamp,attr"`
		junitCounts
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		ClassName string         `xml:"classname,attr"`
		Name      string         `xml:"name,attr"`
		Time      seconds        `xml:"time,attr"`
		Failure   *junitProblem  `xml:"failure"`
		Error     *junitProblem  `xml:"error"`
		Skipped   *junitProblem  `xml:"skipped"`
		Out       *junitVerbatim `xml:"system-out"`
	}
	junitProblem struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
	junitVerbatim struct {
		Text string `xml:",chardata"`
	}
	seconds time.Duration
)

// MarshalText writes seconds with milliseconds.
func (s seconds) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%.3f", time.Duration(s).Seconds()), nil
}

// JUnit writes a report as JUnit XML: a suite for each group, and in it a case with ID
// and requirement. What failed, or had an error, has its messages and its trace. A
// warning is a case that passed and says so in its output.
func JUnit(w io.Writer, r *conformance.Report) error {
	all := junitSuites{Name: "siprec-conformance"}
	for _, g := range r.Groups {
		s := junitSuite{Name: g.Name, Timestamp: r.Started.UTC().Format("2006-01-02T15:04:05"), Properties: properties(r)}
		for _, result := range r.Results {
			if result.Group() == g.Name {
				s.Cases = append(s.Cases, junitOf(result))
				s.Time += seconds(result.Duration)
			}
		}
		s.Tests, s.Failures, s.Errors, s.Skipped = len(s.Cases), g.Failed, g.Errors, g.Skipped
		all.Suites = append(all.Suites, s)
		all.Tests += s.Tests
	}
	all.Failures, all.Errors, all.Skipped, all.Time = r.Failed, r.Errors, r.Skipped, seconds(r.Duration)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func properties(r *conformance.Report) []junitProperty {
	return []junitProperty{
		{"target", r.Target}, {"transport", r.Transport}, {"server", visible(r.Server)},
		{"features", strings.Join(r.Features, " ")}, {"strict", fmt.Sprint(r.Strict)}, {"hint", visible(r.Hint)},
	}
}

func junitOf(r check.Result) junitCase {
	c := junitCase{ClassName: r.Group(), Name: r.ID + " " + r.Requirement, Time: seconds(r.Duration)}
	p := &junitProblem{Message: visible(first(r.Messages)), Type: r.Level.String(), Text: visible(details(r))}
	switch Outcome(r) {
	case "fail":
		c.Failure = p
	case "error":
		c.Error = p
	case "skip":
		c.Skipped = &junitProblem{Message: p.Message}
	default:
		if text := details(r); text != "" {
			c.Out = &junitVerbatim{Text: visible(text)}
		}
	}
	return c
}

func first(messages []string) string {
	if len(messages) == 0 {
		return ""
	}
	return messages[0]
}

// details is all that a result has to say, as text.
func details(r check.Result) string {
	var b strings.Builder
	if r.Warning {
		fmt.Fprintf(&b, "warning: a requirement of level %s is failed\n", r.Level)
	}
	for _, m := range r.Messages {
		b.WriteString(m + "\n")
	}
	if r.Runs > 1 {
		fmt.Fprintf(&b, "%d of %d runs passed\n", r.PassedRuns, r.Runs)
	}
	for _, f := range r.Figures {
		fmt.Fprintf(&b, "%s: %s\n", f.Name, f.Value)
	}
	if len(r.Trace) > 0 {
		fmt.Fprintf(&b, "\n%s\n", r.Section)
	}
	for _, m := range r.Trace {
		fmt.Fprintf(&b, "\n%s %s\n%s\n", m.At.UTC().Format("15:04:05.000"), route(m), m.Text)
	}
	if r.LeftOut > 0 {
		fmt.Fprintf(&b, "\n%d packets are left out\n", r.LeftOut)
	}
	return b.String()
}

// route says which way a message went.
func route(m check.Message) string {
	verb, from, to := "sent", m.Local, m.Remote
	if m.Direction == check.Received {
		verb, from, to = "received", m.Remote, m.Local
	}
	return fmt.Sprintf("%s, %s over %s from %s to %s", verb, m.Protocol, m.Transport, from, to)
}
