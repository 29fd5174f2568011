package control

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder"
)

// What is found is what fits and belongs to the accounts of the token.
func TestFind(t *testing.T) {
	b := newBench(t, entry(t, "acme", []string{"acme"}, "read"), entry(t, "all", []string{"*"}, "read"), entry(t, "deaf", []string{"*"}, "facts"))
	for _, tt := range []struct{ token, query, want string }{
		{"acme", "", "one three"},
		{"acme", "?call_id=both", "one"},
		{"acme", "?call_id=b", ""},
		{"acme", "?call_id=d", ""},
		{"all", "", "one two three four"},
		{"all", "?call_id=both", "one two"},
		{"all", "?recording=two", "two"},
	} {
		r := b.ask(tt.token, "GET", "/v1/interactions"+tt.query, "")
		b.wantFine(r)
		var got found
		r.into(t, &got)
		ids := []string{}
		for _, s := range got.Interactions {
			ids = append(ids, s.Recording)
		}
		if got.Interactions == nil || strings.Join(ids, " ") != tt.want {
			t.Errorf("%s%s: %v, want %s", tt.token, tt.query, ids, tt.want)
		}
	}
	if p := b.wantProblem(b.ask("deaf", "GET", "/v1/interactions", ""), 403, "forbidden"); p.Right != "read" {
		t.Errorf("%+v", p)
	}
	b.wantProblem(b.ask("deaf", "GET", "/v1/interactions/one", ""), 403, "forbidden")
}

func TestQueryOfURL(t *testing.T) {
	b := newBench(t, entry(t, "all", []string{"*"}, "read"))
	b.wantFine(b.ask("all", "GET", "/v1/interactions?recording=r&call_id=c%40h&participant=+1555&agent=a+b&extension=%2B17&group=g&vendor_id=v&account=x", ""))
	want := recorder.Query{Recording: "r", CallID: "c@h", Participant: "+1555", Agent: "a b", Extension: "+17", Group: "g", VendorID: "v", Account: "x"}
	if got := b.rec.queries[0]; got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	for query, field := range map[string]string{
		"?callid=a": "callid", "?call_id=": "call_id", "?call_id=a&call_id=b": "call_id", "?call_id=%zz": "", "?a;b": "", "?" + strings.Repeat("n", 80) + "=": strings.Repeat("n", 64) + "...",
	} {
		if p := b.wantProblem(b.ask("all", "GET", "/v1/interactions"+query, ""), 400, "malformed"); p.Field != field {
			t.Errorf("%s: field %q, want %q", query, p.Field, field)
		}
	}
	b.wantProblem(b.ask("all", "GET", "/v1/interactions/one?call_id=a", ""), 400, "malformed")
	if p := b.wantProblem(b.ask("all", "GET", "/v1/interactions?agent=%0a", ""), 400, "malformed"); p.Field != "agent" {
		t.Errorf("%+v", p)
	}
	b.wantProblem(b.ask("all", "GET", "/v1/interactions/"+strings.Repeat("r", 300), ""), 400, "malformed")
}

// One that is not there and one of another account cannot be told apart.
func TestState(t *testing.T) {
	b := newBench(t, entry(t, "acme", []string{"acme"}, "read"))
	r := b.ask("acme", "GET", "/v1/interactions/one", "")
	b.wantFine(r)
	var s recorder.State
	if r.into(t, &s); s.Recording != "one" || s.Account != "acme" || !s.ConsentStep {
		t.Errorf("%s", r.text)
	}
	other, nobody := b.ask("acme", "GET", "/v1/interactions/two", ""), b.ask("acme", "GET", "/v1/interactions/none", "")
	b.wantProblem(other, 404, "not-live")
	if other.text != nobody.text {
		t.Errorf("%s tells that it is there, beside %s", other.text, nobody.text)
	}
	head := b.ask("acme", "HEAD", "/v1/interactions/one", "")
	if head.StatusCode != 200 {
		t.Errorf("HEAD: %d", head.StatusCode)
	}
}

const pauseAgent = `{"action": "pause", "party": "agent-7"}`

