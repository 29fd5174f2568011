package siprec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/siprec/media"
)

func TestMain(m *testing.M) {
	// Server transactions of the SIP stack live for 64*T1 on timers; they are
	// ended by Serve, so nothing may be left.
	goleak.VerifyTestMain(m)
}

// A desk is a server whose handler hands each event to the test.
type desk struct {
	t      *testing.T
	server *Server
	clock  *fakeClock
	events chan *Event
	act    func(*RecordingSession, *Event)
	client *src.SRC
	served chan struct{} // closed when Serve has returned
}

func newDesk(t *testing.T, act func(*RecordingSession, *Event), change ...func(*Config)) *desk {
	t.Helper()
	d := &desk{t: t, clock: newFakeClock(), events: make(chan *Event, 64), act: act, served: make(chan struct{})}
	cfg := Config{
		Listen: []Endpoint{{Network: "udp", Address: "127.0.0.1:0"}}, Handler: HandlerFunc(d.serve), Clock: d.clock, Log: zaptest.NewLogger(t),
		// Reports of RTCP are no timers of the dialogs, which tests wait for.
		Media: media.Config{After: func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }},
	}
	for _, f := range change {
		f(&cfg)
	}
	var err error
	d.server, err = Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(d.served)
		if err := d.server.Serve(ctx); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	d.client, err = src.New(t.Context(), src.Config{Target: d.server.Endpoints()[0].Address})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		stopped := make(chan struct{})
		go func() { wg.Wait(); close(stopped) }()
		for open := true; open; {
			select {
			case <-stopped:
				open = false
			default: // a BYE that nobody answers waits for the clock
				d.clock.advance(time.Second)
				runtime.Gosched()
			}
		}
		if taken := d.server.ports.taken; len(taken) > 0 {
			t.Errorf("streams that are over still count: %v", taken)
		}
		d.client.Close()
	})
	return d
}

func (d *desk) serve(ctx context.Context, rs *RecordingSession) {
	for {
		ev, err := rs.Next(ctx)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				d.t.Errorf("Next: %v", err)
			}
			return
		}
		d.events <- ev
		if d.act != nil {
			d.act(rs, ev)
		}
	}
}

func (d *desk) want(kind EventKind) *Event {
	d.t.Helper()
	select {
	case ev := <-d.events:
		if ev.Kind != kind {
			d.t.Fatalf("event %d (%s), want %d", ev.Kind, ev.Method, kind)
		}
		return ev
	case <-d.t.Context().Done():
		d.t.Fatal("no event")
		return nil
	}
}

func (d *desk) invite(r src.Request) *src.Dialog {
	d.t.Helper()
	if r.Streams == nil {
		r.Streams = src.TwoParties(src.PCMU())
	}
	dialog, err := d.client.Invite(d.t.Context(), r)
	if err != nil {
		d.t.Fatal(err)
	}
	return dialog
}

// settled waits until the dialog stands: the INVITE is answered, its ACK noted,
// and the watch over the SRC is the only timer.
func (d *desk) settled(dialog *src.Dialog) {
	d.t.Helper()
	if m, err := dialog.Options(d.t.Context(), src.Request{}); err != nil || m.Status != 200 {
		d.t.Fatalf("OPTIONS: %v, %v", m, err)
	}
	d.clock.await(90 * time.Second)
}

