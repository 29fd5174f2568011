package report_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/report"
	"github.com/siprecd/siprecd/conformance/src"
)

// sample is a report with a case of each outcome.
func sample() *conformance.Report {
	at := time.Date(2026, 3, 4, 5, 6, 7, 8e6, time.UTC)
	near, far := netip.MustParseAddrPort("192.0.2.7:5070"), netip.MustParseAddrPort("192.0.2.8:5060")
	trace := []check.Message{
		{At: at, Direction: check.Sent, Protocol: src.SIP, Transport: "UDP", Local: near, Remote: far,
			Text: "INVITE sip:srs@192.0.2.8 SIP/2.0\r\nCSeq: 7 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: 3\r\n\r\nv=0"},
		{At: at.Add(90 * time.Millisecond), Direction: check.Sent, Protocol: src.RTP, Transport: "UDP", Local: netip.AddrPortFrom(near.Addr(), 40000),
			Remote: netip.AddrPortFrom(far.Addr(), 30000), Packets: 5, Octets: 860, Text: "5 packets, 860 octets"},
		{At: at.Add(1250 * time.Millisecond), Direction: check.Received, Protocol: src.SIP, Transport: "UDP", Local: near, Remote: far,
			Text: "SIP/2.0 200 <b>Fine</b>\x01\r\nCSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\n"},
	}
	r := &conformance.Report{Suite: "v1.2.3", Target: "192.0.2.8:5060", Transport: "udp", Server: "<odd & old>/1", Started: at, Duration: 3 * time.Second, Hint: "Is it <one>?"}
	r.Results = []check.Result{
		{ID: "rfc7866/7.2/1", Level: check.Must, Outcome: check.Pass, Duration: 1500 * time.Millisecond, Requirement: "It is so.", Section: "RFC 7866 §7.2"},
		{ID: "rfc7866/7.2/2", Level: check.Must, Outcome: check.Fail, Messages: []string{"it is <not> so", "nor that"}, Trace: trace, LeftOut: 3, Runs: 4, PassedRuns: 1, Section: "RFC 7866 §7.2"},
		{ID: "dialects/odd/1", Level: check.Should, Outcome: check.Fail, Warning: true, Messages: []string{"it should be"}, Trace: trace[:1]},
		{ID: "dialects/odd/2", Level: check.Must, Outcome: check.Error, Messages: []string{"the network is gone"}},
		{ID: "dialects/odd/3", Level: check.Must, Outcome: check.Skip, Messages: []string{"feature not claimed: rtcp"}},
		{ID: "load/rate/1", Level: check.Derived, Outcome: check.Pass, Figures: []check.Figure{{Name: "set-up p99", Value: "12 ms"}}},
	}
	r.Tally = conformance.Tally{Passed: 2, Failed: 1, Warned: 1, Errors: 1, Skipped: 1}
	r.Groups = []conformance.Group{
		{Name: "rfc7866", Tally: conformance.Tally{Passed: 1, Failed: 1}},
		{Name: "dialects", Tally: conformance.Tally{Warned: 1, Errors: 1, Skipped: 1}},
		{Name: "load", Tally: conformance.Tally{Passed: 1}},
	}
	return r
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	if err := report.Table(&out, sample()); err != nil {
		t.Fatal(err)
	}
	const want = `group     passed  failed  warned  errors skipped
rfc7866        1       1       0       0       0
dialects       0       0       1       1       1
load           1       0       0       0       0
all            2       1       1       1       1
failed: rfc7866/7.2/2
warned: dialects/odd/1
without a verdict: dialects/odd/2
Is it <one>?
`
	if out.String() != want {
		t.Errorf("%s", &out)
	}
}

