package media

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/conformance/src"
)

// The sender of these tests is written from the RFCs by the standard library, so
// that the library of this package is not tested against itself.

// drawn is a key of the sender and what a receiver is told of it.
func drawn(t testing.TB, seed uint64, suite string, mki ...byte) (src.SRTPKey, MasterKey) {
	t.Helper()
	k, err := src.NewIDs(seed).SRTPKey(suite)
	if err != nil {
		t.Fatal(err)
	}
	k.MKI = mki
	return k, MasterKey{Key: k.Key, Salt: k.Salt, MKI: mki}
}

func protector(t testing.TB, k src.SRTPKey) *src.Protector {
	t.Helper()
	p, err := src.NewProtector(k)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// keys makes what an offer with one key leads to, and its sender.
func keys(t testing.TB, seed uint64, suite string, mki ...byte) (*SRTP, *src.Protector) {
	t.Helper()
	k, remote := drawn(t, seed, suite, mki...)
	_, local := drawn(t, seed+1000, suite)
	return &SRTP{Suite: Suite(suite), Remote: []MasterKey{remote}, Local: local}, protector(t, k)
}

// srtpScene is a scene whose packets are protected.
type srtpScene struct {
	*scene
}

func newSRTPScene(t *testing.T, s *SRTP) srtpScene {
	sc := srtpScene{newScene(t)}
	sc.offer(0, s)
	return sc
}

func (s srtpScene) offer(ms int, keys *SRTP) {
	s.f.expect(Expected{RTP: exact, At: s.at(ms), SRTP: keys})
}

func (s srtpScene) send(ms int, from netip.AddrPort, p *src.Protector, ssrc uint32, seqs ...uint16) {
	for _, seq := range seqs {
		s.f.rtp(p.RTP(packet(s.t, ssrc, seq), fixedHeader), from, s.at(ms))
	}
}

func (s srtpScene) want(packets int, failed, replayed uint64) {
	s.t.Helper()
	if len(s.sink.seqs) != packets || s.f.stats.AuthFailed != failed || s.f.stats.Replayed != replayed {
		s.t.Errorf("%d packets, %d not authentic, %d replayed; want %d, %d, %d",
			len(s.sink.seqs), s.f.stats.AuthFailed, s.f.stats.Replayed, packets, failed, replayed)
	}
}

// Shows 7866-12.2-02, 3711-3.3-01.
func TestSRTPTakesWhatIsAuthentic(t *testing.T) {
	for _, suite := range src.SRTPSuites() {
		for _, mki := range [][]byte{nil, {9}, {0, 0, 0, 1}} {
			t.Run(fmt.Sprint(suite, mki), func(t *testing.T) {
				k, p := keys(t, 1, suite, mki...)
				s := newSRTPScene(t, k)
				s.send(10, exact, p, 7, 1, 2, 3)
				for i, b := range s.sink.payloads {
					if !bytes.Equal(b, bytes.Repeat([]byte{byte(i + 1)}, 160)) {
						t.Fatalf("payload %d is %x", i, b[:8])
					}
				}
				s.want(3, 0, 0)
				// A packet of another key, plain ones, and each octet that is changed.
				_, forger := keys(t, 2, suite, mki...)
				s.send(20, exact, forger, 7, 4)
				s.f.rtp(packet(t, 7, 4), exact, s.at(20))
				whole := p.RTP(packet(t, 7, 4), fixedHeader)
				tried := uint64(2)
				for i := range whole {
					if i < 2 || i == 2 || i == 3 {
						continue // version and type are judged before; a sequence far off may be a guess
					}
					b := bytes.Clone(whole)
					b[i] ^= 0x10
					s.f.rtp(b, exact, s.at(20))
					tried++
				}
				s.want(3, tried, 0)
				s.f.rtp(whole, exact, s.at(30))
				s.f.rtp(whole, exact, s.at(40)) // again
				s.want(4, tried, 1)
			})
		}
	}
}

// TestSRTPTakesAnyAddress: who has the key may send from anywhere, and is never
// flagged; who has not is no stranger that could be adopted.
func TestSRTPTakesAnyAddress(t *testing.T) {
	k, p := keys(t, 1, "AES_CM_128_HMAC_SHA1_80")
	s := newSRTPScene(t, k)
	for i := range 100 {
		s.f.rtp(packet(t, 66, uint16(i)), exact, s.at(15*i)) // plain, from the announced address
	}
	s.send(20, unknown, p, 7, 1)
	s.send(1600, unknown, p, 7, 2)
	s.send(1620, peer, p, 7, 3) // a device behind a NAT moved
	s.want(3, 100, 0)
	if st := s.f.stats; st.Flagged || st.Source != peer || st.Rebinds != 1 || st.Strangers != 0 {
		t.Errorf("stats %+v", st)
	}
}

// Shows 7866-12.2-06, 3711-3.3-01.
func TestSRTPRolloverCounter(t *testing.T) {
	const suite = "AES_CM_128_HMAC_SHA1_80"
	t.Run("kept when an offer repeats the key", func(t *testing.T) {
		k, p := keys(t, 1, suite)
		s := newSRTPScene(t, k)
		s.send(0, exact, p, 7, 65534, 65535, 0, 1)
		again, _ := keys(t, 1, suite)
		again.Local = MasterKey{Key: make([]byte, 16), Salt: make([]byte, 14)}
		s.offer(100, again)
		s.send(110, exact, p, 7, 2, 65533, 3) // and a late one of before the wrap
		s.want(7, 0, 0)
	})
	t.Run("first packets lost at the wrap", func(t *testing.T) {
		k, p := keys(t, 1, suite)
		s := newSRTPScene(t, k)
		p.SetROC(7, 1, 5)
		s.send(0, exact, p, 7, 5, 6)
		s.send(1, exact, p, 7, 65535)
		s.want(3, 0, 0)
	})
	t.Run("kept by a sender that changes the key", func(t *testing.T) {
		k, p := keys(t, 1, suite)
		s := newSRTPScene(t, k)
		s.send(0, exact, p, 7, 40000, 65535, 20000, 50000, 10000) // ROC 2
		k2, p2 := keys(t, 2, suite)
		s.offer(100, k2)
		p2.SetROC(7, 2, 10001)
		s.send(110, exact, p2, 7, 10001, 10002)
		s.want(7, 0, 0)
	})
	t.Run("begun anew with a new key", func(t *testing.T) {
		k, p := keys(t, 1, suite)
		s := newSRTPScene(t, k)
		s.send(0, exact, p, 7, 40000, 65535, 20000)
		k2, p2 := keys(t, 2, suite)
		s.offer(100, k2)
		s.send(110, exact, p2, 7, 20001, 20002)
		s.want(5, 0, 0)
	})
	t.Run("guesses are few", func(t *testing.T) {
		k, p := keys(t, 1, suite)
		_, forger := keys(t, 2, suite)
		s := newSRTPScene(t, k)
		for i := range 1000 {
			s.send(1, exact, forger, uint32(i), 5)
		}
		if got := s.f.keys.newest.guessed; got != guessBurst {
			t.Errorf("%d guesses in an instant, want %d", got, guessBurst)
		}
		p.SetROC(7, 1, 5)
		s.send(200, exact, p, 7, 5)
		s.want(1, 1000, 0)
		if n := len(s.f.keys.newest.known); n != 1 {
			t.Errorf("%d SSRCs are remembered, want 1", n)
		}
	})
}

// TestSRTPRekey: packets under old and new keys are both taken, until 2 s after the
// first under the new.
// Shows 4568-7.1.4-01.
func TestSRTPRekey(t *testing.T) {
	for _, suites := range [][2]string{
		{"AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_80"},
		{"AEAD_AES_128_GCM", "AES_CM_128_HMAC_SHA1_32"},
		{"AES_CM_128_HMAC_SHA1_32", "AEAD_AES_256_GCM"},
	} {
		t.Run(suites[0]+" "+suites[1], func(t *testing.T) {
			old, before := keys(t, 1, suites[0])
			next, after := keys(t, 2, suites[1])
			s := newSRTPScene(t, old)
			s.send(0, exact, before, 7, 1, 2)
			s.offer(100, next)
			s.send(3000, exact, before, 7, 3) // the answer takes its time
			s.send(3020, exact, after, 7, 5)
			s.send(3040, exact, before, 7, 4)
			s.send(5010, exact, before, 7, 6)
			s.want(6, 0, 0)
			s.send(5030, exact, before, 7, 7)
			s.send(5040, exact, after, 7, 8)
			s.want(7, 1, 0)
			if n := len(s.f.keys.retired); n != 0 {
				t.Errorf("%d old keys are kept", n)
			}
		})
	}
}

// TestSRTPOfferTakenBack: a refused offer leaves keys and counters as they were.
func TestSRTPOfferTakenBack(t *testing.T) {
	old, p := keys(t, 1, "AES_CM_128_HMAC_SHA1_80")
	next, _ := keys(t, 2, "AES_CM_128_HMAC_SHA1_80")
	s := newSRTPScene(t, old)
	s.send(0, exact, p, 7, 65535, 0)
	s.offer(100, next)
	s.offer(110, old)
	s.send(9000, exact, p, 7, 1, 2)
	s.want(4, 0, 0)
}

// TestSRTPAndPlain: an offer may take protection away, and bring it.
func TestSRTPAndPlain(t *testing.T) {
	k, p := keys(t, 1, "AEAD_AES_128_GCM")
	s := newSRTPScene(t, nil)
	s.rtp(0, exact, 7, 1)
	s.rtp(5, peer, 8, 1) // waits
	s.offer(10, k)
	s.rtp(20, exact, 7, 2)
	s.send(30, exact, p, 7, 3)
	s.want(2, 1, 0)
	s.offer(40, nil)
	s.send(50, exact, p, 7, 4) // under way
	s.rtp(60, exact, 7, 5)
	s.rtp(5000, exact, 7, 6)
	s.want(5, 1, 0)
	if want := bytes.Repeat([]byte{4}, 160); !bytes.Equal(s.sink.payloads[2], want) {
		t.Errorf("the packet under way was taken as %x", s.sink.payloads[2][:8])
	}
	if s.f.stats.Strangers != 1 {
		t.Errorf("%d strangers, want the plain packet that waited", s.f.stats.Strangers)
	}
}

// Shows 7866-12.2-06.
func TestSRTPSeveralKeys(t *testing.T) {
	const suite = "AES_CM_128_HMAC_SHA1_80"
	k1, m1 := drawn(t, 1, suite, 0, 1)
	k2, m2 := drawn(t, 2, suite, 0, 2)
	k3, _ := drawn(t, 3, suite, 0, 3)
	_, local := drawn(t, 4, suite)
	s := newSRTPScene(t, &SRTP{Suite: suite, Remote: []MasterKey{m1, m2}, Local: local})
	s.send(0, exact, protector(t, k1), 7, 1, 2)
	s.send(20, exact, protector(t, k2), 7, 3, 4)
	s.send(40, exact, protector(t, k3), 7, 5) // named by no key
	s.want(4, 1, 0)
}

func TestSRTPCheck(t *testing.T) {
	good, _ := keys(t, 1, "AEAD_AES_256_GCM")
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*SRTP){
		"suite":     func(s *SRTP) { s.Suite = "F8_128_HMAC_SHA1_80" },
		"no key":    func(s *SRTP) { s.Remote = nil },
		"short key": func(s *SRTP) { s.Remote[0].Key = s.Remote[0].Key[1:] },
		"own salt":  func(s *SRTP) { s.Local.Salt = nil },
		"same MKI":  func(s *SRTP) { s.Remote = []MasterKey{s.Remote[0], s.Remote[0]} },
	} {
		t.Run(name, func(t *testing.T) {
			s, p := keys(t, 1, "AEAD_AES_256_GCM")
			change(s)
			if err := s.Check(); !errors.Is(err, ErrSRTP) {
				t.Errorf("error %v", err)
			}
			// A receiver that is told all the same takes nothing.
			sc := newSRTPScene(t, s)
			sc.send(0, exact, p, 7, 1)
			sc.rtp(10, exact, 7, 2)
			sc.want(0, 2, 0)
		})
	}
}

