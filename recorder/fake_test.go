package recorder

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
	"github.com/siprecd/siprecd/siprec/media"
)

// fake is a recording session that follows a script. Each step may send packets
// and returns an event; a step that returns nil only acts.
type fake struct {
	t       testing.TB
	callID  string
	script  []func(f *fake) *siprec.Event
	sinks   map[int]media.Sink
	seq     map[int]uint16
	log     []string // what the loop did to the recording session
	drained bool
	mixed   map[int][]media.Contributor
	sources map[int][]media.Source
	// attached counts the calls of Attach: each wipes what waits at the port.
	attached int
	asked    []string // for which the SRC was asked for a snapshot
	noUpdate bool     // the SRC cannot be asked
	enforced bool     // the SRC is asked to pause
	paused   []string // what it was asked for
	save     func([]byte)
}

func (f *fake) RequestSnapshot(reason string) error {
	f.asked = append(f.asked, "snapshot: "+reason)
	if f.noUpdate {
		return siprec.ErrNoUpdate
	}
	return nil
}

func (f *fake) CallID() string { return f.callID }
func (f *fake) SRC() siprec.SRC {
	return siprec.SRC{Name: "sbc1", EnforceAtSource: f.enforced}
}

func (f *fake) Pause(streams ...int)   { f.paused = append(f.paused, fmt.Sprint(streams)) }
func (f *fake) Resume()                { f.paused = append(f.paused, "resume") }
func (f *fake) From() string           { return "sip:src@sbc.example.com" }
func (f *fake) To() string             { return "sip:srs@example.com" }
func (f *fake) RequestURI() string     { return "sip:record@srs.example.com" }
func (f *fake) UserAgent() string      { return "Example SBC 1" }
func (f *fake) Held(held bool)         { f.log = append(f.log, fmt.Sprintf("held %v", held)) }
func (f *fake) Keep(save func([]byte)) { f.save = save }
func (f *fake) Later(do func())        { do() }
func (f *fake) End()                   { f.log = append(f.log, "end") }
func (f *fake) Drain()                 { f.drained = true; f.log = append(f.log, "drain") }
func (f *fake) Stats(i int) media.Stats {
	return media.Stats{Packets: uint64(f.seq[i]), Strangers: 3, Source: netip.MustParseAddrPort("192.0.2.9:4000")}
}

func (f *fake) Contributors(i int) []media.Contributor { return f.mixed[i] }
func (f *fake) Sources(i int) []media.Source           { return f.sources[i] }

func (f *fake) Origin() siprec.Origin {
	return siprec.Origin{Transport: "UDP", Source: netip.MustParseAddrPort("192.0.2.9:5060")}
}

func (f *fake) Attach(i int, s media.Sink) { f.sinks[i] = s; f.attached++ }

func (f *fake) Next(ctx context.Context) (*siprec.Event, error) {
	if ctx.Err() != nil {
		f.script = nil
		return &siprec.Event{Kind: siprec.Ended, At: sec(99), Reason: siprec.EndShutdown}, nil
	}
	for len(f.script) > 0 {
		step := f.script[0]
		f.script = f.script[1:]
		if ev := step(f); ev != nil {
			return ev, nil
		}
	}
	return nil, io.EOF
}

func sec(s float64) time.Time { return t0.Add(time.Duration(s * float64(time.Second))) }

// tone is 20 ms of PCMU that is not silent.
var tone = strings.Repeat("\x10\x90", 80)

// talk sends PCMU on an m-line from one second to another. The timestamp is that
// of the instant; ssrc tells sources apart.
func talk(index int, ssrc uint32, from, to float64) func(*fake) *siprec.Event {
	return talkAs(index, ssrc, 0, from, to)
}

func talkAs(index int, ssrc uint32, pt uint8, from, to float64) func(*fake) *siprec.Event {
	return func(f *fake) *siprec.Event {
		for at := sec(from); at.Before(sec(to)); at = at.Add(20 * ms) {
			if s := f.sinks[index]; s != nil {
				ts := uint32(at.Sub(t0) * 8000 / time.Second)
				s.WriteRTP(&media.Packet{
					Header:  &rtp.Header{Version: 2, PayloadType: pt, SequenceNumber: f.seq[index], Timestamp: ts + ssrc<<8, SSRC: ssrc},
					Payload: []byte(tone), Arrival: at,
				})
				f.seq[index]++
			}
		}
		return nil
	}
}

var pcmu = []siprec.Codec{{PayloadType: 0, Name: "PCMU", ClockRate: 8000, Channels: 1}, {PayloadType: 8, Name: "PCMA", ClockRate: 8000, Channels: 1}}

// line is an m-line as last offered: its label and direction, port 0 for closed.
func mline(index int, label string, d siprec.Direction) siprec.Stream {
	return siprec.Stream{
		Index: index, Label: label, Media: "audio", Direction: d, Codecs: pcmu,
		Receiving: d == siprec.SendOnly || d == siprec.SendRecv, Recordable: true, Ptime: 20 * ms,
	}
}

var both = []siprec.Stream{mline(0, "1", siprec.SendOnly), mline(1, "2", siprec.SendOnly)}

