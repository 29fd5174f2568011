package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/recorder/control"
	"github.com/siprecd/siprecd/recorder/store"
)

const (
	// controlPolicy lets the own people pause; which they are, controlPeople says.
	controlPolicy = `accounts:
  - {name: main, control: all, consent: off, owner: {continue-after-transfer: on}, trunks: [{name: all, record: on, profile: desk}]}
profiles:
  - {name: desk, wire: [parties, caller, hold], api: [manual, direction, consult, ivr, queue, menu, consent, withdrawal, user-recording]}
mapping:
  - {address: 127.0.0.0/8, account: main, trunk: all}
`
	controlPeople = "agents: [{name: Alice, aors: [sip:alice@contact.example.com]}]\n"

	agentAOR    = "sip:alice@contact.example.com"
	customerAOR = "sip:+15550101@carrier.example.net"
)

// A desk is a running server with a control interface, and a call on it.
type desk struct {
	t       *testing.T
	dir     string
	args    []string
	process *process
	tokens  map[string]string // by name
	dialog  *src.Dialog
	talk    *src.Conversation
	inbound bool // the customer calls
	began   time.Time
	hush    func() // ends what is spoken
}

// newDesk starts a server. Its token desk may do everything, reader may look up.
func newDesk(t *testing.T) *desk {
	t.Helper()
	return newDeskUnder(t, controlPolicy)
}

// newDeskUnder starts a server under a policy file, with further flags.
func newDeskUnder(t *testing.T, policy string, flags ...string) *desk {
	t.Helper()
	d := &desk{t: t, dir: t.TempDir(), tokens: make(map[string]string)}
	var entries string
	for name, rights := range map[string][]string{"desk": {"read", "control", "facts", "consent", "consent-no"}, "reader": {"read"}, "stranger": {"read", "control"}, "officer": {"read", "retention", "erase"}} {
		accounts := "main"
		if name == "stranger" {
			accounts = "other"
		}
		text, sum := control.NewToken()
		line, err := control.TokenLine(name, sum, []string{accounts}, rights)
		if err != nil {
			t.Fatal(err)
		}
		d.tokens[name] = text
		entries += line
	}
	first := 16400 + 200*rand.IntN(20)
	d.args = []string{
		"--rtp-ports", fmt.Sprintf("%d-%d", first, first+199), "--min-free", "0", "--control", "127.0.0.1:0",
		"--policy", d.file("policy.yaml", policy), "--directory", d.file("directory.yaml", controlPeople),
		"--control-tokens", d.file("tokens.yaml", entries), "--listen",
	}
	d.args = slices.Concat(flags, d.args)
	var err error
	if d.process, err = startProcess(d.dir, append(slices.Clone(d.args), "udp:127.0.0.1:0")...); err != nil {
		t.Fatal(err)
	}
	d.args = append(d.args, "udp:"+d.process.udp)
	t.Cleanup(func() { d.process.kill() })
	return d
}

func (d *desk) file(name, text string) string {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
	return path
}

// call begins a call between agent and customer, each of whom counts on a stream of his
// own until hush.
func (d *desk) call() {
	d.t.Helper()
	c := client(d.t, d.process)
	agent, customer := src.Party{AOR: agentAOR, Name: "Alice", Label: "1"}, src.Party{AOR: customerAOR, Name: "Bob", Label: "2"}
	parties := []src.Party{agent, customer}
	if d.inbound {
		slices.Reverse(parties)
	}
	d.talk = src.NewConversation(c.IDs(), time.Now(), parties...)
	var err error
	d.dialog, err = c.Invite(d.t.Context(), src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: d.talk.Complete()})
	if err != nil || d.dialog.Final().Status != 200 {
		d.t.Fatalf("INVITE: %v", err)
	}
	d.began = time.Now()
	talking, hush := context.WithCancel(d.t.Context())
	var speaking sync.WaitGroup
	for i := range 2 {
		speaking.Go(func() {
			err := d.dialog.Stream(i).Play(talking, src.Counter(src.PCMU()), src.PlayOptions{Codec: src.PCMU()})
			if err != nil && talking.Err() == nil {
				d.t.Errorf("stream %d: %v", i, err)
			}
		})
	}
	d.hush = func() { hush(); speaking.Wait() }
	d.t.Cleanup(d.hush)
}

// ask sends a request and reads what it is answered with.
func (d *desk) ask(token, method, path string, body, into any) (status int) {
	d.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		d.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(d.t.Context(), method, "http://"+d.process.control+path, strings.NewReader(string(text)))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+d.tokens[token])
	r.Header.Set("Content-Type", "application/json")
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err == nil && into != nil {
		err = json.Unmarshal(got, into)
	}
	if err != nil {
		d.t.Fatalf("%s %s: %v in %s", method, path, err, got)
	}
	return answer.StatusCode
}

