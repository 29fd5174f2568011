package endtoend

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/siprec"
)

// TestSRTPRekey renews keys, and changes the suite, in re-INVITEs while audio goes
// on, near the end of the sequence numbers and with an MKI: no sample is lost.
// Shows 4568-7.1.4-01.
func TestSRTPRekey(t *testing.T) {
	t.Parallel()
	l := newLab(t, "127.0.0.1", nil)
	c := l.client("udp")
	offers := src.TwoParties(src.PCMU())
	offerSRTP(t, c, offers, "AES_CM_128_HMAC_SHA1_80")
	d := invite(t, c, src.Request{Streams: offers, Metadata: conversation(c).Complete()})
	first := answeredKeys(t, d)
	seq := uint16(65500)
	part := src.PlayOptions{Codec: src.PCMU(), Count: 50, Sequence: &seq}
	play(t, d, part, src.Counter(src.PCMU()), src.Counter(src.PCMU()))
	part.Sequence = nil

	// The same keys: the counter, which went to 1, goes on.
	do(t, d, "INVITE", src.Request{Streams: d.Offers()})
	if again := answeredKeys(t, d); !slices.Equal(again, first) {
		t.Error("our keys changed although nothing did")
	}
	part.From = 50 * frame
	play(t, d, part, src.Counter(src.PCMU()), src.Counter(src.PCMU()))

	for i, suite := range []string{"AES_CM_128_HMAC_SHA1_80", "AEAD_AES_256_GCM", "AES_CM_128_HMAC_SHA1_32"} {
		next := d.Offers()
		offerSRTP(t, c, next, suite)
		for k := range next {
			next[k].Keys[0].MKI = []byte{0, 0, 1, byte(i)}
		}
		do(t, d, "INVITE", src.Request{Streams: next})
		part.From += 50 * frame
		play(t, d, part, src.Counter(src.PCMU()), src.Counter(src.PCMU()))
	}
	do(t, d, "BYE", src.Request{})
	m := l.manifest()
	kept := 0
	for _, st := range m.Streams {
		kept += int(st.Packets.Kept)
	}
	if kept != 2*250 {
		t.Errorf("%d packets kept, want 500", kept)
	}
	for _, who := range []string{"alice", "Bob"} {
		got := l.audio(m, who)
		for i := range 5 {
			if find(got, counterPart(t, int64(i)*50*frame, 50*frame)) < 0 {
				t.Errorf("%s: part %d is not whole; packets %+v and %+v", who, i+1, m.Streams[0].Packets, m.Streams[1].Packets)
			}
		}
	}
}

// counterPart decodes code words of a counter from one on.
func counterPart(t *testing.T, from, n int64) []int16 {
	t.Helper()
	words := make([]byte, n)
	for i := range words {
		words[i] = src.CounterWord(from + int64(i))
	}
	samples, err := src.Decode(src.PCMU(), words)
	if err != nil {
		t.Fatal(err)
	}
	return samples
}

// answeredKeys are the values of a=crypto in the answer. None is a key of the offer.
func answeredKeys(t *testing.T, d *src.Dialog) []string {
	t.Helper()
	var values []string
	for i, st := range d.Streams() {
		value, found := st.Answer().Attribute("crypto")
		for k, offered := range d.Offers()[i].Keys {
			if value == offered.Attribute(k+1) {
				t.Errorf("m-line %d is answered with the key that was offered", i)
			}
		}
		if !found || slices.Contains(values, value) {
			t.Errorf("m-line %d is answered with %v, not with a key of its own", i, found)
		}
		values = append(values, value)
	}
	return values
}

// TestSRTPWrongKey sends under keys that were not offered, and plain: not a packet
// is recorded.
// Shows 7866-12.2-02.
func TestSRTPWrongKey(t *testing.T) {
	t.Parallel()
	for _, suite := range src.SRTPSuites() {
		t.Run(suite, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, "127.0.0.1", nil)
			c := l.client("udp")
			offers := src.TwoParties(src.PCMU())
			offerSRTP(t, c, offers, suite)
			d := invite(t, c, src.Request{Streams: offers, Metadata: conversation(c).Complete()})
			forger, err := c.IDs().SRTPKey(suite)
			if err != nil {
				t.Fatal(err)
			}
			p, err := src.NewProtector(forger)
			if err != nil {
				t.Fatal(err)
			}
			var script []src.ScriptPacket
			for i := range 50 {
				plain := append([]byte{0x80, 0, 0, byte(i), 0, 0, 0, byte(i), 0, 0, 0, 7}, make([]byte, frame)...)
				script = append(script, src.ScriptPacket{Raw: p.RTP(plain, 12)}, src.ScriptPacket{Raw: plain})
			}
			if err := d.Stream(0).Script(t.Context(), script); err != nil {
				t.Fatal(err)
			}
			play(t, d, src.PlayOptions{Count: 10}, nil, src.Tone(440, false))
			do(t, d, "BYE", src.Request{})
			for _, st := range l.manifest().Streams {
				if want := map[string]uint64{"1": 0, "2": 10}[st.Label]; uint64(st.Packets.Kept) != want {
					t.Errorf("stream %s kept %d packets, want %d", st.Label, st.Packets.Kept, want)
				}
			}
		})
	}
}

