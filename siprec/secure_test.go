package siprec

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/siprec/internal/sdp"
)

const head = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"

func parsed(t testing.TB, text string) *sdp.Description {
	t.Helper()
	d, err := sdp.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// cryptoLine is an a=crypto of a key that the seed names.
func cryptoLine(t testing.TB, seed uint64, tag int, suite string) string {
	t.Helper()
	k, err := src.NewIDs(seed).SRTPKey(suite)
	if err != nil {
		t.Fatal(err)
	}
	return "a=crypto:" + k.Attribute(tag) + "\r\n"
}

func savp(crypto ...string) string {
	return head + "m=audio 4000 RTP/SAVP 0\r\na=sendonly\r\na=label:1\r\n" + strings.Join(crypto, "")
}

// answeredCrypto is the only a=crypto of an answer's only m-line.
func answeredCrypto(t testing.TB, body []byte) (string, sdp.Crypto) {
	t.Helper()
	m := parsed(t, string(body)).Media[0]
	if len(m.Crypto) != 1 || m.Port == 0 || m.Proto != "RTP/SAVP" {
		t.Fatalf("answered\n%s", body)
	}
	c, err := sdp.ParseCrypto(m.Crypto[0])
	if err != nil {
		t.Fatal(err)
	}
	return m.Crypto[0], c
}

// TestOurKeyIsFreshAndStays: our key is never that of the offer, differs between
// recording sessions, and stays while the suite does (RFC 4568 §5.1.2, §7.1.3).
// Shows DRV4568-5.1.2-01.
func TestOurKeyIsFreshAndStays(t *testing.T) {
	n := newNegotiator(t, nil)
	cm := cryptoLine(t, 1, 5, "AES_CM_128_HMAC_SHA1_80")
	n.commit(mustAnswer(t, n, parsed(t, savp(cm))), discard)
	first, c := answeredCrypto(t, n.now.body)
	if c.Tag != "5" || c.Suite != sdp.AES128SHA1 || strings.Contains(cm, first) || n.now.slots[0].stream.SRTP != string(sdp.AES128SHA1) {
		t.Errorf("answered tag %s, suite %s, stream of %q", c.Tag, c.Suite, n.now.slots[0].stream.SRTP)
	}
	version := n.now.version
	n.commit(mustAnswer(t, n, parsed(t, savp(cm))), discard)
	if again, _ := answeredCrypto(t, n.now.body); again != first || n.now.version != version {
		t.Error("the answer to the same offer is another")
	}
	replaced := n.now.slots[0].expected.SRTP
	n.undo(mustAnswer(t, n, parsed(t, savp(cryptoLine(t, 4, 5, "AES_CM_128_HMAC_SHA1_80")))))
	if slices.Max(replaced.Remote[0].Key) == 0 || slices.Max(replaced.Local.Key) == 0 {
		t.Error("an offer that was refused cost the keys in force")
	}
	n.commit(mustAnswer(t, n, parsed(t, savp(cryptoLine(t, 2, 5, "AES_CM_128_HMAC_SHA1_80")))), discard)
	if slices.Max(replaced.Remote[0].Key) != 0 || slices.Max(n.now.slots[0].expected.SRTP.Local.Key) == 0 {
		t.Error("a key that was replaced is still there, or ours is not")
	}
	if again, _ := answeredCrypto(t, n.now.body); again != first {
		t.Error("our key changed with that of the SRC")
	}
	n.commit(mustAnswer(t, n, parsed(t, savp(cm, cryptoLine(t, 3, 6, "AEAD_AES_256_GCM")))), discard)
	if _, other := answeredCrypto(t, n.now.body); other.Tag != "6" || other.Suite != sdp.AEAD256 || n.now.version != version+1 {
		t.Errorf("answered tag %s, suite %s, version %d", other.Tag, other.Suite, n.now.version)
	}
	own := n.now.slots[0].expected.SRTP.Local
	n.close()
	for _, b := range append(own.Key, own.Salt...) {
		if b != 0 {
			t.Fatal("our key is still there after the end")
		}
	}
	other := newNegotiator(t, nil)
	other.commit(mustAnswer(t, other, parsed(t, savp(cm))), discard)
	if again, _ := answeredCrypto(t, other.now.body); again == first {
		t.Error("two recording sessions have the same key")
	}
	other.close()
}

// TestOfferOfSRTP: where SRTP is required, an offerless INVITE gets an offer of it,
// and the key in the answer counts (RFC 3264 §5, RFC 4568 §5.1.3).
func TestOfferOfSRTP(t *testing.T) {
	n := newNegotiator(t, nil)
	n.terms = (&SRC{SRTP: SRTPRequired}).terms()
	offered, err := n.offer(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	n.commit(offered, discard)
	ours, c := answeredCrypto(t, offered.body)
	if c.Suite != sdp.AES128SHA1 {
		t.Errorf("offered suite %s", c.Suite)
	}
	n.commit(n.concluded(parsed(t, head+"m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n"), time.Now()), discard)
	if st := n.now.slots[0].stream; st.Remote.IsValid() || st.SRTP == "" {
		t.Errorf("an answer without a key was taken: %+v", st)
	}
	agreed := n.concluded(parsed(t, savp(cryptoLine(t, 9, 1, "AES_CM_128_HMAC_SHA1_80"))), time.Now())
	n.commit(agreed, discard)
	sl := n.now.slots[0]
	theirs, err := src.NewIDs(9).SRTPKey("AES_CM_128_HMAC_SHA1_80")
	if err != nil {
		t.Fatal(err)
	}
	if string(sl.expected.SRTP.Remote[0].Key) != string(theirs.Key) || sl.answer.Crypto != ours || !sl.stream.Receiving {
		t.Errorf("expected key of the answer is not that of the SRC, or ours changed")
	}
	n.close()
}

// TestRTCPOfAnOffer holds what of RTCP is answered and expected.
func TestRTCPOfAnOffer(t *testing.T) {
	for _, tt := range []struct {
		name, lines string
		mux         bool
		rtcp        string
	}{
		{"nothing", "", false, ""},
		{"mux", "a=rtcp-mux\r\n", true, ""},
		{"port", "a=rtcp:4711\r\n", false, "127.0.0.1:4711"},
		{"address", "a=rtcp:4711 IN IP4 127.0.0.2\r\n", false, "127.0.0.2:4711"},
		{"address of the other version", "a=rtcp:4711 IN IP6 ::1\r\n", false, "[::1]:4711"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := newNegotiator(t, nil)
			offer := head + "m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:30\r\na=maxptime:60\r\na=content:speaker\r\n" +
				"a=ice-ufrag:x\r\na=ice-pwd:y\r\na=candidate:1 1 UDP 1 127.0.0.1 4000 typ host\r\na=bundle-only\r\na=sendonly\r\n" + tt.lines
			n.commit(mustAnswer(t, n, parsed(t, offer)), discard)
			sl := n.now.slots[0]
			rtcp := ""
			if sl.expected.RTCP.IsValid() {
				rtcp = sl.expected.RTCP.String()
			}
			if sl.expected.Mux != tt.mux || rtcp != tt.rtcp || len(sl.expected.Clocks) != 1 || sl.expected.Clocks[0] != 8000 {
				t.Errorf("expected %+v", sl.expected)
			}
			m := parsed(t, string(n.now.body)).Media[0]
			if m.RTCPMux != tt.mux || m.Ptime != 30 || m.MaxPtime != 60 || m.Content != "speaker" || strings.Contains(string(n.now.body), "ice") {
				t.Errorf("answered\n%s", n.now.body)
			}
			n.close()
		})
	}
}

// TestPartlyRefusedSaysWhy: an offer of which a part cannot be taken is answered
// 200, with the reason in a Warning and in the stream.
// Shows 7866-12.2-03, DRV3264-6-01.
func TestPartlyRefusedSaysWhy(t *testing.T) {
	d := newDesk(t, nil)
	offers := src.TwoParties()
	offers[1].Proto = "UDP/TLS/RTP/SAVPF"
	offers[1].Attributes = []string{"fingerprint:sha-256 00:11", "setup:actpass"}
	dialog := d.invite(src.Request{Streams: offers})
	ev := d.want(Offered)
	if !ev.Streams[1].Closed || !strings.Contains(ev.Streams[1].Refusal, "DTLS") || ev.Streams[0].Refusal != "" {
		t.Errorf("streams %+v", ev.Streams)
	}
	if got := dialog.Final().Get("Warning"); !strings.Contains(got, "DTLS") {
		t.Errorf("Warning is %q", got)
	}
	whole := d.invite(src.Request{Streams: src.TwoParties()})
	d.want(Offered)
	if got := whole.Final().Get("Warning"); got != "" {
		t.Errorf("Warning is %q where nothing was refused", got)
	}
}

// TestRefreshAnsweredInTheClear: where SRTP is required, an answer of plain RTP to a
// refresh of ours ends the recording session as one in an ACK does.
// Shows 7866-12.2-03.
func TestRefreshAnsweredInTheClear(t *testing.T) {
	core, logged := observer.New(zapcore.WarnLevel)
	d := newDesk(t, nil, neverAsk, func(c *Config) {
		c.Log = zap.New(core)
		timer := SessionTimer{Interval: 90 * time.Second} // the SRC knows none: we refresh, by INVITE
		c.Admit = func(Origin) (SRC, error) { return SRC{Name: "sbc", SRTP: SRTPRequired, SessionTimer: timer}, nil }
	})
	client := bareAt(t, d, "127.0.0.1")
	status, m := client.status(t, "INVITE", "", 1, savp(cryptoLine(t, 1, 1, "AES_CM_128_HMAC_SHA1_80")))
	tag := tagOf(m)
	if _, err := client.conn.Write(client.text("ACK", "bound", tag, 1, "")); err != nil || status != "200" {
		t.Fatalf("answered %s, %v", status, err)
	}
	d.want(Offered)
	if status, _ := client.status(t, "OPTIONS", tag, 2, ""); status != "200" { // the ACK was read
		t.Fatalf("OPTIONS answered %s", status)
	}
	d.clock.advance(45 * time.Second)
	invite, err := client.next()
	if err != nil || !strings.HasPrefix(invite, "INVITE ") {
		t.Fatalf("%v came\n%s", err, invite)
	}
	client.answer(t, invite, head+"m=audio 4000 RTP/AVP 0\r\na=sendonly\r\na=label:1\r\n")
	if ev := d.want(Ended); ev.Reason != EndNoAnswer {
		t.Errorf("ended by %s", ev.Reason)
	}
	m = ""
	for !strings.HasPrefix(m, "BYE ") {
		if m, err = client.next(); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.HasPrefix(field(m, "Reason"), "SIP;cause=488;") || logged.FilterMessage("answer cannot be taken").Len() != 1 {
		t.Errorf("the log is %v, and this came\n%s", logged.All(), m)
	}
}

// answer accepts a request with SDP.
func (c *bareSRC) answer(t *testing.T, req, sdp string) {
	t.Helper()
	text := "SIP/2.0 200 OK\r\n"
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		text += name + ": " + field(req, name) + "\r\n"
	}
	text += fmt.Sprintf("Contact: <sip:src@%s>\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", c.contact, len(sdp), sdp)
	if _, err := c.conn.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

// TestUnencryptedIsToldOnce: SRTP that does not encrypt is refused where SRTP is
// required, and is else taken as what it is worth, plain RTP, with a warning when it
// begins.
// Shows 7866-12.2-03, DRV4568-5.1.2-01.
func TestUnencryptedIsToldOnce(t *testing.T) {
	encrypts := cryptoLine(t, 1, 1, "AES_CM_128_HMAC_SHA1_32")
	unencrypted := strings.TrimSuffix(cryptoLine(t, 2, 2, "AES_CM_128_HMAC_SHA1_80"), "\r\n") + " UNENCRYPTED_SRTP\r\n"
	for _, tt := range []struct {
		name   string
		policy SRTPPolicy
		offer  string
		status string
		suite  string // of the stream
		warned int
	}{
		{"required", SRTPRequired, savp(unencrypted), "488", "", 0},
		{"required, with another", SRTPRequired, savp(unencrypted, encrypts), "200", "AES_CM_128_HMAC_SHA1_32", 0},
		{"preferred", SRTPPreferred, savp(unencrypted), "200", "", 1},
		{"preferred, with another", SRTPPreferred, savp(unencrypted, encrypts), "200", "AES_CM_128_HMAC_SHA1_32", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			core, logged := observer.New(zapcore.WarnLevel)
			d := newDesk(t, nil, as(SRC{Name: "sbc", SRTP: tt.policy}), func(c *Config) { c.Log = zap.New(core) })
			client := bareAt(t, d, "127.0.0.1")
			status, m := client.status(t, "INVITE", "", 1, tt.offer)
			if status != tt.status {
				t.Fatalf("answered\n%s", m)
			}
			if status != "200" {
				if !strings.Contains(field(m, "Warning"), "without encryption") {
					t.Errorf("Warning is %q", field(m, "Warning"))
				}
				return
			}
			ev := d.want(Offered)
			if ev.Streams[0].SRTP != tt.suite || slices.Contains(ev.Oddities, oddClear) != (tt.warned > 0) {
				t.Errorf("suite %q, oddities %q", ev.Streams[0].SRTP, ev.Oddities)
			}
			if _, err := client.conn.Write(client.text("ACK", "bound", tagOf(m), 1, "")); err != nil {
				t.Fatal(err)
			}
			if status, m := client.status(t, "INVITE", tagOf(m), 2, tt.offer); status != "200" {
				t.Errorf("re-INVITE answered\n%s", m)
			}
			if n := logged.FilterMessage(oddClear).Len(); n != tt.warned {
				t.Errorf("warned %d times, want %d: %v", n, tt.warned, logged.All())
			}
		})
	}
}