// state finds the call by its Call-ID.
func (d *desk) state() recorder.State {
	d.t.Helper()
	var found struct{ Interactions []recorder.State }
	if s := d.ask("reader", "GET", "/v1/interactions?call_id="+url.QueryEscape(d.dialog.CallID()), nil, &found); s != 200 || len(found.Interactions) != 1 {
		d.t.Fatalf("looking up: %d, %+v\n%s", s, found, d.process.log.String())
	}
	return found.Interactions[0]
}

// command gives a command that has to be carried out.
func (d *desk) command(c recorder.Command) recorder.Answer {
	d.t.Helper()
	var a recorder.Answer
	if s := d.ask("desk", "POST", "/v1/interactions/"+d.state().Recording+"/commands", c, &a); s != 200 {
		d.t.Fatalf("%+v was answered %d", c, s)
	}
	return a
}

// paused checks that everything is withheld because the agent paused.
func (d *desk) paused(s recorder.State) {
	d.t.Helper()
	manual := func(c store.Cause) bool { return c.Cause == "manual" }
	if s.Kept || !slices.ContainsFunc(s.Causes, manual) || len(s.Streams) != 2 {
		d.t.Errorf("not paused: %+v", s)
	}
	for _, st := range s.Streams {
		if st.Verdict != "withhold" || !slices.ContainsFunc(st.Causes, manual) {
			d.t.Errorf("stream %+v is not paused", st)
		}
	}
}

// A hush is a time in which nothing may be kept. The edges were told, or lie between two
// instants.
type hush struct{ from, to, toLatest time.Time }

// end ends the call, stops the server, and looks for each frame in the files: those of a
// time in which nothing may be kept are silent, and all others are there.
func (d *desk) end(hushes []hush, outages []outage) {
	t := d.t
	t.Helper()
	d.hush()
	if m, err := d.dialog.Bye(deadline(t), src.Request{}); err != nil || m.Status != 200 {
		t.Fatalf("BYE: %v, %v", m, err)
	}
	if err := d.process.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code, err := d.process.wait(); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v\n%s", code, err, d.process.log.String())
	}
	kept := recordingsOf(t, filepath.Join(d.dir, "data"))[d.dialog.CallID()]
	if len(kept) != 1 || len(kept[0].Files) != 2 {
		t.Fatalf("recordings %+v", kept)
	}
	for i := range 2 {
		n := slices.IndexFunc(kept[0].Files, func(f store.File) bool { return slices.Equal(f.Streams, []string{fmt.Sprintf("%d.0", i)}) })
		if n < 0 {
			t.Fatalf("no file of stream %d: %+v", i, kept[0].Files)
		}
		d.check(samplesOf(t, filepath.Join(kept[0].folder, kept[0].Files[n].Name)), i, hushes, outages)
	}
}

const frameTime = 20 * time.Millisecond

func (d *desk) check(got []int16, stream int, hushes []hush, outages []outage) {
	t := d.t
	t.Helper()
	sent := d.dialog.Stream(stream).Sent()
	start := (&crashCall{t: t, dialog: d.dialog}).align(got, sent)
	silent, heard := 0, 0
	var worst lost
	for n, s := range sent {
		at := start + n*frame
		inside := slices.ContainsFunc(hushes, func(h hush) bool { return s.At.After(h.from.Add(frameTime)) && s.At.Before(h.to.Add(-frameTime)) })
		near := slices.ContainsFunc(hushes, func(h hush) bool {
			return s.At.After(h.from.Add(-2*frameTime)) && s.At.Before(h.toLatest.Add(frameTime))
		})
		whole := holds(got, at, counterFrame(n))
		switch {
		case inside && at >= 0 && at+frame <= len(got) && slices.ContainsFunc(got[at:at+frame], func(v int16) bool { return v != 0 }):
			t.Fatalf("stream %d: frame %d, sent %v after the answer, is heard in part or whole", stream, n, s.At.Sub(d.began))
		case inside:
			silent++
		case whole:
			heard++
		case !near && !excused(s.At, outages, &worst):
			t.Fatalf("stream %d: frame %d of %d, sent %v after the answer, is missing", stream, n, len(sent), s.At.Sub(d.began))
		}
	}
	if silent == 0 || heard == 0 {
		t.Errorf("stream %d: %d frames are silent and %d heard", stream, silent, heard)
	}
}