// TestSRTPWipesKeys: neither what was decrypted nor a key outlives its use.
func TestSRTPWipesKeys(t *testing.T) {
	k, p := keys(t, 1, "AEAD_AES_128_GCM")
	s := newSRTPScene(t, k)
	s.send(0, exact, p, 7, 1)
	ring := s.f.keys
	if !bytes.Equal(ring.buf, make([]byte, len(ring.buf))) {
		t.Error("what was decrypted is still in the buffer")
	}
	own := []MasterKey{ring.newest.srtp.Remote[0], ring.newest.srtp.Local, ring.localID}
	ring.wipe()
	for i, m := range own {
		if slices.Max(m.Key) != 0 || slices.Max(m.Salt) != 0 {
			t.Errorf("key %d is still there", i)
		}
	}
	if slices.Max(k.Remote[0].Key) == 0 {
		t.Error("the key of the caller was wiped: it is the caller's")
	}
}

// FuzzSRTP throws datagrams at a flow with keys: nothing may be delivered.
// Shows 3711-3.3-01.
func FuzzSRTP(f *testing.F) {
	_, p := keys(f, 2, "AEAD_AES_128_GCM")
	f.Add(p.RTP(packet(f, 7, 1), fixedHeader))
	f.Add(packet(f, 7, 1))
	f.Add(p.RTCP(report))
	f.Add([]byte{0xbf, 0x80, 0, 1})
	suites := src.SRTPSuites()
	f.Fuzz(func(t *testing.T, b []byte) {
		for i, suite := range suites {
			k, _ := keys(t, 1, suite, make([]byte, i)...)
			s := newSRTPScene(t, k)
			s.f.rtp(bytes.Clone(b), exact, s.at(0))
			s.f.rtcp(bytes.Clone(b), exact, s.at(0))
			if len(s.sink.seqs) > 0 || s.f.stats.Byes > 0 || !s.f.stats.SenderReport.At.IsZero() {
				t.Fatalf("%x was taken", b)
			}
		}
	})
}

