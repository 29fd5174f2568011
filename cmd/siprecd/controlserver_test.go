package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/recorder/control"
	"github.com/siprecd/siprecd/recorder/store"
)

// TestControlRecordings: a legal hold is put on a recording while it goes on, keeps it from
// being erased, and is released.
func TestControlRecordings(t *testing.T) {
	d := newDesk(t)
	d.call()
	pause(t.Context(), 300*time.Millisecond)
	path := "/v1/recordings/" + d.state().Recording
	why := map[string]string{"reason": "case 17", "matter": "17"}
	do := func(token, what string, body any, status int, kind string) control.Recording {
		t.Helper()
		var got struct {
			control.Recording
			Type string
		}
		method := "POST"
		if what == "" {
			method = "GET"
		}
		if s := d.ask(token, method, path+what, body, &got); s != status || got.Type != kind {
			t.Fatalf("%s: %d, %+v", what, s, got)
		}
		return got.Recording
	}
	const urn = "urn:siprecd:problem:"
	if r := do("reader", "", nil, 200, ""); r.State != control.StateRecording || r.Held || r.Account != "main" || r.Begun.IsZero() {
		t.Errorf("while it goes on: %+v", r)
	}
	do("stranger", "", nil, 404, urn+"not-found")
	do("desk", "/hold", why, 403, urn+"forbidden")
	if r := do("officer", "/hold", why, 200, ""); !r.Held || len(r.Holds) != 1 || r.Holds[0].Reason != "case 17" || r.Holds[0].Matter != "17" || r.Holds[0].By != "officer" {
		t.Errorf("held: %+v", r)
	}
	do("officer", "/erase", map[string]string{"reason": "asked for"}, 409, urn+"unfinished")
	d.hush()
	if _, err := d.dialog.Bye(deadline(t), src.Request{}); err != nil {
		t.Fatal(err)
	}
	if err := d.process.log.await(deadline(t), "recording finalised"); err != nil {
		t.Fatal(err)
	}
	if r := do("reader", "", nil, 200, ""); r.State != control.StateFinished || !r.Held || r.Account != "main" || r.Ended.IsZero() || !slices.Contains([]store.Verdict{store.OK, store.Partial}, r.Verdict) {
		t.Errorf("finished: %+v", r)
	}
	do("officer", "/erase", map[string]string{"reason": "asked for"}, 409, urn+"held")
	do("officer", "/release", map[string]string{"reason": "over", "matter": "18"}, 409, urn+"not-held")
	if r := do("officer", "/release", why, 200, ""); r.Held {
		t.Errorf("released: %+v", r)
	}
	for range 2 { // once more is no mistake
		r := do("officer", "/erase", map[string]string{"reason": "asked for"}, 200, "")
		if r.State != control.StateErased || r.Erased == nil || !r.Erased.Complete || r.Erased.By != "officer" || r.Erased.Reason != "asked for" || r.Account != "main" {
			t.Errorf("erased: %+v", r)
		}
	}
	do("officer", "/hold", why, 410, urn+"erased")
	path = "/v1/recordings/20260101T000000Z-aaaaaaaaaa"
	do("officer", "", nil, 404, urn+"not-found")
}

// TestControlReload: at SIGHUP the tokens are read again; a file that cannot be read
// leaves those of before.
func TestControlReload(t *testing.T) {
	d := newDesk(t)
	path := filepath.Join(d.dir, "tokens.yaml")
	reload := func(text, want string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := d.process.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		if err := d.process.log.await(deadline(t), want); err != nil {
			t.Fatal(err)
		}
	}
	status := func(token string) int { return d.ask(token, "GET", "/v1/interactions", nil, nil) }
	if got := status("reader"); got != 200 {
		t.Errorf("reader: %d", got)
	}
	reload("- {}\n", "control tokens stay as they were")
	if got := status("reader"); got != 200 {
		t.Errorf("reader after a file that cannot be read: %d", got)
	}
	text, sum := control.NewToken()
	line, err := control.TokenLine("new", sum, []string{"*"}, []string{"read"})
	if err != nil {
		t.Fatal(err)
	}
	d.tokens["new"] = text
	reload(line, "control tokens in force")
	if got, old := status("new"), status("reader"); got != 200 || old != 401 {
		t.Errorf("new: %d, reader: %d", got, old)
	}
}

// TestControlFeedsPolicy: what a profile leaves to other systems is warned of where they
// have no way in, and only there.
func TestControlFeedsPolicy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte(controlPolicy), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"", "127.0.0.1:0"} {
		core, logs := observer.New(zap.WarnLevel)
		book, err := openRulebook(settings{Policy: file, Data: t.TempDir(), Control: address}, nil, zap.New(core))
		if err != nil {
			t.Fatal(err)
		}
		warned := false
		for _, l := range logs.All() {
			warned = warned || strings.Contains(fmt.Sprint(l.ContextMap()["nothing_tells"]), "manual")
		}
		if warned != (address == "") || (len(book.Taken().API) > 0) == (address == "") {
			t.Errorf("control %q: warned %v, taken %v", address, warned, book.Taken().API)
		}
	}
}