// A command reaches the recorder as it was sent, with who commands.
func TestCommand(t *testing.T) {
	b := newBench(t, entry(t, "crm", []string{"acme"}, "control", "consent", "facts"))
	r := b.ask("crm", "POST", "/v1/interactions/one/commands", `{
		"key": "k-1", "action": "consent-given", "at": "2026-11-21T15:30:05.25+01:00", "party": "p", "other": "o", "chosen": "list",
		"name": "n", "reason": "r", "evidence": {"who": "w", "when": "2026-11-21T14:30:05.25Z", "wording": "May we?", "digit": "1"}, "tags": {"a": "b"}}`)
	b.wantFine(r)
	var a recorder.Answer
	if r.into(t, &a); !a.AbsentFrom.Equal(instant()) || a.State.Recording != "one" || a.Repeated {
		t.Errorf("%s", r.text)
	}
	got := b.rec.commands[0]
	if !got.At.Equal(instant()) || got.Evidence == nil || !got.Evidence.When.Equal(instant()) {
		t.Errorf("instants of %+v, %+v", got, got.Evidence)
	}
	evidence := *got.Evidence
	evidence.When, got.At, got.Evidence = time.Time{}, time.Time{}, nil
	tags := got.Tags
	got.Tags = nil
	if fmt.Sprint(tags) != "map[a:b]" || evidence != (recorder.Evidence{Who: "w", Wording: "May we?", Digit: "1"}) {
		t.Errorf("%v, %+v", tags, evidence)
	}
	if want := (recorder.Command{Key: "k-1", Action: recorder.ActConsentGiven, Party: "p", Other: "o", Chosen: "list", Name: "n", Reason: "r", By: "crm"}); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if q := b.rec.queries[len(b.rec.queries)-1]; q != (recorder.Query{Recording: "one"}) {
		t.Errorf("commanded %+v", q)
	}
}

// The key may stand in the header, and whom the token speaks for.
func TestHeaderOfCommand(t *testing.T) {
	b := newBench(t, entry(t, "crm", []string{"acme"}, "control"))
	path := "/v1/interactions/one/commands"
	for _, header := range [][]string{{"Idempotency-Key", "again"}, {"Idempotency-Key", `"again"`}} {
		r := b.ask("crm", "POST", path, pauseAgent, header...)
		b.wantFine(r)
		if !strings.Contains(r.text, `"repeated":true`) {
			t.Errorf("%s", r.text)
		}
	}
	b.wantFine(b.ask("crm", "POST", path, `{"key": "again", "action": "pause", "party": "a"}`, "Idempotency-Key", "again", "On-Behalf-Of", "Jürgen Doe"))
	if by := b.rec.commands[2].By; by != "crm for Jürgen Doe" {
		t.Errorf("by %q", by)
	}
	for _, header := range [][]string{
		{"Idempotency-Key", ""}, {"Idempotency-Key", "a", "Idempotency-Key", "a"}, {"Idempotency-Key", `""`},
		{"On-Behalf-Of", " "}, {"On-Behalf-Of", "a", "On-Behalf-Of", "b"}, {"On-Behalf-Of", strings.Repeat("x", 129)}, {"On-Behalf-Of", "a\x1b"}, {"On-Behalf-Of", "\xff"},
	} {
		b.wantProblem(b.ask("crm", "POST", path, pauseAgent, header...), 400, "malformed")
	}
	b.wantProblem(b.ask("crm", "POST", path, `{"key": "k", "action": "pause", "party": "a"}`, "Idempotency-Key", "l"), 400, "malformed")
	if len(b.rec.commands) != 3 {
		t.Errorf("%d commands", len(b.rec.commands))
	}
}

// A payment is that of the token, whoever it speaks for, unless it is named.
func TestOwnerOfPayment(t *testing.T) {
	b := newBench(t, entry(t, "crm", []string{"acme"}, "control"))
	for _, tt := range []struct{ body, person, want string }{
		{`{"action": "secure-start"}`, "Jane", "crm"}, {`{"action": "secure-stop"}`, "John", "crm"}, {`{"action": "secure-start", "name": "till 4"}`, "Jane", "till 4"},
	} {
		b.wantFine(b.ask("crm", "POST", "/v1/interactions/one/commands", tt.body, "On-Behalf-Of", tt.person))
		if got := b.rec.commands[len(b.rec.commands)-1]; got.Name != tt.want || got.By != "crm for "+tt.person {
			t.Errorf("%s: %+v", tt.body, got)
		}
	}
}