// BenchmarkSRTP is what a packet costs between the socket and the sink.
func BenchmarkSRTP(b *testing.B) {
	for _, suite := range append([]string{"plain"}, src.SRTPSuites()...) {
		b.Run(suite, func(b *testing.B) {
			var k *SRTP
			var p *src.Protector
			if suite != "plain" {
				k, p = keys(b, 1, suite)
			}
			f := newFlow(zap.NewNop(), 40000)
			at := time.Unix(1_700_000_000, 0)
			f.expect(Expected{RTP: exact, At: at, SRTP: k})
			f.attach(counting{})
			b.ReportAllocs()
			sent := make([][]byte, 0, 4096)
			for i := 0; b.Loop(); i++ {
				if i%cap(sent) == 0 {
					b.StopTimer()
					sent = sent[:0]
					for k := range cap(sent) {
						raw := packet(b, 7, uint16(i+k))
						if p != nil {
							raw = p.RTP(raw, fixedHeader)
						}
						sent = append(sent, raw)
					}
					b.StartTimer()
				}
				f.rtp(sent[i%cap(sent)], exact, at)
			}
			if f.stats.AuthFailed+f.stats.Replayed > 0 || f.stats.Packets == 0 {
				b.Fatalf("stats %+v", f.stats)
			}
		})
	}
}

type counting struct{}

func (counting) WriteRTP(*Packet) {}