// TestControlPause: what is said while the agent pauses is in no file, also when the
// pause is told late, and all else is.
func TestControlPause(t *testing.T) {
	d := newDesk(t)
	ctx := t.Context()
	d.call()
	pause(ctx, 600*time.Millisecond)
	s := d.state()
	if !s.Kept || len(s.Causes) != 0 || s.Account != "main" || s.Trunk != "all" || s.ConsentStep || len(s.Parties) != 2 {
		t.Fatalf("%+v", s)
	}
	path := "/v1/interactions/" + s.Recording + "/commands"

	// Who may not, cannot.
	pauseIt := recorder.Command{Action: recorder.ActPause, Party: agentAOR}
	var problem struct{ Type, Detail, Right, Field string }
	if got := d.ask("reader", "POST", path, pauseIt, &problem); got != 403 || problem.Right != "control" {
		t.Errorf("a token without the right: %d, %+v", got, problem)
	}
	if got := d.ask("stranger", "POST", path, pauseIt, &problem); got != 404 {
		t.Errorf("a token of another account: %d", got)
	}
	var refused struct {
		Detail string
		State  recorder.State
	}
	if got := d.ask("desk", "POST", path, recorder.Command{Action: recorder.ActPause, Party: customerAOR}, &refused); got != 409 || refused.Detail == "" || !refused.State.Kept {
		t.Errorf("a pause by the customer: %d, %+v", got, refused)
	}
	if got := d.ask("desk", "POST", path, recorder.Command{Action: recorder.ActPause, Party: "sip:nobody@example.com"}, &problem); got != 400 || problem.Field != "party" {
		t.Errorf("a pause by nobody: %d, %+v", got, problem)
	}
	if got := d.ask("desk", "POST", path, recorder.Command{Action: recorder.ActPause, Party: agentAOR, At: s.Begun.Add(-time.Second)}, &problem); got != 400 || problem.Field != "at" {
		t.Errorf("a pause before the call: %d, %+v", got, problem)
	}
	if s := d.state(); !s.Kept {
		t.Fatalf("what was refused withholds: %+v", s)
	}

	var hushes []hush
	before := time.Now()
	a := d.command(recorder.Command{Action: recorder.ActPause, Party: agentAOR, Key: "one"})
	d.paused(a.State)
	if a.Repeated || a.AbsentFrom.Before(before.Add(-time.Millisecond)) || a.AbsentFrom.After(time.Now()) {
		t.Errorf("absent from %v, %v after it was asked; repeated %v", a.AbsentFrom, a.AbsentFrom.Sub(before), a.Repeated)
	}
	pause(ctx, 300*time.Millisecond)
	again := d.command(recorder.Command{Action: recorder.ActPause, Party: agentAOR, Key: "one"})
	if d.paused(again.State); !again.Repeated || !again.AbsentFrom.Equal(a.AbsentFrom) {
		t.Errorf("said again: %+v", again)
	}
	// With the same key, something else is no repetition.
	if got := d.ask("desk", "POST", path, recorder.Command{Action: recorder.ActResume, Party: agentAOR, Key: "one"}, &problem); got != 400 || problem.Field != "key" {
		t.Errorf("another command with the same key: %d, %+v", got, problem)
	}
	resumed := time.Now()
	a = d.command(recorder.Command{Action: recorder.ActResume, Party: agentAOR})
	hushes = append(hushes, hush{again.AbsentFrom, resumed, time.Now()})
	if !a.State.Kept || len(a.State.Causes) != 0 || !a.AbsentFrom.IsZero() {
		t.Errorf("resumed: %+v", a)
	}
	pause(ctx, 600*time.Millisecond)

	// A pause that is told late takes back what was not written yet.
	at := time.Now().Add(-300 * time.Millisecond).Round(0)
	a = d.command(recorder.Command{Action: recorder.ActPause, Party: agentAOR, At: at})
	if d.paused(a.State); !a.AbsentFrom.Equal(at) {
		t.Errorf("absent from %v, %v after the instant that was told", a.AbsentFrom, a.AbsentFrom.Sub(at))
	}
	pause(ctx, 200*time.Millisecond)
	resumed = time.Now()
	d.command(recorder.Command{Action: recorder.ActResume, Party: agentAOR})
	hushes = append(hushes, hush{at, resumed, time.Now()})
	pause(ctx, 600*time.Millisecond)
	d.end(hushes, nil)
	if log := d.process.log.String(); strings.Contains(log, "alice") || strings.Contains(log, "15550101") {
		t.Errorf("the log tells of people:\n%s", log)
	}
}

// TestPauseSurvivesKill: an answered pause is in force when a killed server is back.
func TestPauseSurvivesKill(t *testing.T) {
	d := newDesk(t)
	ctx := t.Context()
	d.call()
	pause(ctx, 500*time.Millisecond)
	a := d.command(recorder.Command{Action: recorder.ActPause, Party: agentAOR, Key: "one", Reason: "a number is read out"})
	o := d.killed()
	d.paused(d.state())
	again := d.command(recorder.Command{Action: recorder.ActPause, Party: agentAOR, Key: "one", Reason: "a number is read out"})
	if d.paused(again.State); !again.Repeated {
		t.Errorf("what was answered before the kill is not known: %+v", again)
	}
	pause(ctx, lateToRise+300*time.Millisecond)
	resumed := time.Now()
	if a := d.command(recorder.Command{Action: recorder.ActResume, Party: agentAOR}); !a.State.Kept {
		t.Errorf("resumed: %+v", a)
	}
	h := hush{a.AbsentFrom, resumed, time.Now()}
	pause(ctx, 600*time.Millisecond)
	d.end([]hush{h}, []outage{o})
}