func offered(streams []siprec.Stream, docs ...string) func(*fake) *siprec.Event {
	return event(siprec.Event{Kind: siprec.Offered, At: sec(0), Method: "INVITE", CSeq: 1, HasOffer: true, Streams: streams}, docs)
}

// changed is a later request; streams is nil when it brings no offer.
func changed(at float64, streams []siprec.Stream, docs ...string) func(*fake) *siprec.Event {
	return event(siprec.Event{Kind: siprec.Changed, At: sec(at), Method: "UPDATE", CSeq: 2, HasOffer: streams != nil, Streams: streams}, docs)
}

func ended(at float64, docs ...string) func(*fake) *siprec.Event {
	return event(siprec.Event{Kind: siprec.Ended, At: sec(at), Method: "BYE", CSeq: 9, Reason: siprec.EndBye}, docs)
}

func event(ev siprec.Event, docs []string) func(*fake) *siprec.Event {
	for _, d := range docs {
		ev.Metadata = append(ev.Metadata, []byte(d))
	}
	return func(*fake) *siprec.Event { return &ev }
}

// party is a participant of a document: its id, address, and the streams it
// sends. A stream s1 has the label 1.
type party struct {
	id, aor string
	sends   []string
}

func sends(id, aor string, streams ...string) party { return party{id, aor, streams} }

// document writes metadata in the form of RFC 7865 §9.
func document(mode string, streams []string, parties ...party) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0"?><recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>` + mode + `</datamode><session session_id="cs1"/>`)
	for _, p := range parties {
		fmt.Fprintf(&b, `<participant participant_id="%s"><nameID aor="%s"/></participant>`, p.id, p.aor)
	}
	for _, s := range streams {
		fmt.Fprintf(&b, `<stream stream_id="%s" session_id="cs1"><label>%s</label></stream>`, s, s[1:])
	}
	for _, p := range parties {
		fmt.Fprintf(&b, `<participantsessionassoc participant_id="%s" session_id="cs1"/>`, p.id)
	}
	for _, p := range parties {
		fmt.Fprintf(&b, `<participantstreamassoc participant_id="%s">`, p.id)
		for _, s := range p.sends {
			fmt.Fprintf(&b, `<send>%s</send>`, s)
		}
		b.WriteString(`</participantstreamassoc>`)
	}
	b.WriteString(`</recording>`)
	return b.String()
}

var (
	twoStreams = []string{"s1", "s2"}
	twoParties = document("complete", twoStreams, sends("p1", "sip:alice@example.com", "s1"), sends("p2", "sip:bob@example.com", "s2"))
)

func newRecorder(t testing.TB, dir string) *Recorder {
	t.Helper()
	r, err := New(Config{Dir: dir, Policy: rules.RecordAll(), Now: func() time.Time { return sec(100) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return r
}

func newFake(t testing.TB, script ...func(*fake) *siprec.Event) *fake {
	return &fake{t: t, callID: "c1@example.com", script: script, sinks: make(map[int]media.Sink), seq: make(map[int]uint16)}
}

// run records a script to its end and returns the manifest and the folder.
func run(t *testing.T, script ...func(*fake) *siprec.Event) (store.Manifest, string, *fake) {
	t.Helper()
	dir := t.TempDir()
	r := newRecorder(t, dir)
	f := newFake(t, script...)
	r.serve(t.Context(), f)
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := store.List(dir)
	if err != nil || len(list) != 1 {
		t.Fatalf("recordings: %v, %v", list, err)
	}
	m, err := store.Load(dir, list[0].ID)
	if err != nil {
		t.Fatalf("%v; journal %v", err, readJournal(t, list[0].Folder))
	}
	return m, list[0].Folder, f
}

func readJournal(t *testing.T, folder string) []journalLine {
	t.Helper()
	f, err := os.Open(filepath.Join(folder, journalName))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []journalLine
	for s := bufio.NewScanner(f); s.Scan(); {
		var l journalLine
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			t.Fatalf("journal line %q: %v", s.Text(), err)
		}
		out = append(out, l)
	}
	return out
}

// journalEvents is the journal in short.
func journalEvents(t *testing.T, folder string) string {
	t.Helper()
	var out []string
	for _, l := range readJournal(t, folder) {
		s := l.Event
		if l.Stream != "" {
			s += "(" + l.Stream + ")"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

// filesOf is the files of a manifest in short: name, attribution, participants,
// streams.
func filesOf(m store.Manifest) []string {
	var out []string
	for _, f := range m.Files {
		out = append(out, fmt.Sprintf("%s %s %v %v", f.Name, f.Attribution, f.Participants, f.Streams))
	}
	return out
}

// unattended is an interaction whose events a test hands on itself: it has no goroutine.
func unattended(r *Recorder, ev *siprec.Event, rs recordingSession) (*interaction, error) {
	p := pinned{Policy: r.cfg.Policy}
	if r.cfg.Rulebook != nil {
		first := newLeg(rs)
		first.people.read(ev)
		p = r.cfg.Rulebook.pin(ev.At, first.traits(ev))
	}
	in, err := r.found(ev.At, p)
	if err != nil {
		return nil, err
	}
	return in, in.open(newLeg(rs), ev.At)
}
