package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/siprecd/siprecd/conformance/src"
)

// serveProcess runs the program in a fresh folder until the test ends.
func serveProcess(t *testing.T, args ...string) (p *process, dir string) {
	t.Helper()
	dir = t.TempDir()
	p, err := startProcess(dir, append([]string{"--listen", "udp:127.0.0.1:0", "--listen", "tcp:127.0.0.1:0"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p, dir
}

// client is an SRC of the test that talks to the process.
func client(t *testing.T, p *process) *src.SRC {
	t.Helper()
	c, err := src.New(t.Context(), src.Config{Target: p.udp})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// oneParty is an INVITE of one speaker.
func oneParty(c *src.SRC) src.Request {
	conversation := src.NewConversation(c.IDs(), time.Now(), src.Party{AOR: "sip:dave@example.com", Label: "1"})
	return src.Request{
		Streams:  []src.StreamOffer{{Label: "1", Direction: src.SendOnly}},
		Metadata: conversation.Complete(),
	}
}

// invite opens a recording session and sends a short tone into it.
func invite(t *testing.T, ctx context.Context, c *src.SRC) *src.Dialog {
	t.Helper()
	d, err := c.Invite(ctx, oneParty(c))
	if err != nil {
		t.Fatal(err)
	}
	if d.Final().Status != 200 {
		t.Fatalf("INVITE was answered %d", d.Final().Status)
	}
	if err := d.Stream(0).Play(ctx, src.Tone(440, false), src.PlayOptions{Duration: 400 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	return d
}

func manifests(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "data", "*", "*", "*", "*", "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// TestDrain: after SIGTERM new recording sessions are refused with 503 and
// Retry-After, the present one may end by itself, and its files are finished.
// Shows 3261-20.33-01.
func TestDrain(t *testing.T) {
	ctx := deadline(t)
	p, dir := serveProcess(t, "--drain", "10m")
	c := client(t, p)
	d := invite(t, ctx, c)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.log.await(ctx, "stopping"); err != nil {
		t.Fatal(err)
	}
	var refused *src.Message
	for refused == nil {
		other, err := c.Invite(ctx, oneParty(c))
		if err != nil {
			t.Fatal(err)
		}
		// The line is logged just before the server begins to refuse.
		if final := other.Final(); final.Status != 200 {
			refused = final
		} else if _, err := other.Bye(ctx, src.Request{}); err != nil {
			t.Fatal(err)
		}
		other.Close()
	}
	if refused.Status != 503 || refused.Get("Retry-After") == "" {
		t.Errorf("INVITE was answered %d, Retry-After %q, want 503 with one", refused.Status, refused.Get("Retry-After"))
	}
	bye, err := d.Bye(ctx, src.Request{})
	if err != nil {
		t.Fatal(err)
	}
	if bye.Status != 200 {
		t.Errorf("BYE was answered %d, want 200", bye.Status)
	}
	wantEnd(t, p, dir)
}

// TestHurry: when the drain time is over, or a second signal comes, the server
// sends BYE itself, and still finishes the files.
func TestHurry(t *testing.T) {
	for _, tt := range []struct {
		name, drain string
		signals     int
	}{
		{name: "drain time over", drain: "0s", signals: 1},
		{name: "second signal", drain: "10m", signals: 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx := deadline(t)
			p, dir := serveProcess(t, "--drain", tt.drain)
			d := invite(t, ctx, client(t, p))
			for range tt.signals {
				if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
					t.Fatal(err)
				}
				if err := p.log.await(ctx, "stopping"); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := d.NextRequest(ctx, "BYE"); err != nil {
				t.Error(err)
			}
			wantEnd(t, p, dir)
		})
	}
}

// wantEnd waits for exit code 0 and looks for a finished recording that sounds.
func wantEnd(t *testing.T, p *process, dir string) {
	t.Helper()
	code, err := p.wait()
	if err != nil || code != exitOK {
		t.Fatalf("exit code %d, error %v\n%s", code, err, p.log.String())
	}
	sounding := slices.ContainsFunc(manifests(t, dir), func(path string) bool {
		files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*.wav"))
		if err != nil || len(files) != 1 {
			return false
		}
		_, err = checkSound(files[0])
		return err == nil
	})
	if !sounding {
		t.Errorf("no finished recording with one sounding file among %q", manifests(t, dir))
	}
}

// TestReloadOfNothing: SIGHUP without a policy is no warning, each time anew.
func TestReloadOfNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "srcs.yaml")
	if err := os.WriteFile(path, []byte("- {name: a, addresses: any}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ srcs, want string }{{"", "SIGHUP: there is no file to read again"}, {path, "SRCs in force for INVITEs from now on"}} {
		core, logs := observer.New(zap.DebugLevel)
		c := serveCommand{settings: settings{SRCs: tt.srcs}}
		admitted, err := newAdmission(c.settings)
		if err != nil {
			t.Fatal(err)
		}
		c.reload(&server{admitted: admitted}, zap.New(core))
		if lines := logs.All(); len(lines) != 1 || lines[0].Message != tt.want || lines[0].Level != zap.InfoLevel {
			t.Errorf("logged %v, want %q", lines, tt.want)
		}
	}
}