// The command may say itself which interaction it is for.
func TestFindAndCommand(t *testing.T) {
	b := newBench(t, entry(t, "acme", []string{"acme"}, "control"), entry(t, "all", []string{"*"}, "control"))
	post := func(token, find string) reply {
		return b.ask(token, "POST", "/v1/commands", `{"find": `+find+`, "command": `+pauseAgent+`}`)
	}
	b.wantFine(post("acme", `{"call_id": "both"}`))
	if got := b.rec.commands[0]; got.Action != recorder.ActPause || got.Party != "agent-7" || b.rec.queries[1].Recording != "one" {
		t.Errorf("%+v to %+v", got, b.rec.queries)
	}
	p := b.wantProblem(post("all", `{"call_id": "both"}`), 409, "ambiguous")
	if !slices.Equal(p.Recordings, []string{"one", "two"}) {
		t.Errorf("%v", p.Recordings)
	}
	b.wantProblem(post("acme", `{"call_id": "b"}`), 404, "not-live")
	for find, field := range map[string]string{
		`{}`: "find", `{"account": "acme"}`: "find", `{"callid": "b"}`: "find.callid", `[]`: "find", `{"call_id": 1}`: "find.call_id",
		`{"agent": "a", "agent": "b"}`: "find.agent",
	} {
		if p := b.wantProblem(post("acme", find), 400, "malformed"); p.Field != field {
			t.Errorf("%s: field %q, want %q", find, p.Field, field)
		}
	}
	for _, body := range []string{`{"find": {"call_id": "a"}}`, `{"command": {"action": "pause"}}`, `{"find": {"call_id": "a"}, "command": {"action": "pause"}, "commands": []}`} {
		b.wantProblem(b.ask("acme", "POST", "/v1/commands", body), 400, "malformed")
	}
	if len(b.rec.commands) != 1 {
		t.Errorf("%d commands", len(b.rec.commands))
	}
}

func TestMalformedCommands(t *testing.T) {
	b := newBench(t, entry(t, "crm", []string{"acme"}, "control", "facts", "consent"))
	for body, field := range map[string]string{
		`{"action": "pause", "party": "a", "by": "me"}`:                           "by",
		`{"action": "pause", "Party": "a"}`:                                       "Party",
		`{"action": "pause", "action": "resume", "party": "a"}`:                   "action",
		`{"action": "pause", "party": 7}`:                                         "party",
		`{"action": "pause", "party": "a", "at": "now"}`:                          "at",
		`{"action": "pause", "party": "a", "at": 17}`:                             "at",
		`{"action": "tag", "tags": {"a": 1}}`:                                     "tags",
		`{"action": "tag", "tags": []}`:                                           "tags",
		`{"action": "explode"}`:                                                   "action",
		`{"party": "a"}`:                                                          "action",
		`{"action": "consent-given", "evidence": []}`:                             "evidence",
		`{"action": "consent-given", "evidence": {"said": "yes"}}`:                "evidence.said",
		`{"action": "consent-given", "evidence": {"when": "then"}}`:               "evidence.when",
		`{"action": "pause", "party": "a", "` + strings.Repeat("x", 70) + `": 1}`: strings.Repeat("x", 64) + "...",
		`{"action": "pause"`:                                                      "",
		`{"action": "pause", "party": "a"} {}`:                                    "",
		``:                                                                        "",
		`null`:                                                                    "",
		`[{"action": "pause"}]`:                                                   "",
		"{\"action\": \"pause\", \"party\": \"\xff\"}":                            "",
		strings.Repeat("[", 20000) + strings.Repeat("]", 20000):                   "",
		strings.Repeat(`{"evidence":`, 5000) + "1" + strings.Repeat("}", 5000):    "evidence.evidence",
	} {
		r := b.ask("crm", "POST", "/v1/interactions/one/commands", body)
		if p := b.wantProblem(r, 400, "malformed"); p.Field != field || p.Detail == "" {
			t.Errorf("%.60s: field %q, want %q: %s", body, p.Field, field, p.Detail)
		}
	}
	if len(b.rec.commands) != 0 {
		t.Errorf("%+v", b.rec.commands)
	}
}

