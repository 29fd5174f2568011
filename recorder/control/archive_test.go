package control

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/recorder/store"
)

func TestRecording(t *testing.T) {
	b := newBench(t, entry(t, "acme", []string{"acme"}, "read"), entry(t, "other", []string{"other"}, "read", "erase"))
	r := b.ask("acme", "GET", "/v1/recordings/old", "")
	b.wantFine(r)
	var got Recording
	if r.into(t, &got); !reflect.DeepEqual(got, b.archive.recording) {
		t.Errorf("%s", r.text)
	}
	none, foreign := b.ask("other", "GET", "/v1/recordings/none", ""), b.ask("other", "GET", "/v1/recordings/old", "")
	b.wantProblem(none, 404, "not-found")
	if none.text != foreign.text {
		t.Errorf("%s tells that it is there, beside %s", foreign.text, none.text)
	}
	b.wantProblem(b.ask("other", "POST", "/v1/recordings/old/erase", `{"reason": "r"}`), 404, "not-found")
	b.wantProblem(b.ask("acme", "GET", "/v1/recordings/old?a=b", ""), 400, "malformed")
	if len(b.archive.done) != 0 {
		t.Errorf("%v", b.archive.done)
	}
}

func TestDispose(t *testing.T) {
	b := newBench(t, entry(t, "officer", []string{"acme"}, "retention", "erase"))
	for _, what := range []string{"hold", "release", "erase"} {
		body, matter := `{"reason": "case 17", "matter": "m"}`, "m"
		if what == "erase" {
			body, matter = `{"reason": "case 17"}`, ""
			b.wantProblem(b.ask("officer", "POST", "/v1/recordings/old/erase", `{"reason": "r", "matter": "m"}`), 400, "malformed")
		}
		r := b.ask("officer", "POST", "/v1/recordings/old/"+what, body, "On-Behalf-Of", "Jane")
		b.wantFine(r)
		var got Recording
		if r.into(t, &got); got.Recording != "old" {
			t.Errorf("%s", r.text)
		}
		if o := b.archive.orders[len(b.archive.orders)-1]; o != (Order{By: "officer for Jane", Reason: "case 17", Matter: matter, At: instant()}) {
			t.Errorf("%s: %+v", what, o)
		}
		for body, field := range map[string]string{
			`{}`: "reason", `{"reason": ""}`: "reason", `{"reason": "a\nb"}`: "reason", `{"why": "x"}`: "why",
			`{"reason": "` + strings.Repeat("x", 2000) + `"}`: "reason", `{"reason": "r", "by": "me"}`: "by", `{"reason": " "}`: "reason",
		} {
			if p := b.wantProblem(b.ask("officer", "POST", "/v1/recordings/old/"+what, body), 400, "malformed"); p.Field != field {
				t.Errorf("%s %.40s: %+v", what, body, p)
			}
		}
	}
	if !slices.Equal(b.archive.done, []string{"hold", "release", "erase"}) {
		t.Errorf("%v", b.archive.done)
	}
	for _, tt := range []struct {
		err    error
		status int
		kind   string
	}{
		{fmt.Errorf("erase: %w", recorder.ErrHeld), 409, "held"},
		{fmt.Errorf("release: %w", recorder.ErrNotHeld), 409, "not-held"},
		{store.ErrUnfinished, 409, "unfinished"},
		{store.ErrErased, 410, "erased"},
		{store.ErrID, 404, "not-found"},
		{errors.New("disk"), 500, "internal"},
	} {
		b.archive.err = tt.err
		b.wantProblem(b.ask("officer", "POST", "/v1/recordings/old/erase", `{"reason": "r"}`), tt.status, tt.kind)
	}
}

// Without an archive nothing of it is there.
func TestNoArchive(t *testing.T) {
	b := newBench(t, entry(t, "officer", []string{"*"}, "read", "retention", "erase"))
	b.cfg.Archive = nil
	b.wantProblem(b.ask("officer", "GET", "/v1/recordings/old", ""), 404, "not-found")
	b.wantProblem(b.ask("officer", "POST", "/v1/recordings/old/hold", `{"reason": "r"}`), 404, "not-found")
}
