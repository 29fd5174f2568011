package siprec

import (
	"crypto/rand"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/siprec/internal/sdp"
	"github.com/siprecd/siprecd/siprec/media"
)

var discard = zap.NewNop()

var loopback = netip.MustParseAddr("127.0.0.1")

func newNegotiator(t testing.TB, now func() time.Time) *negotiator {
	t.Helper()
	plane, err := media.New(media.Config{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { plane.Close() })
	return &negotiator{plane: plane, origin: 7, peer: netip.AddrPortFrom(loopback, 5060), local: loopback, random: rand.Reader}
}

// offerOf makes an offer with one m-line per port.
func offerOf(t testing.TB, addr string, ports ...int) *sdp.Description {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "v=0\r\no=- 1 1 IN IP4 %[1]s\r\ns=-\r\nc=IN IP4 %[1]s\r\nt=0 0\r\n", addr)
	for i, p := range ports {
		fmt.Fprintf(&b, "m=audio %d RTP/AVP 0\r\na=sendonly\r\na=label:%d\r\n", p, i+1)
	}
	d, err := sdp.Parse([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func mustAnswer(t testing.TB, n *negotiator, offer *sdp.Description) *agreement {
	t.Helper()
	a, err := n.answer(offer, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestMoreMLinesThanPorts: one offer must not take the ports of all others. Each m-line
// has its answer.
func TestMoreMLinesThanPorts(t *testing.T) {
	ports := make([]int, maxStreams+2)
	for i := range ports {
		ports[i] = 4000 + 2*i
	}
	n := newNegotiator(t, time.Now)
	a := mustAnswer(t, n, offerOf(t, "127.0.0.1", ports...))
	defer n.undo(a)
	if len(a.slots) != len(ports) || len(a.opened) != maxStreams {
		t.Fatalf("%d m-lines answered, %d of them with a port", len(a.slots), len(a.opened))
	}
	for _, sl := range a.slots[maxStreams:] {
		if !sl.stream.Closed || sl.answer.Port != 0 || sl.stream.Refusal == "" {
			t.Errorf("m-line %d: port %d, refused for %q", sl.stream.Index, sl.answer.Port, sl.stream.Refusal)
		}
	}
}

// TestRefusedOfferAnnouncesNoSource: what a refused offer said about where
// packets come from is taken back with it.
func TestRefusedOfferAnnouncesNoSource(t *testing.T) {
	clock := newFakeClock()
	n := newNegotiator(t, clock.Now)
	n.commit(mustAnswer(t, n, offerOf(t, "127.0.0.1", 4000)), discard)
	recv := n.now.slots[0].recv
	n.undo(mustAnswer(t, n, offerOf(t, "127.0.0.9", 4000)))
	c, err := net.DialUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 9)}, net.UDPAddrFromAddrPort(recv.RTPAddr()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write(append([]byte{0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}, make([]byte, 160)...)); err != nil {
		t.Fatal(err)
	}
	n.close()
	if st := recv.Stats(); st.Packets != 0 || st.Strangers != 1 {
		t.Errorf("%d packets taken, %d of strangers", st.Packets, st.Strangers)
	}
}

// TestTimeOfTheOffer: an answer has it, and so has an offer after it, of a negotiator
// that was resumed too.
func TestTimeOfTheOffer(t *testing.T) {
	const line = "\r\nt=39 40\r\n"
	offer := offerOf(t, "127.0.0.1", 4000)
	offer.Time = "39 40"
	n := newNegotiator(t, nil)
	n.commit(mustAnswer(t, n, offer), discard)
	next, err := n.offer(time.Now())
	if err != nil || !strings.Contains(string(n.now.body), line) || !strings.Contains(string(next.body), line) {
		t.Errorf("answered\n%s\nand offered\n%s\n%v", n.now.body, next.body, err)
	}
	n.close()
	again := newNegotiator(t, nil)
	if err := again.resume(&agreed{Origin: 1, Number: 1, Body: next.body}, 0, time.Now()); err != nil || again.now.time != "39 40" {
		t.Errorf("resumed with %q, %v", again.now.time, err)
	}
}

// TestFewerMLines: RFC 3264 §8 forbids it, and it happens. A stream that was left
// out is over, and one that comes in its place is another.
// Shows DRV3264-8-01.
func TestFewerMLines(t *testing.T) {
	n := newNegotiator(t, nil)
	n.commit(mustAnswer(t, n, offerOf(t, "127.0.0.1", 4000, 4002)), discard)
	n.commit(mustAnswer(t, n, offerOf(t, "127.0.0.1", 4000)), discard)
	if s := n.now.streams(); len(s) != 2 || !s[1].Closed || s[1].Receiving {
		t.Errorf("streams without the second m-line: %+v", s)
	}
	n.commit(mustAnswer(t, n, offerOf(t, "127.0.0.1", 4000, 4004)), discard)
	if s := n.now.streams(); s[0].Generation != 0 || s[1].Generation != 1 {
		t.Errorf("generations %d and %d, want 0 and 1", s[0].Generation, s[1].Generation)
	}
	n.close()
}

// TestOfferAfterAStreamWasDeclined: an offer of ours names no port that was
// closed when the SRC's answer declined it.
func TestOfferAfterAStreamWasDeclined(t *testing.T) {
	n := newNegotiator(t, nil)
	n.commit(mustAnswer(t, n, offerOf(t, "127.0.0.1", 4000, 4002)), discard)
	first, err := n.offer(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	n.commit(first, discard)
	n.commit(n.concluded(offerOf(t, "127.0.0.1", 4000, 0), time.Now()), discard)
	again, err := n.offer(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	d, err := sdp.Parse(again.body)
	if err != nil || len(d.Media) != 2 || d.Media[0].Port == 0 || d.Media[1].Port != 0 {
		t.Errorf("offer of ours, %v:\n%s", err, again.body)
	}
	if again.version != first.version+1 {
		t.Errorf("version %d after %d", again.version, first.version)
	}
	n.close()
}

// TestOnlyInviteAndUpdateCarryOffers: SDP in any other request is a body part
// (RFC 3261 §11.2 for OPTIONS, RFC 6086 §4.2.4 for INFO).
func TestOnlyInviteAndUpdateCarryOffers(t *testing.T) {
	for _, method := range []string{"OPTIONS", "INFO"} {
		t.Run(method, func(t *testing.T) {
			d := newDesk(t, nil)
			dialog := d.invite(src.Request{})
			before := d.want(Offered).Streams
			hold := offerText("inactive")
			m, err := dialog.Do(t.Context(), method, src.Request{ContentType: "application/sdp", Body: hold})
			if err != nil || m.Status != 200 || len(m.Body) != 0 {
				t.Fatalf("answered %v, %v", m, err)
			}
			if method == "INFO" {
				if ev := d.want(Changed); ev.HasOffer || len(ev.Parts) != 1 {
					t.Errorf("offer %v, %d parts", ev.HasOffer, len(ev.Parts))
				}
			}
			if m, err := dialog.Info(t.Context(), src.Request{ContentType: "text/plain", Body: []byte("x")}); err != nil || len(m.Body) != 0 {
				t.Fatalf("INFO: %v, %v", m, err)
			}
			if ev := d.want(Changed); ev.Streams[0].Local != before[0].Local || !ev.Streams[0].Receiving || len(ev.Streams) != len(before) {
				t.Errorf("streams are %+v", ev.Streams)
			}
		})
	}
}

// offerText is an offer with three m-lines.
func offerText(direction string) []byte {
	text := "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
	return []byte(text + strings.Repeat("m=audio 4000 RTP/AVP 0\r\na="+direction+"\r\n", 3))
}

// TestDeclinedMLineKeepsItsGeneration: an m-line that we decline in each answer
// is not another stream each time.
// Shows 7866-7.1.1.1-01.
func TestDeclinedMLineKeepsItsGeneration(t *testing.T) {
	n := newNegotiator(t, nil)
	offer := offerOf(t, "127.0.0.1", 4000)
	offer.Media[0].Proto = "RTP/SAVP"
	for range 3 {
		n.commit(mustAnswer(t, n, offer), discard)
	}
	if s := n.now.streams()[0]; !s.Closed || s.Generation != 0 {
		t.Errorf("declined stream is %+v", s)
	}
	n.commit(mustAnswer(t, n, offerOf(t, "127.0.0.1", 4000)), discard)
	if s := n.now.streams()[0]; s.Closed || s.Generation != 1 {
		t.Errorf("stream in its place is %+v", s)
	}
	n.close()
}

// TestCNAME: a recording session has one CNAME, also after a restart, and no other has it.
// Shows 7866-8.1.5.1-01, 3550-6.5.1-01.
func TestCNAME(t *testing.T) {
	seen := make(map[string]bool)
	for _, rs := range [][2]string{{"a", "b"}, {"a", "c"}, {"d", "b"}, {"ab", ""}, {"", "ab"}} {
		name := cnameOf(rs[0], rs[1])
		if seen[name] || len(name) != 16 || name != cnameOf(rs[0], rs[1]) {
			t.Errorf("recording session %q has the CNAME %q", rs, name)
		}
		seen[name] = true
	}
}