func TestBodies(t *testing.T) {
	b := newBench(t, entry(t, "crm", []string{"acme"}, "control"))
	path := "/v1/interactions/one/commands"
	padded := `{"action": "pause", "party": "a"` + strings.Repeat(" ", maxBody-33) + "}"
	b.wantFine(b.ask("crm", "POST", path, padded))
	b.wantProblem(b.ask("crm", "POST", path, padded+" "), 413, "too-large")
	b.wantFine(b.ask("crm", "POST", path, pauseAgent, "X-Other", "1"))
	for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "", "application/json;;"} {
		r := b.request("crm", "POST", path, pauseAgent)
		r.Header.Set("Content-Type", kind)
		if got := b.send(r); b.wantProblem(got, 415, "media-type").Detail == "" || got.Header.Get("Accept") != "application/json" {
			t.Errorf("%s: %v", kind, got.Header)
		}
	}
	r := b.request("crm", "POST", path, pauseAgent)
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	b.wantFine(b.send(r))
	r.Header.Set("Content-Encoding", "gzip")
	b.wantProblem(b.send(r), 415, "media-type")
	b.wantProblem(b.ask("crm", "POST", path+"?a=b", pauseAgent), 400, "malformed")
}

func TestPathsAndMethods(t *testing.T) {
	b := newBench(t, entry(t, "all", []string{"*"}, rightNames()...))
	for _, path := range []string{"/", "/v1", "/v1/", "/v2/interactions", "/v1/interactions/", "/v1/interactions/one/", "/v1//interactions", "/v1/interactions//commands",
		"/v1/recordings", "/v1/recordings/old/burn", "/v1/recordings/old/hold/now", "/v1/commands/1"} {
		b.wantProblem(b.ask("all", "GET", path, ""), 404, "not-found")
	}
	for path, allow := range map[string]string{
		"/v1/interactions": "GET, HEAD", "/v1/interactions/one": "GET, HEAD", "/v1/interactions/one/commands": "POST", "/v1/commands": "POST",
		"/v1/recordings/old": "GET, HEAD", "/v1/recordings/old/hold": "POST", "/v1/recordings/old/erase": "POST",
	} {
		method := "DELETE"
		if allow == "POST" {
			method = "GET"
		}
		r := b.ask("all", method, path, "")
		b.wantProblem(r, 405, "method")
		if r.Header.Get("Allow") != allow {
			t.Errorf("%s: Allow %q", path, r.Header.Get("Allow"))
		}
	}
	// An id with a slash in it is one part of the path.
	b.wantProblem(b.ask("all", "GET", "/v1/interactions/a%2Fb", ""), 404, "not-live")
	if q := b.rec.queries[0]; q.Recording != "a/b" {
		t.Errorf("%+v", q)
	}
}

