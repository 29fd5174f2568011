package siprec

import (
	"errors"
	"net"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/siprec/media"
)

// A keeper has each state of the last recording session that a desk serves.
type keeper struct{ last atomic.Pointer[[]byte] }

func (k *keeper) act(rs *RecordingSession, ev *Event) {
	if ev.Kind == Offered || ev.Kind == Resumed {
		rs.Keep(func(b []byte) { k.last.Store(&b) })
	}
}

// state is what was kept last. It is there when a request was answered.
func (k *keeper) state(t *testing.T) []byte {
	t.Helper()
	b := k.last.Load()
	if b == nil {
		t.Fatal("no state was kept")
	}
	return *b
}

// kill closes the sockets of a desk's server without a word, as the end of its process
// would, and waits until they are free.
func (d *desk) kill() {
	d.t.Helper()
	if err := d.server.front.Close(); err != nil {
		d.t.Fatal(err)
	}
	<-d.served
	d.server.mu.Lock()
	var up []*RecordingSession
	for _, rs := range d.server.dialogs {
		up = append(up, rs)
	}
	d.server.mu.Unlock()
	for _, rs := range up {
		rs.inbox.post(endNote{EndShutdown})
	}
	d.server.handlers.Wait()
	d.server.outgoing.Wait()
}

// successor kills the server of a desk and has another on the same addresses.
func (d *desk) successor(act func(*RecordingSession, *Event), change ...func(*Config)) *desk {
	d.t.Helper()
	endpoints := d.server.Endpoints()
	d.kill()
	return newDesk(d.t, act, append(change, func(c *Config) { c.Listen = endpoints })...)
}

func (d *desk) resume(state []byte) {
	d.t.Helper()
	if err := d.server.Resume(state, HandlerFunc(d.serve)); err != nil {
		d.t.Fatal(err)
	}
}

// TestResume goes through the life of a recording session whose server is killed: the
// same ports take its packets, and its requests are served as before.
func TestResume(t *testing.T) {
	var k keeper
	d := newDesk(t, k.act)
	dialog := d.invite(src.Request{From: `sip:src@example.com`, Headers: header("Allow", "INVITE, UPDATE, BYE")})
	before := d.want(Offered)
	answer, err := dialog.Answer()
	if err != nil {
		t.Fatal(err)
	}
	state := k.state(t)

	got := make(mailbox, 16)
	var k2 keeper
	d2 := d.successor(func(rs *RecordingSession, ev *Event) {
		k2.act(rs, ev)
		if ev.Kind == Resumed {
			rs.Attach(1, got)
			rs.Pause() // nothing is paused: no re-INVITE
			if rs.From() != "sip:src@example.com" || rs.CallID() != dialog.CallID() {
				t.Errorf("From %q, Call-ID %q", rs.From(), rs.CallID())
			}
		}
	})
	d2.resume(state)
	again := d2.want(Resumed)
	if !reflect.DeepEqual(again.Streams, before.Streams) {
		t.Errorf("streams are\n%+v, were\n%+v", again.Streams, before.Streams)
	}
	if err := dialog.Stream(1).Play(t.Context(), src.Silence(), src.PlayOptions{Count: 1}); err != nil {
		t.Fatal(err)
	}
	<-got

	if m, err := dialog.Reinvite(t.Context(), src.Request{Streams: dialog.WithDirection("inactive")}); err != nil || m.Status != 200 {
		t.Fatalf("re-INVITE: %v, %v", m, err)
	}
	if ev := d2.want(Changed); ev.Streams[0].Receiving || ev.Streams[0].Local != before.Streams[0].Local {
		t.Errorf("on hold: %+v", ev.Streams[0])
	}
	now, err := dialog.Answer()
	if err != nil {
		t.Fatal(err)
	}
	if o, n := strings.Fields(answer.Origin), strings.Fields(now.Origin); n[1] != o[1] || n[2] == o[2] {
		t.Errorf("o= was %q, is %q: the id stays and the version rises (RFC 3264 §8)", answer.Origin, now.Origin)
	}
	if m, err := dialog.Update(t.Context(), src.Request{Metadata: []byte("<recording/>")}); err != nil || m.Status != 200 {
		t.Fatalf("UPDATE: %v, %v", m, err)
	}
	if ev := d2.want(Changed); len(ev.Metadata) != 1 {
		t.Errorf("metadata %q", ev.Metadata)
	}

	// A second time, from the state that the second server has kept.
	d3 := d2.successor(nil)
	d3.resume(k2.state(t))
	if ev := d3.want(Resumed); ev.Streams[0].Direction != Inactive || ev.Streams[0].Receiving {
		t.Errorf("hold is forgotten: %+v", ev.Streams[0])
	}
	if m, err := dialog.Bye(t.Context(), src.Request{}); err != nil || m.Status != 200 {
		t.Errorf("BYE: %v, %v", m, err)
	}
	if ev := d3.want(Ended); ev.Reason != EndBye {
		t.Errorf("ended by %s", ev.Reason)
	}
}