// TestSRTPPolicy holds what each policy answers.
// Shows 7866-12-04.
func TestSRTPPolicy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		policy         siprec.SRTPPolicy
		plain, secured bool // whether the 1st, plain, and the 2nd m-line are taken
		status         int  // of an offer of only the one that is not taken
		warning        string
	}{
		{"", true, true, 200, ""},
		{siprec.SRTPPreferred, true, true, 200, ""},
		{siprec.SRTPRequired, false, true, 488, "SRTP is required"},
		{siprec.SRTPOff, true, false, 488, "SRTP is not taken"},
	} {
		t.Run("policy "+string(tt.policy), func(t *testing.T) {
			t.Parallel()
			l := newLab(t, "127.0.0.1", func(cfg *siprec.Config) {
				cfg.Admit = func(siprec.Origin) (siprec.SRC, error) { return siprec.SRC{SRTP: tt.policy}, nil }
			})
			c := l.client("udp")
			offers := src.TwoParties(src.PCMU())
			offerSRTP(t, c, offers[1:], src.SRTPSuites()...)
			d := invite(t, c, src.Request{Streams: offers, Metadata: conversation(c).Complete()})
			answer, err := d.Answer()
			if err != nil {
				t.Fatal(err)
			}
			if (answer.Media[0].Port != 0) != tt.plain || (answer.Media[1].Port != 0) != tt.secured {
				t.Errorf("answered ports %d and %d", answer.Media[0].Port, answer.Media[1].Port)
			}
			if value, _ := answer.Media[1].Attribute("crypto"); tt.secured && !strings.HasPrefix(value, "4 AEAD_AES_256_GCM ") {
				t.Errorf("accepted another than the preferred suite")
			}
			do(t, d, "BYE", src.Request{})
			alone := offers[:1]
			if !tt.secured {
				alone = offers[1:]
			}
			other, err := c.Invite(t.Context(), src.Request{Streams: alone, Metadata: conversation(c).Complete()})
			if err != nil {
				t.Fatal(err)
			}
			if got := other.Final(); got.Status != tt.status || !strings.Contains(got.Get("Warning"), tt.warning) {
				t.Errorf("answered %d, Warning %q", got.Status, got.Get("Warning"))
			}
			if tt.status == 200 {
				do(t, other, "BYE", src.Request{})
			}
			other.Close()
		})
	}
}

// TestAnswerDelay: the 200 leaves no sooner than the profile says, and other
// dialogs do not wait for it.
func TestAnswerDelay(t *testing.T) {
	t.Parallel()
	const delay = 300 * time.Millisecond
	l := newLab(t, "127.0.0.1", func(cfg *siprec.Config) {
		cfg.Admit = func(o siprec.Origin) (siprec.SRC, error) {
			if o.Transport == "TCP" {
				return siprec.SRC{AnswerDelay: delay}, nil
			}
			return siprec.SRC{}, nil
		}
	})
	slow, quick := l.client("tcp"), l.client("udp")
	began := time.Now()
	d, err := slow.Start(t.Context(), src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: conversation(slow).Complete()})
	if err != nil {
		t.Fatal(err)
	}
	other := invite(t, quick, src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: conversation(quick).Complete()})
	if d.Final() != nil {
		t.Error("the delayed 200 came before that of another dialog")
	}
	final, err := d.Wait(t.Context())
	if err != nil || final.Status != 200 {
		t.Fatalf("answered %v, %v", final, err)
	}
	if took := final.At.Sub(began); took < delay {
		t.Errorf("answered after %v, want %v at least", took, delay)
	}
	do(t, d, "BYE", src.Request{})
	do(t, other, "BYE", src.Request{})
}