// suites is JUnit XML as a build server reads it.
type suites struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Skipped  int `xml:"skipped,attr"`
	Suites   []struct {
		Name  string `xml:"name,attr"`
		Tests int    `xml:"tests,attr"`
		Time  string `xml:"time,attr"`
		Cases []struct {
			ClassName string `xml:"classname,attr"`
			Name      string `xml:"name,attr"`
			Failure   *note  `xml:"failure"`
			Error     *note  `xml:"error"`
			Skipped   *note  `xml:"skipped"`
			Out       string `xml:"system-out"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

type note struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func TestJUnit(t *testing.T) {
	var out bytes.Buffer
	if err := report.JUnit(&out, sample()); err != nil {
		t.Fatal(err)
	}
	var got suites
	if err := xml.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	if got.Tests != 6 || got.Failures != 1 || got.Errors != 1 || got.Skipped != 1 || len(got.Suites) != 3 {
		t.Fatalf("%+v", got)
	}
	if s := got.Suites[0]; s.Name != "rfc7866" || s.Tests != 2 || s.Time != "1.500" || s.Cases[0].Name != "rfc7866/7.2/1 It is so." || s.Cases[0].Failure != nil {
		t.Errorf("%+v", s)
	}
	f := got.Suites[0].Cases[1].Failure
	if f == nil || f.Message != "it is <not> so" {
		t.Fatalf("failure %+v", f)
	}
	for _, want := range []string{
		"nor that\n", "1 of 4 runs passed", "05:06:07.008 sent, SIP over UDP from 192.0.2.7:5070 to 192.0.2.8:5060\nINVITE sip:",
		"05:06:08.258 received, SIP over UDP from 192.0.2.8:5060 to 192.0.2.7:5070\nSIP/2.0 200 <b>Fine</b>\u2401\n", "3 packets are left out",
	} {
		if !strings.Contains(f.Text, want) {
			t.Errorf("the failure does not say %q:\n%s", want, f.Text)
		}
	}
	odd := got.Suites[1].Cases
	if odd[0].Failure != nil || !strings.HasPrefix(odd[0].Out, "warning: a requirement of level should is failed\nit should be\n") {
		t.Errorf("warning %+v", odd[0])
	}
	if odd[1].Error == nil || odd[1].Error.Message != "the network is gone" || odd[2].Skipped == nil || odd[2].Skipped.Message != "feature not claimed: rtcp" {
		t.Errorf("%+v", odd)
	}
	if got.Suites[2].Cases[0].Out != "set-up p99: 12 ms\n" {
		t.Errorf("figures are %q", got.Suites[2].Cases[0].Out)
	}
}

func TestHTML(t *testing.T) {
	var out bytes.Buffer
	if err := report.HTML(&out, sample()); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for _, want := range []string{
		`<p class="verdict fail">The server failed 1 of 6 cases.</p>`,
		`siprec-conformance v1.2.3, a`,
		`<li><span class="outcome warn">warn</span> <a class="id" href="#case-dialects-odd-1">dialects/odd/1</a>`,
		`<p>Is it &lt;one&gt;?</p>`,
		`which calls itself <code>&lt;odd &amp; old&gt;/1</code>`,
		`<dt>Claimed</dt><dd>everything</dd>`,
		`<a class="fail" href="#case-rfc7866-7.2-2">fail</a>`,
		`<article id="case-rfc7866-7.2-2">`,
		`<li>it is &lt;not&gt; so</li><li>nor that</li><li>1 of 4 runs passed.</li>`,
		`>1 INVITE 7: sdp</text>`,
		`>2 RTP :40000 to :30000, 5 packets</text>`,
		`>3 200 &lt;b&gt;Fine&lt;/b&gt;␁ (INVITE)</text>`,
		`>&#43;1.250 s</text>`,
		`>&#43;90.0 ms</text>`,
		`SIP/2.0 200 &lt;b&gt;Fine&lt;/b&gt;␁`,
		`3 packets are left out.`,
		`<span class="why">feature not claimed: rtcp</span>`,
		`<span class="outcome warn">warn</span>`,
		`set-up p99: 12 ms`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not hold %s", want)
		}
	}
	for _, tag := range []string{"<script", "<link", "src=", "@import", "url("} {
		if strings.Contains(text, tag) {
			t.Errorf("the page needs something besides itself: %s", tag)
		}
	}
	wellFormed(t, text)
}

// wellFormed holds the page to matching tags.
func wellFormed(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	for {
		if _, err := d.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("the page is not well formed: %v", err)
		}
	}
}

func TestVerdicts(t *testing.T) {
	for _, tt := range []struct {
		tally conformance.Tally
		want  string
	}{
		{conformance.Tally{Passed: 1}, `verdict pass">The server passed 1 of 1`},
		{conformance.Tally{Warned: 1}, `verdict warn">The server failed nothing that it must do; 1 of 1`},
		{conformance.Tally{Errors: 1, Warned: 1}, `verdict error">1 of 1 cases have no verdict`},
		{conformance.Tally{Failed: 1, Errors: 1}, `verdict fail">The server failed 1 of 1`},
	} {
		var out bytes.Buffer
		r := &conformance.Report{Tally: tt.tally, Results: make([]check.Result, 1)}
		if err := report.HTML(&out, r); err != nil || !strings.Contains(out.String(), tt.want) {
			t.Errorf("%+v: the page does not say %q (%v)", tt.tally, tt.want, err)
		}
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestErrorsOfWriting(t *testing.T) {
	for name, write := range map[string]func(io.Writer, *conformance.Report) error{"Table": report.Table, "JUnit": report.JUnit, "HTML": report.HTML} {
		if write(full{}, sample()) == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