// What the recorder says reaches who asked, and nothing else does.
func TestErrorsOfRecorder(t *testing.T) {
	b := newBench(t, entry(t, "crm", []string{"acme"}, "control"))
	for _, tt := range []struct {
		err    error
		status int
		kind   string
		want   problem
	}{
		{fmt.Errorf("x: %w", &recorder.Malformed{Field: "at", Problem: "lies in the future"}), 400, "malformed", problem{Field: "at", Detail: "lies in the future"}},
		{fmt.Errorf("x: %w", recorder.ErrCommand), 400, "malformed", problem{Detail: "x: malformed command"}},
		{fmt.Errorf("x: %w", &recorder.Refusal{Reason: "has no control of recordings"}), 409, "refused", problem{Detail: "has no control of recordings", State: &recorder.State{Recording: "one"}}},
		{recorder.ErrRefused, 409, "refused", problem{Detail: "refused", State: &recorder.State{Recording: "one"}}},
		{&recorder.Ambiguity{Recordings: []string{"a", "b"}}, 409, "ambiguous", problem{Recordings: []string{"a", "b"}}},
		{recorder.ErrAmbiguous, 409, "ambiguous", problem{}},
		{recorder.ErrNotLive, 404, "not-live", problem{}},
		{context.DeadlineExceeded, 503, "unconfirmed", problem{State: &recorder.State{Recording: "one"}}},
		{fmt.Errorf("%w: disk /var/secret fails", recorder.ErrNotDurable), 503, "unconfirmed", problem{State: &recorder.State{Recording: "one"}}},
		{errors.New("disk /var/secret fails"), 500, "internal", problem{Detail: "the reason stands in its log"}},
	} {
		b.rec.command = func(context.Context, recorder.Query, recorder.Command) (recorder.Answer, error) {
			return recorder.Answer{State: recorder.State{Recording: "one"}}, tt.err
		}
		r := b.ask("crm", "POST", "/v1/interactions/one/commands", pauseAgent)
		got := b.wantProblem(r, tt.status, tt.kind)
		if got.Field != tt.want.Field || tt.want.Detail != "" && got.Detail != tt.want.Detail || !slices.Equal(got.Recordings, tt.want.Recordings) ||
			(got.State == nil) != (tt.want.State == nil) || got.State != nil && got.State.Recording != "one" {
			t.Errorf("%v: %s", tt.err, r.text)
		}
		if strings.Contains(r.text, "secret") || tt.status == 503 && r.Header.Get("Retry-After") != "1" {
			t.Errorf("%v: %v %s", tt.err, r.Header, r.text)
		}
	}
	if n := b.log.FilterMessage("control request failed").Len(); n != 1 {
		t.Errorf("%d failures in the log", n)
	}
}

// A failure of ours is an answer, and says nothing of what was sent.
func TestPanic(t *testing.T) {
	b := newBench(t, entry(t, "crm", []string{"acme"}, "control"))
	b.rec.command = func(context.Context, recorder.Query, recorder.Command) (recorder.Answer, error) { panic("agent-7") }
	for range mostOfToken + 1 { // none of them keeps its place
		r := b.ask("crm", "POST", "/v1/interactions/one/commands", pauseAgent)
		b.wantProblem(r, 500, "internal")
	}
	for _, l := range b.log.All() {
		if strings.Contains(l.Message+fmt.Sprint(l.ContextMap()["error"]), "agent-7") {
			t.Errorf("%+v", l)
		}
	}
}

// Who hangs up has the command carried out all the same.
func TestGoneClient(t *testing.T) {
	b := newBench(t, entry(t, "crm", []string{"acme"}, "control"))
	r := b.request("crm", "POST", "/v1/interactions/one/commands", pauseAgent)
	ctx, cancel := context.WithCancel(t.Context())
	b.rec.command = func(ctx context.Context, _ recorder.Query, _ recorder.Command) (recorder.Answer, error) {
		cancel()
		if _, bounded := ctx.Deadline(); !bounded {
			t.Error("the command may take for ever")
		}
		return recorder.Answer{}, ctx.Err()
	}
	b.wantFine(b.send(r.WithContext(ctx)))
}

// Neither a path nor a line of the log tells anything of people.
func TestLogOfCommands(t *testing.T) {
	b := newBench(t, entry(t, "crm", []string{"acme"}, "control", "read"))
	b.wantFine(b.ask("crm", "POST", "/v1/commands", `{"find": {"call_id": "a", "participant": "alice"}, "command": {"action": "pause", "party": "alice", "reason": "alice"}}`, "On-Behalf-Of", "alice"))
	b.wantFine(b.ask("crm", "GET", "/v1/interactions?participant=alice", ""))
	b.wantProblem(b.ask("crm", "POST", "/v1/interactions/alice/commands", pauseAgent), 404, "not-live")
	if b.log.Len() != 3 {
		t.Errorf("%d lines", b.log.Len())
	}
	for _, l := range b.log.All() {
		if strings.Contains(fmt.Sprint(l.Message, l.ContextMap()), "alice") {
			t.Errorf("%v", l)
		}
	}
	first := b.log.All()[0].ContextMap()
	if first["recording"] != "one" || first["action"] != "pause" || first["token"] != "crm" || first["status"] != int64(http.StatusOK) {
		t.Errorf("%v", first)
	}
}