type mailbox chan struct{}

func (m mailbox) WriteRTP(*media.Packet) { m <- struct{}{} }

// TestResumeRefuses what cannot go on, and gives back all ports.
func TestResumeRefuses(t *testing.T) {
	var k keeper
	d := newDesk(t, k.act, func(c *Config) { c.Admit = func(Origin) (SRC, error) { return SRC{Name: "one"}, nil } })
	d.invite(src.Request{})
	ports := d.want(Offered).Streams
	state := k.state(t)

	other, gone := errors.New("nobody"), new(atomic.Pointer[string])
	name := "two"
	gone.Store(&name)
	d2 := d.successor(nil, func(c *Config) {
		c.Admit = func(Origin) (SRC, error) {
			if name := *gone.Load(); name != "" {
				return SRC{Name: name, MaxStreams: 1, MaxRecordingSessions: 1}, nil
			}
			return SRC{}, other
		}
	})
	try := func(state []byte) error { return d2.server.Resume(state, HandlerFunc(d2.serve)) }
	if err := try(state); !errors.Is(err, ErrOtherSRC) {
		t.Errorf("by another name: %v", err)
	}
	name = ""
	if err := try(state); !errors.Is(err, ErrOtherSRC) || !errors.Is(err, other) {
		t.Errorf("not admitted: %v", err)
	}
	name = "one"
	taken, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(ports[1].Local))
	if err != nil {
		t.Fatal(err)
	}
	if err := try(state); err == nil {
		t.Error("went on without its port")
	}
	taken.Close()
	for what, b := range map[string][]byte{
		"nothing": nil, "no JSON": []byte("{"), "another version": []byte(strings.Replace(string(state), `"Version":1`, `"Version":2`, 1)),
		"no dialog": []byte(`{"Version":1}`),
	} {
		if err := try(b); err == nil {
			t.Errorf("%s was taken", what)
		}
	}
	if d2.server.Up() != 0 {
		t.Errorf("%d are up", d2.server.Up())
	}
	// Limits are for what begins: this one was admitted before them.
	d2.resume(state)
	d2.want(Resumed)
	if err := try(state); !errors.Is(err, ErrKnown) && !errors.Is(err, media.ErrNoPorts) && !isTaken(err) {
		t.Errorf("twice: %v", err)
	}
}

// isTaken reports whether a port is in use.
func isTaken(err error) bool {
	return err != nil && strings.Contains(err.Error(), "address already in use")
}

// TestResumeServesTheLostAnswer has the SRC repeat what it got no answer to.
func TestResumeServesTheLostAnswer(t *testing.T) {
	var k keeper
	d := newDesk(t, k.act)
	dialog := d.invite(src.Request{})
	d.want(Offered)
	update := src.Request{Metadata: []byte("<recording/>"), Branch: "z9hG4bK-once"}
	if m, err := dialog.Update(t.Context(), update); err != nil || m.Status != 200 {
		t.Fatalf("UPDATE: %v, %v", m, err)
	}
	d.want(Changed)
	update.CSeq = dialog.LastCSeq()
	d2 := d.successor(nil)
	d2.resume(k.state(t))
	d2.want(Resumed)
	if m, err := dialog.Update(t.Context(), update); err != nil || m.Status != 200 {
		t.Fatalf("repeated: %v, %v", m, err)
	}
	d2.want(Changed)
	old := src.Request{CSeq: update.CSeq}
	if m, err := dialog.Update(t.Context(), old); err != nil || m.Status != 500 {
		t.Fatalf("another one of the same number: %v, %v", m, err)
	}
}

