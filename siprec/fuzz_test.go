package siprec

import (
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/siprec/internal/sdp"
	"github.com/siprecd/siprecd/siprec/media"
)

// FuzzNegotiator leads a recording session through a sequence of offers, ours
// and the SRC's, taken and refused, and looks for answers that break RFC 3264
// §6 and §8 and for ports that nobody closes. The steps stand between lines of
// ---; their first octet says what becomes of them.
func FuzzNegotiator(f *testing.F) {
	const two = "v=0\nc=IN IP4 127.0.0.1\nm=audio 4000 RTP/AVP 0\na=label:1\na=sendonly\nm=audio 4002 RTP/AVP 8\na=label:2\n"
	const one = "v=0\nc=IN IP4 127.0.0.1\nm=audio 4000 RTP/AVP 0\na=inactive\n"
	const other = "v=0\nc=IN IP4 0.0.0.0\nm=video 4000 RTP/AVP 99\nm=audio 0 RTP/AVP 8\nm=audio 9 RTP/SAVP 0\n"
	steps := func(s ...string) string { return strings.Join(s, "---") }
	f.Add(steps("A"+two, "A"+one, "A"+two))
	f.Add(steps("A"+two, "R"+other, "A"+other, "A"+two))
	f.Add(steps("O"+one, "O"+other, "O"+two, "A"+two))
	f.Add(steps("A"+two, "O"+strings.Replace(two, "4002", "0", 1), "O"+two, "A"+two))
	f.Add(steps("Q"+two, "A"+other, "O"+one, "O"+two, "Q"))
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "IP6") {
			t.Skip("may open ports on an address that other processes use")
		}
		w := newWalk(t)
		for i, s := range strings.Split(text, "---") {
			if i == 12 || s == "" {
				break
			}
			w.step(s[0], s[1:])
		}
		w.n.close()
		w.checkPorts()
	})
}

// fuzzPairs are few, so that a leak is soon felt, and running out is tried too.
const fuzzPairs = 12

// A walk is a negotiator on its way.
type walk struct {
	t *testing.T
	n *negotiator
}

// newWalk has ports on an address of the loopback that no other process has:
// fuzzing runs several at once.
func newWalk(t *testing.T) *walk {
	pid := os.Getpid()
	local := netip.AddrFrom4([4]byte{127, byte(1 + pid>>8&0x7f), byte(pid), 77})
	plane, err := media.New(media.Config{PortMin: 20000, PortMax: 20000 + 2*fuzzPairs - 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { plane.Close() })
	return &walk{t, &negotiator{plane: plane, origin: 7, peer: netip.AddrPortFrom(loopback, 5060), local: local}}
}

func (w *walk) step(kind byte, text string) {
	d, err := sdp.Parse([]byte(text))
	if err != nil {
		return
	}
	next, err := w.propose(kind, d)
	if err != nil {
		return // out of ports
	}
	w.check(next)
	switch kind {
	case 'R', 'Q':
		w.n.undo(next)
	case 'O':
		w.n.commit(next, discard)
		w.n.commit(w.n.concluded(d, time.Time{}), discard)
	default:
		w.n.commit(next, discard)
	}
}

func (w *walk) propose(kind byte, d *sdp.Description) (*agreement, error) {
	if kind == 'O' || kind == 'Q' {
		return w.n.offer(time.Time{})
	}
	next, err := w.n.answer(d, time.Time{})
	if err == nil && len(next.slots) != len(d.Media) {
		w.t.Fatalf("%d m-lines answered with %d", len(d.Media), len(next.slots))
	}
	return next, err
}

// check compares an agreement with its own SDP and with the one in force.
func (w *walk) check(a *agreement) {
	d, err := sdp.Parse(a.body)
	if err != nil || len(d.Media) != len(a.slots) {
		w.t.Fatalf("our SDP %v has %d m-lines of %d", err, len(d.Media), len(a.slots))
	}
	for i, sl := range a.slots {
		switch port := d.Media[i].Port; {
		case (port == 0) != (sl.recv == nil) || sl.stream.Closed != (sl.recv == nil):
			w.t.Fatalf("m-line %d: port %d, closed %v, receiver %p", i, port, sl.stream.Closed, sl.recv)
		case port != 0 && port != int(sl.recv.RTPAddr().Port()):
			w.t.Fatalf("m-line %d: port %d is not that of its receiver", i, port)
		}
	}
	if now := w.n.now; now != nil {
		rise := uint64(1)
		if sdp.SameExceptVersion(a.body, now.body) {
			rise = 0
		}
		if a.version != now.version+rise {
			w.t.Fatalf("version %d after %d\n%s\n%s", a.version, now.version, now.body, a.body)
		}
	}
}

// checkPorts wants every port pair to be free.
func (w *walk) checkPorts() {
	for i := range fuzzPairs {
		if _, err := w.n.plane.Open(w.n.local); err != nil {
			w.t.Fatalf("%d of %d port pairs are free: %v", i, fuzzPairs, err)
		}
	}
}
