// Package endtoend proves the whole server from outside: real SIP and RTP in,
// finished files out.
package endtoend

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-audio/wav"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
	"github.com/siprecd/siprecd/siprec/media"
)

// A lab is a server with a recorder behind it, on ports of its own.
type lab struct {
	t      testing.TB
	dir    string
	server *siprec.Server
	rec    *recorder.Recorder
	stop   context.CancelFunc
	served chan error
	down   bool
}

// newLab starts a server on UDP and TCP of an address. SIPRECD_TEST_MEDIA_READER names
// the reader of its media; without it, it is the default.
func newLab(t testing.TB, host string, change func(*siprec.Config)) *lab {
	t.Helper()
	log := zap.NewNop()
	if testing.Verbose() {
		log = zaptest.NewLogger(t, zaptest.Level(zap.InfoLevel))
	}
	l := &lab{t: t, dir: t.TempDir(), served: make(chan error, 1)}
	var err error
	l.rec, err = recorder.New(recorder.Config{Dir: l.dir, Policy: rules.RecordAll(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	cfg := siprec.Config{
		Listen:  []siprec.Endpoint{{Network: "udp", Address: host + ":0"}, {Network: "tcp", Address: host + ":0"}},
		Handler: l.rec, Log: log,
		Media: media.Config{Reader: media.Reader(os.Getenv("SIPRECD_TEST_MEDIA_READER"))},
	}
	if change != nil {
		change(&cfg)
	}
	if l.server, err = siprec.Listen(cfg); err != nil {
		t.Fatal(err)
	}
	var ctx context.Context
	ctx, l.stop = context.WithCancel(context.Background())
	go func() { l.served <- l.server.Serve(ctx) }()
	t.Cleanup(func() { l.shutdown() })
	return l
}

// address is where the server listens for a transport.
func (l *lab) address(network string) string {
	for _, e := range l.server.Endpoints() {
		if e.Network == network {
			return e.Address
		}
	}
	l.t.Fatalf("the server does not listen on %s", network)
	return ""
}

// client opens an SRC towards the server.
func (l *lab) client(network string) *src.SRC {
	l.t.Helper()
	c, err := src.New(l.t.Context(), src.Config{Target: l.address(network), Transport: network})
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { c.Close() })
	return c
}

// shutdown ends the server and waits until every file is finished.
func (l *lab) shutdown() {
	if l.down {
		return
	}
	l.down = true
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := l.server.Shutdown(ctx); err != nil {
		l.t.Errorf("shutdown: %v", err)
	}
	if err := <-l.served; err != nil {
		l.t.Errorf("serve: %v", err)
	}
	l.stop()
	if err := l.rec.Close(ctx); err != nil {
		l.t.Errorf("close recorder: %v", err)
	}
}

// manifests shuts the server down and reads every recording; all must be
// finished.
func (l *lab) manifests() []store.Manifest {
	l.t.Helper()
	l.shutdown()
	list, err := store.List(l.dir)
	if err != nil {
		l.t.Fatal(err)
	}
	var out []store.Manifest
	for _, s := range list {
		if s.State != store.Finished {
			l.t.Errorf("recording %s is %s: %s", s.ID, s.State, s.Error)
			continue
		}
		m, err := store.Load(l.dir, s.ID)
		if err != nil {
			l.t.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}

// manifest is that of the only recording.
func (l *lab) manifest() store.Manifest {
	l.t.Helper()
	all := l.manifests()
	if len(all) != 1 {
		l.t.Fatalf("%d recordings, want 1", len(all))
	}
	return all[0]
}

// audio reads the samples of the file that holds a participant, found by AOR or
// name, and checks it against its manifest.
func (l *lab) audio(m store.Manifest, who string) []int16 {
	l.t.Helper()
	for _, p := range m.Participants {
		if !strings.Contains(strings.Join(append(p.AORs, p.Names...), " "), who) {
			continue
		}
		if len(p.Files) != 1 {
			l.t.Fatalf("%s has %d files, want 1", who, len(p.Files))
		}
		for _, f := range m.Files {
			if f.Name == p.Files[0] {
				return l.samples(m, f)
			}
		}
	}
	l.t.Fatalf("no file of %s among %+v", who, m.Files)
	return nil
}

func (l *lab) samples(m store.Manifest, f store.File) []int16 {
	l.t.Helper()
	folder, err := store.Folder(l.dir, m.Recording)
	if err != nil {
		l.t.Fatal(err)
	}
	path := filepath.Join(folder, f.Name)
	raw, err := os.ReadFile(path)
	if err != nil {
		l.t.Fatal(err)
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != f.SHA256 {
		l.t.Errorf("%s has another SHA-256 than its manifest says", f.Name)
	}
	file, err := os.Open(path)
	if err != nil {
		l.t.Fatal(err)
	}
	defer file.Close()
	d := wav.NewDecoder(file)
	buf, err := d.FullPCMBuffer()
	if err != nil {
		l.t.Fatalf("%s: %v", f.Name, err)
	}
	if d.NumChans != 1 || d.BitDepth != 16 || int(d.SampleRate) != f.Rate {
		l.t.Errorf("%s: %d channels of %d bits at %d Hz", f.Name, d.NumChans, d.BitDepth, d.SampleRate)
	}
	if int64(len(buf.Data)) != f.Samples {
		l.t.Errorf("%s holds %d samples, manifest says %d", f.Name, len(buf.Data), f.Samples)
	}
	out := make([]int16, len(buf.Data))
	for i, s := range buf.Data {
		out[i] = int16(s)
	}
	return out
}

// invite opens a recording session and insists on a 200.
func invite(t *testing.T, c *src.SRC, r src.Request) *src.Dialog {
	t.Helper()
	d, err := c.Invite(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Final().Status; got != 200 {
		t.Fatalf("INVITE answered %d %s: %s", got, d.Final().Reason, d.Final().Get("Warning"))
	}
	return d
}

// do sends a request and insists on a 200.
func do(t *testing.T, d *src.Dialog, method string, r src.Request) *src.Message {
	t.Helper()
	m, err := d.Do(t.Context(), method, r)
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	if m.Status != 200 {
		t.Fatalf("%s answered %d: %s", method, m.Status, m.Get("Warning"))
	}
	return m
}

// play sends sources for a time.
func play(t *testing.T, d *src.Dialog, opt src.PlayOptions, sources ...src.Source) {
	t.Helper()
	if err := d.Play(t.Context(), opt, sources...); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

var (
	alice = src.Party{AOR: "sip:alice@contact.example.com", Name: "Alice", Label: "1"}
	bob   = src.Party{AOR: "sip:+15550101@carrier.example.net", Name: "Bob", Label: "2"}
)

// power is the share of a tone in samples, by Goertzel: 1 for a pure tone.
func power(samples []int16, hz float64, rate int) float64 {
	if len(samples) == 0 {
		return 0
	}
	w := 2 * math.Cos(2*math.Pi*hz/float64(rate))
	var s0, s1, s2, total float64
	for _, x := range samples {
		v := float64(x)
		total += v * v
		s0 = v + w*s1 - s2
		s2, s1 = s1, s0
	}
	if total == 0 {
		return 0
	}
	return 2 * (s1*s1 + s2*s2 - w*s1*s2) / (total * float64(len(samples)))
}

// loud is the first and one past the last sample that is not silence.
func loud(samples []int16) (from, to int) {
	from = len(samples)
	for i, s := range samples {
		if s > 64 || s < -64 {
			from = min(from, i)
			to = i + 1
		}
	}
	return from, to
}

// needTool skips a test whose tool is not installed, naming the Debian package;
// in CI that is a failure.
func needTool(t *testing.T, tool, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		if os.Getenv("SIPRECD_CI") != "" {
			t.Fatalf("%s is missing: install the Debian package %s", tool, debianPackage)
		}
		t.Skipf("%s is not installed (Debian package %s)", tool, debianPackage)
	}
	return path
}
