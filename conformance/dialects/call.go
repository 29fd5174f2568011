package dialects

import (
	"context"
	"embed"
	"fmt"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

//go:embed documents/*.xml
var documents embed.FS

// A call is a recording session in some dialect. Its steps follow each other in one
// dialog; a BYE comes by itself when none is the last of them.
type call struct {
	id, section string
	level       check.Level
	requirement string
	shows       []string
	needs       []string
	steps       []step
}

// A step is one request of a call, and what has to come back: 200, with an answer if
// there was an offer.
type step struct {
	method   string      // default INVITE; the first one opens the dialog
	request  src.Request // with words as in names in its header fields, SDP, body and parts
	document string      // of documents; the metadata, if there is any
	// answer is what becomes of each m-line: recvonly, inactive, refused or either; nil
	// is recvonly for all. Of a request without an offer it does not count.
	answer []string
}

const (
	// refused is an m-line that is answered with port 0 (RFC 3264 §6).
	refused = "refused"
	// either is an m-line that may be refused or taken, as the server likes.
	either = "either"
)

// twice is the same for two m-lines.
func twice(answer string) []string { return []string{answer, answer} }

func (c call) asCase() check.Case {
	needs := c.needs
	for _, s := range c.steps {
		if s.method == "UPDATE" || s.method == "INFO" {
			needs = append(needs[:len(needs):len(needs)], map[string]string{"UPDATE": "update", "INFO": "info"}[s.method])
			break
		}
	}
	return check.Case{
		ID: c.id, Section: c.section, Level: c.level, Requirement: c.requirement, Shows: c.shows, Needs: needs,
		Run: func(ctx context.Context, t *check.T) { c.play(ctx, t) },
	}
}

// play goes through the steps of a call.
func (c call) play(ctx context.Context, t *check.T) {
	n := newNames()
	var d *src.Dialog
	var ports []int
	ended := false
	for i, s := range c.steps {
		r := n.request(t, s)
		var m *src.Message
		var err error
		switch {
		case d == nil:
			d = t.Open(ctx, r)
			m = d.Final()
		default:
			if s.offers() && r.Streams == nil {
				r.Streams = d.Offers()
			}
			m, err = d.Do(ctx, s.named(), r)
			t.Check(err, fmt.Sprintf("%s, step %d", s.named(), i+1))
			t.Status(m, 200)
		}
		if s.offers() || r.Streams != nil {
			ports = c.compare(t, d, s.answer, ports)
		} else if sdp, err := m.SDP(); sdp != nil || err != nil {
			t.Errorf("step %d: what brought no offer was answered with SDP", i+1)
		}
		ended = s.named() == "BYE"
	}
	if !ended {
		m, err := d.Bye(ctx, src.Request{})
		t.Check(err, "BYE")
		t.Status(m, 200)
	}
}

// compare looks at each m-line of an answer, and returns the ports. One that stays
// keeps its port.
func (c call) compare(t *check.T, d *src.Dialog, want []string, before []int) []int {
	answer := t.Answer(d)
	var ports []int
	for i, o := range d.Offers() {
		m, expected := answer.Media[i], src.RecvOnly
		if want != nil {
			expected = want[i]
		}
		ports = append(ports, m.Port)
		if expected == refused {
			if m.Port != 0 {
				t.Errorf("m-line %d has port %d, expected 0", i, m.Port)
			}
			continue
		}
		if expected == either {
			continue
		}
		switch dir := answer.DirectionOf(i); {
		case m.Port == 0:
			t.Errorf("m-line %d is refused", i)
		case dir != expected:
			t.Errorf("m-line %d is %s, expected %s", i, dir, expected)
		case i < len(before) && before[i] != 0 && before[i] != m.Port:
			t.Errorf("m-line %d moved from port %d to %d", i, before[i], m.Port)
		case o.Media != "" && m.Kind != o.Media || o.Media == "" && m.Kind != "audio":
			t.Errorf("m-line %d is answered as %s", i, m.Kind)
		case m.Label != o.Label && (m.Label != "" || c.level != check.Must):
			t.Errorf("m-line %d has the label %q, offered was %q", i, m.Label, o.Label)
		}
	}
	return ports
}

func (s step) named() string {
	if s.method == "" {
		return "INVITE"
	}
	return s.method
}

// offers says whether a request has an offer even if it names no streams.
func (s step) offers() bool { return s.named() == "INVITE" || s.request.SDP != "" }
