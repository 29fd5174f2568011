package control

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/siprecd/siprecd/recorder"
)

// A fakeRecorder has live interactions and notes what it is commanded.
type fakeRecorder struct {
	mu       sync.Mutex
	live     []recorder.State
	queries  []recorder.Query
	commands []recorder.Command
	// command, if there is one, answers in its place.
	command func(context.Context, recorder.Query, recorder.Command) (recorder.Answer, error)
}

func (f *fakeRecorder) Find(q recorder.Query) (out []recorder.State) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queries = append(f.queries, q)
	for _, s := range f.live {
		if (q.Recording == "" || q.Recording == s.Recording) && (q.CallID == "" || slices.Contains(s.CallIDs, q.CallID)) {
			out = append(out, s)
		}
	}
	return out
}

func (f *fakeRecorder) Command(ctx context.Context, q recorder.Query, c recorder.Command) (recorder.Answer, error) {
	f.mu.Lock()
	f.queries, f.commands = append(f.queries, q), append(f.commands, c)
	answer := f.command
	f.mu.Unlock()
	if answer != nil {
		return answer(ctx, q, c)
	}
	return recorder.Answer{State: recorder.State{Recording: q.Recording}, AbsentFrom: instant(), Repeated: c.Key == "again"}, nil
}

func instant() time.Time { return time.Date(2026, 11, 21, 14, 30, 5, 250e6, time.UTC) }

// A fakeArchive has one recording.
type fakeArchive struct {
	recording Recording
	err       error // of what is done to it
	done      []string
	orders    []Order
}

func (f *fakeArchive) Recording(id string) (Recording, error) {
	if id != f.recording.Recording {
		return Recording{}, fs.ErrNotExist
	}
	return f.recording, nil
}

func (f *fakeArchive) do(what string, o Order) error {
	f.done, f.orders = append(f.done, what), append(f.orders, o)
	return f.err
}

func (f *fakeArchive) Hold(_ string, o Order) error    { return f.do("hold", o) }
func (f *fakeArchive) Release(_ string, o Order) error { return f.do("release", o) }
func (f *fakeArchive) Erase(_ string, o Order) error   { return f.do("erase", o) }

// A bench is a handler with what is behind it.
type bench struct {
	*Handler
	t       *testing.T
	rec     *fakeRecorder
	archive *fakeArchive
	log     *observer.ObservedLogs
	clock   time.Time
}

// secret is the token of a name in tests.
func secret(name string) string { return name + strings.Repeat("-", minToken) }

// entry is a line of a file of tokens.
func entry(t *testing.T, name string, accounts []string, rights ...string) string {
	t.Helper()
	line, err := TokenLine(name, sumOf(secret(name)), accounts, rights)
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func newBench(t *testing.T, entries ...string) *bench {
	t.Helper()
	tokens, err := parseTokens("tokens.yaml", []byte(strings.Join(entries, "")))
	if err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.DebugLevel)
	b := &bench{t: t, log: logs, clock: instant(), rec: &fakeRecorder{live: []recorder.State{
		{Recording: "one", Account: "acme", CallIDs: []string{"a", "both"}, ConsentStep: true},
		{Recording: "two", Account: "other", CallIDs: []string{"b", "both"}},
		{Recording: "three", Account: "acme", CallIDs: []string{"c"}},
		{Recording: "four", CallIDs: []string{"d"}},
	}}, archive: &fakeArchive{recording: Recording{Recording: "old", State: StateFinished, Account: "acme"}}}
	b.Handler = New(Config{Recorder: b.rec, Archive: b.archive, Tokens: tokens, Log: zap.New(core), Now: func() time.Time { return b.clock }})
	return b
}

// A reply is what came back.
type reply struct {
	*http.Response
	text string
}

// into reads the body.
func (r reply) into(t *testing.T, to any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.text), to); err != nil {
		t.Fatalf("%v in %s", err, r.text)
	}
}

// ask sends a request with the token of a name, and header fields by name and value.
func (b *bench) ask(token, method, path, body string, header ...string) reply {
	b.t.Helper()
	r := b.request(token, method, path, body)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return b.send(r)
}

func (b *bench) request(token, method, path, body string) *http.Request {
	b.t.Helper()
	r := httptest.NewRequestWithContext(b.t.Context(), method, path, strings.NewReader(body))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+secret(token))
	}
	return r
}

func (b *bench) send(r *http.Request) reply {
	b.t.Helper()
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	got := w.Result()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return reply{got, string(text)}
}

// wantProblem checks a problem document (RFC 9457) and returns it.
func (b *bench) wantProblem(r reply, status int, kind string) problem {
	b.t.Helper()
	var p problem
	dec := json.NewDecoder(bytes.NewReader([]byte(r.text)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		b.t.Fatalf("%v in %s", err, r.text)
	}
	if r.StatusCode != status || p.Status != status || p.Type != "urn:siprecd:problem:"+kind || p.Title == "" {
		b.t.Errorf("got %d %s, want %d with a problem %s", r.StatusCode, r.text, status, kind)
	}
	if r.Header.Get("Content-Type") != "application/problem+json" || r.Header.Get("Cache-Control") != "no-store" {
		b.t.Errorf("header %v", r.Header)
	}
	return p
}

// wantFine checks that a request was carried out.
func (b *bench) wantFine(r reply) {
	b.t.Helper()
	if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Cache-Control") != "no-store" {
		b.t.Errorf("got %d %v %s", r.StatusCode, r.Header, r.text)
	}
}
