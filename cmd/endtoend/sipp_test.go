package endtoend

import (
	"context"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/recorder/store"
)

// TestSipp lets sipp, which shares nothing with us, be the SRC.
func TestSipp(t *testing.T) {
	sipp := needTool(t, "sipp", "sip-tester")
	for _, tt := range []struct {
		scenario string
		calls    int
		check    func(*testing.T, *lab, store.Manifest)
	}{
		{"basic", 1, checkSippTone},
		{"basic", 20, checkSippTone},
		{"hold-reinvite", 1, checkSippHoldBySDP},
		{"hold-metadata", 1, checkSippHoldByMetadata},
		{"update-metadata", 1, checkSippTone},
		{"bye-metadata", 1, checkSippTone},
	} {
		for _, network := range []string{"udp", "tcp"} {
			t.Run(tt.scenario+"/"+network+"/"+strconv.Itoa(tt.calls), func(t *testing.T) {
				l := newLab(t, "127.0.0.1", nil)
				runSipp(t, sipp, l.address(network), network, tt.scenario, tt.calls)
				all := l.manifests()
				if len(all) != tt.calls {
					t.Fatalf("%d recordings of %d calls", len(all), tt.calls)
				}
				for _, m := range all {
					if m.EndReason != "bye" {
						t.Errorf("%s ended by %q", m.Recording, m.EndReason)
					}
					if len(m.Participants) != 2 {
						t.Errorf("%s has %d participants, want 2", m.Recording, len(m.Participants))
					}
					tt.check(t, l, m)
				}
			})
		}
	}
}

// runSipp plays a scenario; sipp fails when an answer is not as the scenario
// wants it.
func runSipp(t *testing.T, sipp, target, network, scenario string, calls int) {
	t.Helper()
	dir := t.TempDir()
	tone, err := src.Encode(src.PCMU(), sine(440, 8000))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tone.ulaw"), tone, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := filepath.Abs(filepath.Join("testdata", "sipp", scenario+".xml"))
	if err != nil {
		t.Fatal(err)
	}
	mode := "u1"
	if network == "tcp" {
		mode = "t1"
	}
	port := freePorts(t, 6) // SIP, then RTP and RTCP of audio and video
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, sipp, target, "-sf", file, "-t", mode,
		"-i", "127.0.0.1", "-mi", "127.0.0.1", "-p", strconv.Itoa(port), "-mp", strconv.Itoa(port+2),
		"-m", strconv.Itoa(calls), "-l", strconv.Itoa(calls), "-r", "100", "-nostdin", "-trace_err", "-timeout", "50")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		errs, _ := filepath.Glob(filepath.Join(dir, "*_errors.log"))
		for _, f := range errs {
			text, _ := os.ReadFile(f)
			t.Logf("%s", text)
		}
		t.Fatalf("sipp: %v\n%s", err, out[max(0, len(out)-2000):])
	}
}

// freePorts finds the first of n ports of 127.0.0.1 that are free on UDP and TCP, for a
// program that cannot choose by itself. They lie where neither the system nor the
// server takes any, and so are still free a moment later.
func freePorts(t *testing.T, n int) int {
	t.Helper()
	const lowest, highest = 10000, 16000
	for range 1000 {
		first := lowest + 2*rand.IntN((highest-lowest)/2)
		next := first
		for next < first+n && isFree(next) {
			next++
		}
		if next == first+n {
			return first
		}
	}
	t.Fatal("no ports are free")
	return 0
}

func isFree(port int) bool {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	l, err := net.Listen("tcp", address)
	if err != nil {
		return false
	}
	defer l.Close()
	c, err := net.ListenPacket("udp", address)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

func sine(hz float64, samples int) []int16 {
	out := make([]int16, samples)
	for i := range out {
		out[i] = int16(12000 * math.Sin(2*math.Pi*hz*float64(i)/8000))
	}
	return out
}

// checkSippTone wants the tone in the file of the first party: sipp feeds one
// stream only.
func checkSippTone(t *testing.T, l *lab, m store.Manifest) {
	t.Helper()
	if got := seconds(l.audio(m, "agent"), 440); got < 0.4 {
		t.Errorf("%s: the tone is heard for %.2f s", m.Recording, got)
	}
	if m.Streams[1].Packets.Received > 0 {
		t.Errorf("%s: stream 2 received packets that nobody sent", m.Recording)
	}
}

// checkSippHoldBySDP wants 0.6 s of silence, the hold, between two tones.
func checkSippHoldBySDP(t *testing.T, l *lab, m store.Manifest) {
	t.Helper()
	checkSippTone(t, l, m)
	if m.Streams[0].Packets.Withheld == 0 {
		t.Errorf("nothing was withheld while the streams were inactive")
	}
	// sipp takes its pauses as long as the machine lets it.
	want := 0.0
	for _, p := range m.Streams[0].Permitted {
		want += float64(p.ToMS-p.FromMS) / 1000
	}
	if got := seconds(l.audio(m, "agent"), 440); want < 1.1 || got < want-0.15 || got > want+0.04 {
		t.Errorf("the tone is heard for %.2f s, want %.2f s", got, want)
	}
	if len(m.Streams[0].Permitted) != 2 {
		t.Errorf("permitted %v, want two intervals", m.Streams[0].Permitted)
	}
}

// checkSippHoldByMetadata wants the tone to go on: the policy records what
// comes, but the manifest knows when nobody was sending.
func checkSippHoldByMetadata(t *testing.T, l *lab, m store.Manifest) {
	t.Helper()
	if len(m.Metadata) != 3 || slices.ContainsFunc(m.Metadata, func(d store.Document) bool { return !d.Readable }) {
		t.Errorf("metadata = %+v, want three readable documents", m.Metadata)
	}
	if len(m.Streams[0].Permitted) != 1 {
		t.Errorf("permitted %v, want one interval", m.Streams[0].Permitted)
	}
	for _, p := range m.Participants {
		if len(p.Sent) != 2 {
			t.Errorf("%s sent in %v, want two parts with the hold between them", p.Title(), p.Sent)
		}
	}
}