func await(t *testing.T, d *src.Dialog, method string) *src.Message {
	t.Helper()
	m, err := d.NextRequest(t.Context(), method)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestVanishedSRCIsAskedFirst(t *testing.T) {
	d := newDesk(t, nil)
	dialog := d.invite(src.Request{})
	d.want(Offered)
	dialog.Handle(func(*src.Message) *src.Reply { return nil })
	d.settled(dialog)
	d.clock.advance(89 * time.Second)
	d.clock.await(time.Second)
	d.clock.advance(time.Second)
	options := await(t, dialog, "OPTIONS")
	if !src.Addr.Feature(mustAddr(t, options.Get("Contact")), "+sip.srs") {
		t.Errorf("Contact of our OPTIONS is %q", options.Get("Contact"))
	}
	d.clock.await(32 * time.Second) // the time the SRC has to answer
	d.clock.advance(32 * time.Second)
	if ev := d.want(Ended); ev.Reason != EndVanished {
		t.Errorf("ended by %s", ev.Reason)
	}
	await(t, dialog, "BYE")
}

func mustAddr(t *testing.T, v string) src.Addr {
	t.Helper()
	a, err := src.ParseAddr(v)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAnswerToOptionsKeepsTheRecordingSession(t *testing.T) {
	for _, status := range []int{200, 405, 501} {
		d := newDesk(t, nil)
		dialog := d.invite(src.Request{})
		d.want(Offered)
		d.settled(dialog)
		dialog.Handle(func(req *src.Message) *src.Reply { return &src.Reply{Status: status} })
		for range 3 {
			d.clock.await(90 * time.Second)
			d.clock.advance(90 * time.Second)
			await(t, dialog, "OPTIONS")
		}
		dialog.Handle(nil)
		if m, err := dialog.Bye(t.Context(), src.Request{}); err != nil || m.Status != 200 {
			t.Errorf("after OPTIONS answered %d: BYE %v, %v", status, m, err)
		}
		d.want(Ended)
	}
}

func TestUnknownDialogEndsIt(t *testing.T) {
	d := newDesk(t, nil)
	dialog := d.invite(src.Request{})
	d.want(Offered)
	d.settled(dialog)
	dialog.Handle(func(*src.Message) *src.Reply { return &src.Reply{Status: 481} })
	d.clock.advance(90 * time.Second)
	if ev := d.want(Ended); ev.Reason != EndGone {
		t.Errorf("ended by %s", ev.Reason)
	}
}

// Shows DRV3261-13.3.1.4-01.
func TestMissingAckEndsWithBye(t *testing.T) {
	d := newDesk(t, nil, neverAsk)
	dialog := d.invite(src.Request{WithholdACK: true})
	d.want(Offered)
	const t1, t2 = 500 * time.Millisecond, 4 * time.Second
	for _, wait := range []time.Duration{t1, 2 * t1, 4 * t1, t2, t2, t2, t2, t2, t2, t2, t1} { // 64*T1 in all
		d.clock.await(wait)
		d.clock.advance(wait)
	}
	if ev := d.want(Ended); ev.Reason != EndNoAck {
		t.Errorf("ended by %s", ev.Reason)
	}
	await(t, dialog, "BYE")
	if n := len(dialog.Repeated()); n != 10 {
		t.Errorf("200 was repeated %d times, want 10", n)
	}
}

// TestTagOfTheSRC: Call-ID and our tag do not make a request one of the dialog, nor
// an ACK (RFC 3261 §12).
// Shows 3261-12.2.2-01.
func TestTagOfTheSRC(t *testing.T) {
	d := newDesk(t, nil, neverAsk)
	c := newBareSRC(t, "udp", d.server.Endpoints()[0].Address, 0)
	if err := c.conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	send := func(text []byte) {
		t.Helper()
		if _, err := c.conn.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	send(c.text("INVITE", "tags", "", 1, bareSDP))
	ok, err := c.final("INVITE")
	if err != nil {
		t.Fatal(err)
	}
	d.want(Offered)
	forged := func(method string, cseq int) []byte {
		return bytes.Replace(c.text(method, "tags", tagOf(ok), cseq, ""), []byte(";tag=tags\r\n"), []byte(";tag=other\r\n"), 1)
	}
	for _, method := range []string{"BYE", "UPDATE", "INVITE", "OPTIONS"} {
		send(forged(method, 2))
		if got, err := c.next(); err != nil || !strings.HasPrefix(got, "SIP/2.0 481") {
			t.Errorf("%s of another: %v, %.40q", method, err, got)
		}
	}
	send(forged("ACK", 1))
	send(c.text("OPTIONS", "elsewhere", "", 1, "")) // answered after the ACK was taken
	if _, err := c.final("OPTIONS"); err != nil {
		t.Fatal(err)
	}
	d.clock.advance(500 * time.Millisecond)
	if _, err := c.final("INVITE"); err != nil {
		t.Errorf("the 200 is not repeated after the ACK of another: %v", err)
	}
	send(c.text("ACK", "tags", tagOf(ok), 1, ""))
	send(c.text("BYE", "tags", tagOf(ok), 2, ""))
	if _, err := c.final("BYE"); err != nil {
		t.Fatal(err)
	}
	d.want(Ended)
}

// TestEqualCSeq: another request under the number of the one before is refused as one
// with a lower number is (RFC 3261 §12.2.2).
// Shows DRV3261-12.2.2-01.
func TestEqualCSeq(t *testing.T) {
	d := newDesk(t, nil, neverAsk)
	c := newBareSRC(t, "udp", d.server.Endpoints()[0].Address, 0)
	tag, err := c.open("equal")
	if err != nil {
		t.Fatal(err)
	}
	d.want(Offered)
	if _, err := c.conn.Write(c.text("INFO", "equal", tag, 1, "")); err != nil {
		t.Fatal(err)
	}
	if got, err := c.next(); err != nil || !strings.HasPrefix(got, "SIP/2.0 500") {
		t.Errorf("INFO: %v, %.40q", err, got)
	}
	if _, err := c.conn.Write(c.text("BYE", "equal", tag, 2, "")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.final("BYE"); err != nil {
		t.Error(err)
	}
	d.want(Ended)
}

// TestRepeatedRequests get the answer they got before, and nothing else (RFC 3261
// §17.2): also a BYE whose recording session is over.
func TestRepeatedRequests(t *testing.T) {
	d := newDesk(t, nil, neverAsk)
	c := newBareSRC(t, "udp", d.server.Endpoints()[0].Address, 0)
	twice := func(text []byte, method string) string {
		t.Helper()
		first := ""
		for i := range 2 {
			// What else the repetition is answered comes before the answer to the second.
			for _, m := range [][]byte{text, c.text("OPTIONS", fmt.Sprintf("behind%s%d", method, i), "", 1, "")} {
				if _, err := c.conn.Write(m); err != nil {
					t.Fatal(err)
				}
			}
			for behind := false; first == "" || !behind; {
				got, err := c.next()
				switch {
				case err != nil:
					t.Fatal(err)
				case strings.HasSuffix(field(got, "CSeq"), "OPTIONS"):
					behind = true
				case first == "":
					first = got
				case got != first:
					t.Errorf("%s is answered %.40q, repeated %.40q", method, first, got)
				}
			}
		}
		return first
	}
	ok := twice(c.text("INVITE", "twice", "", 1, bareSDP), "INVITE")
	d.want(Offered)
	if _, err := c.conn.Write(c.text("ACK", "twice", tagOf(ok), 1, "")); err != nil {
		t.Fatal(err)
	}
	if bye := twice(c.text("BYE", "twice", tagOf(ok), 2, ""), "BYE"); !strings.HasPrefix(bye, "SIP/2.0 200") {
		t.Errorf("BYE is answered %.40q", bye)
	}
	d.want(Ended)
}

func TestHandlerMayRefuse(t *testing.T) {
	d := newDesk(t, func(_ *RecordingSession, ev *Event) { ev.Reject(503, "no disk") })
	dialog := d.invite(src.Request{})
	if f := dialog.Final(); f.Status != 503 || f.Get("Warning") != `399 siprecd "no disk"` {
		t.Errorf("answered %d %q", f.Status, f.Get("Warning"))
	}
	d.want(Offered)
	if ev := d.want(Ended); ev.Reason != EndRejected {
		t.Errorf("ended by %s", ev.Reason)
	}
}

// Shows 3261-14.2-03.
func TestRefusedChangeLeavesTheAgreement(t *testing.T) {
	d := newDesk(t, func(_ *RecordingSession, ev *Event) {
		if ev.Kind == Changed {
			ev.Reject(488, "not now")
		}
	})
	dialog := d.invite(src.Request{})
	before := d.want(Offered).Streams
	if m, err := dialog.Reinvite(t.Context(), src.Request{Streams: dialog.WithDirection(src.Inactive)}); err != nil || m.Status != 488 {
		t.Fatalf("re-INVITE: %v, %v", m, err)
	}
	if ev := d.want(Changed); ev.Streams[0].Receiving {
		t.Error("the offer was to be inactive")
	}
	if _, err := dialog.Bye(t.Context(), src.Request{}); err != nil {
		t.Fatal(err)
	}
	after := d.want(Ended).Streams
	if !after[0].Receiving || after[0].Local != before[0].Local {
		t.Errorf("stream is %+v, was %+v", after[0], before[0])
	}
}

// An offer without any m-line, or one that is no description, ends no stream.
func TestOfferWithoutStreamsIsRefused(t *testing.T) {
	d := newDesk(t, nil)
	dialog := d.invite(src.Request{})
	before := d.want(Offered).Streams
	for _, offer := range []string{"v=0\r\nthis is no description\r\n", "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"} {
		for _, method := range []string{"INVITE", "UPDATE"} {
			m, err := dialog.Do(t.Context(), method, src.Request{Body: []byte(offer), ContentType: "application/sdp"})
			if err != nil || m.Status != 488 {
				t.Errorf("%s: %v, %v", method, m, err)
			}
		}
	}
	if _, err := dialog.Bye(t.Context(), src.Request{}); err != nil {
		t.Fatal(err)
	}
	after := d.want(Ended).Streams
	if len(after) != len(before) || !after[0].Receiving || after[0].Local != before[0].Local {
		t.Errorf("streams are %+v, were %+v", after, before)
	}
}

func TestPanickingHandlerCostsOneRecordingSession(t *testing.T) {
	d := newDesk(t, func(rs *RecordingSession, ev *Event) {
		if ev.Kind == Changed {
			panic("handler")
		}
	})
	broken, other := d.invite(src.Request{}), d.invite(src.Request{})
	d.want(Offered)
	d.want(Offered)
	if m, err := broken.Info(t.Context(), src.Request{Body: []byte("x"), ContentType: "text/plain"}); err != nil || m.Status != 500 {
		t.Errorf("INFO: %v, %v", m, err)
	}
	await(t, broken, "BYE")
	if m, err := other.Options(t.Context(), src.Request{}); err != nil || m.Status != 200 {
		t.Errorf("the other recording session: %v, %v", m, err)
	}
}

// Shows DRV3264-5-01.
func TestOfferlessInvite(t *testing.T) {
	d := newDesk(t, nil)
	dialog, err := d.client.Invite(t.Context(), src.Request{ContentType: "application/rs-metadata+xml", Body: []byte("<recording/>")})
	if err != nil {
		t.Fatal(err)
	}
	offer, err := dialog.Answer()
	if err != nil || offer == nil || len(offer.Media) != 1 || offer.DirectionOf(0) != src.RecvOnly {
		t.Fatalf("offer in the 200 is %+v, %v", offer, err)
	}
	ev := d.want(Offered)
	if len(ev.Streams) != 1 || !ev.Streams[0].Receiving || ev.HasOffer {
		t.Errorf("streams = %+v", ev.Streams)
	}
}

func TestEndFromAnotherGoroutine(t *testing.T) {
	ended := make(chan *RecordingSession, 1)
	d := newDesk(t, func(rs *RecordingSession, ev *Event) {
		if ev.Kind == Offered {
			ended <- rs
		}
	})
	dialog := d.invite(src.Request{})
	d.want(Offered)
	(<-ended).End()
	if ev := d.want(Ended); ev.Reason != EndLocal {
		t.Errorf("ended by %s", ev.Reason)
	}
	await(t, dialog, "BYE")
}

// Shows 7866-6.1.1-01.
func TestPlainInviteNeedsAConfiguredSource(t *testing.T) {
	d := newDesk(t, nil)
	plain := src.Request{Require: []string{}, NoFeatureTag: true}
	if f := d.invite(plain).Final(); f.Status != 403 || f.Get("Warning") == "" {
		t.Errorf("answered %d %q", f.Status, f.Get("Warning"))
	}
	d = newDesk(t, nil, func(c *Config) {
		c.Admit = func(Origin) (SRC, error) { return SRC{PlainInvite: true}, nil }
	})
	if f := d.invite(plain).Final(); f.Status != 200 {
		t.Errorf("from a configured source answered %d %q", f.Status, f.Get("Warning"))
	}
	d.want(Offered)
}

// Shows 7866-12.1-03.
func TestNotAdmitted(t *testing.T) {
	d := newDesk(t, nil, func(c *Config) {
		c.Admit = func(Origin) (SRC, error) { return SRC{}, errors.New("not on the list") }
	})
	if f := d.invite(src.Request{}).Final(); f.Status != 403 || f.Get("Warning") != `399 siprecd "not on the list"` {
		t.Errorf("answered %d %q", f.Status, f.Get("Warning"))
	}
}

// Shows 7866-7.2-02.
func TestFullServer(t *testing.T) {
	d := newDesk(t, nil, func(c *Config) { c.MaxRecordingSessions = 1 })
	d.invite(src.Request{})
	d.want(Offered)
	f := d.invite(src.Request{}).Final()
	if f.Status != 503 || !f.Has("Retry-After") {
		t.Errorf("answered %d, Retry-After %q", f.Status, f.Get("Retry-After"))
	}
	if m, err := d.client.Options(t.Context(), src.Request{}); err != nil || m.Status != 503 || !m.Has("Retry-After") || !strings.Contains(m.Get("Warning"), "full") {
		t.Errorf("OPTIONS: %v, %v", m, err)
	}
}

// TestStoppingServer sends the SRC elsewhere, and serves what is up to its end.
func TestStoppingServer(t *testing.T) {
	d := newDesk(t, nil)
	dialog := d.invite(src.Request{})
	d.want(Offered)
	stopped := make(chan error, 1)
	go func() { stopped <- d.server.Shutdown(context.Background()) }()
	for begun := false; !begun; runtime.Gosched() {
		d.server.mu.Lock()
		begun = d.server.draining
		d.server.mu.Unlock()
	}
	f := d.invite(src.Request{}).Final()
	if f.Status != 503 || !f.Has("Retry-After") || !strings.Contains(f.Get("Warning"), "stopping") {
		t.Errorf("answered %d, Retry-After %q, Warning %q", f.Status, f.Get("Retry-After"), f.Get("Warning"))
	}
	if m, err := d.client.Options(t.Context(), src.Request{}); err != nil || m.Status != 503 || !m.Has("Retry-After") || !strings.Contains(m.Get("Warning"), "stopping") {
		t.Errorf("OPTIONS: %v, %v", m, err)
	}
	if m, err := dialog.Options(t.Context(), src.Request{}); err != nil || m.Status != 200 {
		t.Errorf("OPTIONS in the dialog: %v, %v", m, err)
	}
	if m, err := dialog.Bye(t.Context(), src.Request{}); err != nil || m.Status != 200 {
		t.Errorf("BYE: %v, %v", m, err)
	}
	d.want(Ended)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// TestLargeMetadata sends a body of 64 kB, as much as a datagram takes.
func TestLargeMetadata(t *testing.T) {
	d := newDesk(t, nil)
	dialog := d.invite(src.Request{Metadata: []byte("<recording></recording>"), Quirks: src.Quirks{PadTo: 62000}})
	if f := dialog.Final(); f.Status != 200 {
		t.Fatalf("answered %d", f.Status)
	}
	if got := len(d.want(Offered).Metadata[0]); got < 62000 {
		t.Errorf("metadata of %d octets arrived", got)
	}
}

// TestCancelBeforeTheAnswer holds the INVITE back in the handler until the
// CANCEL is answered.
// Shows DRV3261-9-01.
func TestCancelBeforeTheAnswer(t *testing.T) {
	release := make(chan struct{})
	d := newDesk(t, func(_ *RecordingSession, ev *Event) {
		if ev.Kind == Offered {
			<-release
		}
	})
	dialog, err := d.client.Start(t.Context(), src.Request{Streams: src.TwoParties(src.PCMU())})
	if err != nil {
		t.Fatal(err)
	}
	d.want(Offered)
	if m, err := dialog.Cancel(t.Context()); err != nil || m.Status != 200 {
		t.Fatalf("CANCEL: %v, %v", m, err)
	}
	close(release)
	if m, err := dialog.Wait(t.Context()); err != nil || m.Status != 487 {
		t.Errorf("INVITE: %v, %v", m, err)
	}
	if ev := d.want(Ended); ev.Reason != EndCancel {
		t.Errorf("ended by %s", ev.Reason)
	}
}

// TestAllPortsAreGivenBack opens and ends recording sessions and wants their
// ports to be free.
// Shows 7866-8.3.1-02.
func TestAllPortsAreGivenBack(t *testing.T) {
	d := newDesk(t, nil)
	dialog := d.invite(src.Request{})
	ev := d.want(Offered)
	if _, err := dialog.Bye(t.Context(), src.Request{}); err != nil {
		t.Fatal(err)
	}
	d.want(Ended)
	if err := d.server.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, s := range ev.Streams {
		c, err := net.ListenPacket("udp", s.Local.String())
		if err != nil {
			t.Errorf("port of stream %d is still taken: %v", s.Index, err)
			continue
		}
		c.Close()
	}
}