// TestResumeRepeatsTheAnswer has the 200 to the INVITE be lost: it is repeated until
// the ACK, and a repeated INVITE opens nothing. Its ACK may have come before, so that
// none comes now ends nothing.
func TestResumeRepeatsTheAnswer(t *testing.T) {
	var k keeper
	d := newDesk(t, k.act)
	dialog := d.invite(src.Request{WithholdACK: true})
	d.want(Offered)
	state := k.state(t)
	d2 := d.successor(nil, neverAsk)
	d2.resume(state)
	d2.want(Resumed)
	seen := len(dialog.Repeated())
	d2.clock.advance(0)
	if _, err := dialog.AwaitRepeats(t.Context(), seen+1); err != nil {
		t.Fatal(err)
	}
	if err := dialog.Resend(); err != nil {
		t.Fatal(err)
	}
	if m, err := dialog.Options(t.Context(), src.Request{}); err != nil || m.Status != 200 {
		t.Fatalf("OPTIONS: %v, %v", m, err)
	}
	if d2.server.Up() != 1 {
		t.Errorf("%d recording sessions are up", d2.server.Up())
	}

	d3 := d2.successor(nil, neverAsk)
	d3.resume(state)
	d3.want(Resumed)
	d3.clock.advance(40 * time.Second)
	if m, err := dialog.Options(t.Context(), src.Request{}); err != nil || m.Status != 200 {
		t.Fatalf("OPTIONS without any ACK: %v, %v", m, err)
	}
}

// TestResumedAndVanished: after the time to vanish an SRC that gave no sign is asked;
// that it is on hold excuses nothing, since it may have gone meanwhile. One that
// answered once is excused.
func TestResumedAndVanished(t *testing.T) {
	for name, answers := range map[string]bool{"gone": false, "silent": true} {
		t.Run(name, func(t *testing.T) {
			var k keeper
			d := newDesk(t, k.act)
			dialog := d.invite(src.Request{Streams: []src.StreamOffer{{Direction: "inactive"}}})
			d.want(Offered)
			mute := new(atomic.Bool)
			mute.Store(!answers)
			dialog.Handle(func(m *src.Message) *src.Reply {
				if mute.Load() {
					return nil
				}
				return src.AutoReply(m)
			})
			d.settled(dialog)
			d2 := d.successor(nil)
			d2.resume(k.state(t))
			d2.want(Resumed)
			d2.clock.await(90 * time.Second)
			d2.clock.advance(90 * time.Second)
			await(t, dialog, "OPTIONS")
			if answers {
				d2.clock.await(90 * time.Second)
				mute.Store(true)
				d2.clock.advance(90 * time.Second)
				await(t, dialog, "OPTIONS")
				d2.clock.advance(32 * time.Second)
				d2.clock.await(90 * time.Second) // kept
				return
			}
			d2.clock.advance(32 * time.Second)
			if ev := d2.want(Ended); ev.Reason != EndVanished {
				t.Errorf("ended by %s", ev.Reason)
			}
		})
	}
}

// TestResumedRefreshes: the session timer goes on; a refresh that is late is sent at
// once.
func TestResumedRefreshes(t *testing.T) {
	var k keeper
	d := newDesk(t, k.act, neverAsk)
	dialog := d.invite(src.Request{Headers: timed("600;refresher=uas", src.Header{Name: "Allow", Value: "UPDATE"})})
	d.want(Offered)
	d2 := d.successor(nil, neverAsk, func(c *Config) {
		later := newFakeClock()
		later.now = later.now.Add(400 * time.Second)
		c.Clock = later
	})
	d2.clock = d2.server.cfg.Clock.(*fakeClock)
	d2.resume(k.state(t))
	d2.want(Resumed)
	d2.clock.advance(0)
	u := await(t, dialog, "UPDATE")
	if n, _ := u.CSeq(); u.Get("Session-Expires") != "600;refresher=uac" || n <= 1000 {
		t.Errorf("UPDATE %s with Session-Expires %q", u.Get("CSeq"), u.Get("Session-Expires"))
	}
}

