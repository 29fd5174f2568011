package recorder

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/siprec"
	"github.com/siprecd/siprecd/siprec/media"
)

// A sender report is kept under the permit that covers its arrival, taken back with the
// audio, twice a second at most, and counts as no packet.
func TestTrackKeepsReports(t *testing.T) {
	out, own := &kept{}, &kept{}
	tr := newTrack("r", "s", 3, t0, out)
	tr.join("u", own)
	tell := func(at time.Duration, ntp uint64) {
		tr.WriteSenderReport(&media.SenderReport{SSRC: 7, NTP: ntp, RTP: 4711, At: t0.Add(at)}, "alice")
	}
	tell(10*ms, 1) // nothing is permitted
	if err := tr.Allow(permitFor(t, "r", "s", t0.Add(30*ms)), 5); err != nil {
		t.Fatal(err)
	}
	tell(500*ms, 2) // too soon
	tell(1100*ms, 3)
	tell(1500*ms, 4) // too soon
	tell(2200*ms, 5)
	tell(3300*ms, 6)
	if _, err := tr.Stop("r", t0.Add(3*time.Second)); err != nil {
		t.Fatal(err)
	}
	tell(2900*ms, 7) // read late, too soon
	tell(4400*ms, 8)
	tr.close()
	tell(9*time.Second, 9)
	var got []uint64
	for _, p := range out.packets {
		r, ok := p.Report()
		if !ok || r.CNAME != "alice" || p.Stream != 3 || p.SSRC != 7 || p.Timestamp != 4711 || p.Decision != 5 {
			t.Errorf("kept as %+v", p)
		}
		got = append(got, r.NTP)
	}
	if !slices.Equal(got, []uint64{3, 5}) || len(own.packets) != 0 || out.packets[1].Arrival != 2200*ms {
		t.Errorf("kept the reports %v, and %d that nobody permitted", got, len(own.packets))
	}
	if n := tr.count("r"); n != (trackCounts{}) {
		t.Errorf("counts %+v", n)
	}
}

// reporting sends PCMU on both m-lines, of one sender whose packets on the second take
// 80 ms longer, with a report on each every 2 s.
func reporting(cnames [2]string, from, to float64) func(*fake) *siprec.Event {
	return func(f *fake) *siprec.Event {
		for i, delay := range []time.Duration{0, 80 * ms} {
			sink := f.sinks[i].(media.ReportSink)
			for n := int(from * 50); n < int(to*50); n++ {
				at := sec(float64(n) / 50)
				ssrc := uint32(i + 1)
				sink.WriteRTP(&media.Packet{
					Header:  &rtp.Header{Version: 2, SequenceNumber: uint16(n), Timestamp: uint32(n) * 160, SSRC: ssrc},
					Payload: []byte(tone), Arrival: at.Add(delay),
				})
				f.seq[i]++
				if n%100 == 50 {
					sent := at.Add(10 * ms)
					ntp := uint64(sent.Unix()+2208988800)<<32 | uint64(sent.Nanosecond())<<32/1e9
					sink.WriteSenderReport(&media.SenderReport{SSRC: ssrc, NTP: ntp, RTP: uint32(n)*160 + 80, At: sent.Add(delay)}, cnames[i])
				}
			}
		}
		return nil
	}
}

// Reports reach the finaliser through the capture, and the manifest says what they did:
// also after the server was killed, when half of them are of the process before.
//
// Shows 7866-8.1.1-02.
func TestManifestOfReports(t *testing.T) {
	same, other := [2]string{"a", "a"}, [2]string{"a", "b"}
	check := func(t *testing.T, m store.Manifest, folder string, count, moves int) {
		t.Helper()
		if len(m.Files) != 2 || m.Streams[0].Reports == nil || m.Streams[1].Reports == nil {
			t.Fatalf("files %v, streams %+v", m.Files, m.Streams)
		}
		r := *m.Streams[1].Reports
		if m.Streams[0].Reports.Count != count || r.Count != count || len(m.Streams[0].Reports.Moves) != 0 || len(r.Moves) != moves || len(r.Ignored) != 0 {
			t.Errorf("reports %+v and %+v", m.Streams[0].Reports, r)
		}
		for _, move := range r.Moves {
			if move.ByMS > -79 || move.ByMS < -81 || move.With != m.Streams[0].ID {
				t.Errorf("moved %+v", move)
			}
		}
		begin := 0
		for _, f := range m.Files {
			begin = max(begin, silentSamples(t, filepath.Join(folder, f.Name)))
		}
		if want := 640 * (1 - moves); begin < want-16 || begin > want+16 {
			t.Errorf("a file begins with %d samples of silence, want %d", begin, want)
		}
		if p := m.Streams[1].Packets; p.Kept != p.Received-p.Withheld || p.Lost > 60 {
			t.Errorf("packets %+v", p)
		}
	}
	m, folder, _ := run(t, offered(both, twoParties), reporting(same, 0, 10), ended(10))
	check(t, m, folder, 5, 1)
	m, folder, _ = run(t, offered(both, twoParties), reporting(other, 0, 10), ended(10))
	check(t, m, folder, 5, 0)

	left := killed(t, recordingAll(t.TempDir()), 404, offered(both, twoParties), reporting(same, 0, 4))
	m, folder, _ = recovered(t, recordingAll(left), resumed(5, both), reporting(same, 5, 10), ended(10))
	check(t, m, folder, 5, 1)
}

// silentSamples is how many samples a file of PCM begins with that are 0.
func silentSamples(t *testing.T, path string) (n int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for pcm := pcmOf(t, b); n < len(pcm) && pcm[n] == 0; n++ {
	}
	return n
}