// TestResumeOverTCP: the SRC goes on over a new connection, and so does the server.
func TestResumeOverTCP(t *testing.T) {
	var k keeper
	d, p, l := wired(t, k.act)
	state := k.state(t)
	ready := make(chan *RecordingSession, 1)
	d2 := d.successor(func(rs *RecordingSession, ev *Event) {
		if ev.Kind == Resumed {
			ready <- rs
		}
	}, neverAsk)
	d2.resume(state)
	d2.want(Resumed)
	p.connect()
	p.send("UPDATE", string(offerText("inactive")))
	p.want("SIP/2.0 200")
	d2.want(Changed)
	(<-ready).End()
	d2.want(Ended)
	p.want("BYE ")

	// And when it opened none:
	d3 := d2.successor(func(rs *RecordingSession, ev *Event) { rs.End() }, neverAsk)
	d3.resume(state)
	d3.want(Resumed)
	d3.want(Ended)
	for first := byte(0); first == 0; { // what the killed servers may have begun has an end
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		p.use(conn)
		if b, err := p.in.R.Peek(1); err == nil {
			first = b[0]
		}
	}
	if h := p.want("BYE "); !strings.Contains(h.Get("Via"), p.target) || h.Get("Route") != p.route() {
		t.Errorf("Via %q, Route %q", h.Get("Via"), h.Get("Route"))
	}
}

// TestResumeInitiated: the URI that was called tells whom it is with, and an SRC that
// was called need not be admitted.
func TestResumeInitiated(t *testing.T) {
	var k keeper
	d := newDesk(t, k.act, neverAsk)
	c := callee(t, d, offering)
	if err := d.server.Initiate(t.Context(), c.uri, SRC{Name: "asked"}); err != nil {
		t.Fatal(err)
	}
	d.want(Offered)
	if m := c.next(t, "ACK"); m == nil {
		t.Fatal("no ACK")
	}
	// The Offered event is accepted when the next is asked for, and the ACK is out.
	state := k.state(t)
	d2 := d.successor(nil, neverAsk, func(c *Config) {
		c.Admit = func(o Origin) (SRC, error) { return SRC{}, errors.New("nobody") }
	})
	d2.resume(state)
	d2.want(Resumed)
	if got := d2.server.Initiated(); len(got) != 1 || got[0] != c.uri {
		t.Errorf("initiated %q, want %s", got, c.uri)
	}
}

// TestResumeWithKeys has SRTP go on under the same keys, by the rollover counter that
// the sender has by then.
func TestResumeWithKeys(t *testing.T) {
	var k keeper
	d := newDesk(t, k.act)
	key, err := src.NewIDs(7).SRTPKey("AES_CM_128_HMAC_SHA1_80")
	if err != nil {
		t.Fatal(err)
	}
	dialog := d.invite(src.Request{Streams: []src.StreamOffer{{Label: "1", Direction: "sendonly", Keys: []src.SRTPKey{key}}}})
	before := d.want(Offered)
	last := uint16(65535)
	if err := dialog.Stream(0).Play(t.Context(), src.Silence(), src.PlayOptions{Count: 1, Sequence: &last}); err != nil {
		t.Fatal(err)
	}
	got := make(mailbox, 16)
	d2 := d.successor(func(rs *RecordingSession, ev *Event) { rs.Attach(0, got) })
	d2.resume(k.state(t))
	if ev := d2.want(Resumed); ev.Streams[0].SRTP != before.Streams[0].SRTP || ev.Streams[0].SRTP == "" {
		t.Errorf("SRTP is %q", ev.Streams[0].SRTP)
	}
	// The sequence numbers begin anew: the counter is 1 by now.
	if err := dialog.Stream(0).Play(t.Context(), src.Silence(), src.PlayOptions{Count: 2}); err != nil {
		t.Fatal(err)
	}
	<-got
	<-got
	if m, err := dialog.Reinvite(t.Context(), src.Request{Streams: dialog.Offers()}); err != nil || m.Status != 200 {
		t.Fatalf("re-INVITE: %v, %v", m, err)
	}
}

func TestRollovers(t *testing.T) {
	for _, tt := range []struct {
		known uint32
		away  time.Duration
		want  []uint32
	}{
		{0, 0, []uint32{0, 1}},
		{0, -time.Hour, []uint32{0, 1}},
		{3, 700 * time.Second, []uint32{3, 4, 5, 1, 2}},
	} {
		if got := rollovers(tt.known, tt.away); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%d after %v: %v, want %v", tt.known, tt.away, got, tt.want)
		}
	}
	if n := len(rollovers(1<<31, 1000*time.Hour)); n > 256 {
		t.Errorf("%d counters", n)
	}
}
