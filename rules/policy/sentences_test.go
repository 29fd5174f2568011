package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/rules/policy"
)

func TestMeanings(t *testing.T) {
	text := strings.Replace(everything, "mixed-not", "mixed", 1)
	text = strings.Replace(text, "agent-only: yes, ", "", 1)
	meanings := read(t, text).Meanings()
	if len(meanings) != 2 || meanings[1].Trunk != "t1" {
		t.Fatalf("meanings %+v", meanings)
	}
	account := strings.Join(meanings[0].Sentences, "\n")
	for _, want := range []string{
		"Every outbound call is recorded.",
		"A recording that stopped because only outsiders were left stays stopped.",
		"Only the users who may control can pause",
		"While the customer is held, nobody on the customer's call is recorded.",
		"recording stops until the outsider has left",
		"A pause of more than 5m raises an alarm; it resumes nothing.",
		"nothing is kept before a yes",
		"Plan p1 records every inbound call.",
		"Plan p1: Callers are not asked",
		"Plan p2 records 30 of 100 inbound calls, drawn once for each call, and also inbound calls from +445, and also inbound calls from the moment at which the caller chooses option 1, and also",
		"Nothing is recorded of a call with +441 or +442, whatever else chooses it; nor of another call while one of those numbers is on it.",
		"While a caller is in flow f1, nothing is recorded.",
		"While a caller waits in queue q1, nothing is recorded.",
		"in a queue that this account does not list",
		"User u1 may pause and resume.", "User u2 may make recordings of his own.",
		"Once the legal hold has ended, recordings of calls are kept without end, unless",
		"recordings of inbound calls are kept for 90 days",
		"recordings of outbound calls are deleted after 1 day;",
		"recordings of calls are deleted at once", "Recordings of calls are given to an evaluator.",
		"A legal hold is in force: nothing is deleted.",
	} {
		if !strings.Contains(account, want) {
			t.Errorf("no %q in\n%s", want, account)
		}
	}
	for _, not := range []string{"f2", "u3", "on a trunk", "Plan p2: "} {
		if strings.Contains(account, not) {
			t.Errorf("%q in\n%s", not, account)
		}
	}
	trunk := strings.Join(meanings[1].Sentences, "\n")
	for _, want := range []string{"That a call is on a trunk is no reason to record it.", "one stream", "the held customer is recorded too", "Nothing tells when a caller is in a flow"} {
		if !strings.Contains(trunk, want) {
			t.Errorf("no %q in\n%s", want, trunk)
		}
	}
}

func TestRecordsNothingOn(t *testing.T) {
	const untold = "any call of which nothing tells whether it is inbound or outbound"
	const mapped = "\nmapping: [{listener: p, account: a, plan: p}, {listener: q, account: a, plan: q}]"
	for _, tt := range []struct {
		name, account string
		want          []string
	}{
		{"as delivered", "{name: a}", []string{"outbound calls", "inbound calls", untold}},
		{"outbound", "{name: a, owner: {outbound: record}}", []string{"inbound calls", untold}},
		{"agent-only", "{name: a, owner: {agent-only: on}, trunks: [{name: t, record: on, profile: p}]}]\nprofiles: [{name: p, api: [role]}]", []string{"what customers and other outsiders say"}},
		{"trunk", "{name: a, trunks: [{name: t, record: on}]}", nil},
		{"barred", "{name: a, do-not-record: +441, trunks: [{name: t, record: on}]}", []string{"calls with a number of do-not-record"}},
		{"plans", "{name: a, owner: {outbound: record}, plans: [{name: p, record: {percent: 0}}, {name: q, record: all}, {name: r, record: none}]}" + "]" + mapped,
			[]string{"inbound calls without a plan", "inbound calls of plan p"}},
		{"plans that wait for facts", "{name: a, trunks: [{name: t, acknowledge: [plan, consent]}], plans: [{name: p, record: {menu: 2}}, {name: q, record: all, consent: ask}]}]" + mapped,
			[]string{"outbound calls", "inbound calls", untold}},
		{"a plan that does not wait", "{name: a, plans: [{name: p, record: [{menu: 2}, {callers: [+441]}]}, {name: q, record: all, consent: ask}]}]" + mapped,
			[]string{"outbound calls", "inbound calls without a plan", "inbound calls of plan q", untold}},
		{"two trunks", "{name: a, trunks: [{name: t, record: on, consent: ask}, {name: u, owner: {continue-after-transfer: on}}]}]\nmapping: [{listener: t, account: a, trunk: t}]",
			[]string{"inbound calls", untold}},
		{"a plan that every call has", "{name: a, plans: [{name: p, record: all}]}]\nmapping: [{account: a, plan: p}]", []string{"outbound calls", untold}},
		{"a plan for one call in 100", "{name: a, owner: {outbound: record}, plans: [{name: p, record: {percent: 1}}]}]\nmapping: [{account: a, plan: p}]", nil},
		{"a plan that some calls have", "{name: a, owner: {outbound: record}, plans: [{name: p, record: all}]}]\nmapping: [{listener: x, account: a, plan: p}, {account: a}]",
			[]string{"inbound calls without a plan"}},
		{"a plan of others", "{name: a, owner: {outbound: record}, plans: [{name: p, record: all}]}, {name: b, plans: [{name: p, record: all}]}]\nmapping: [{listener: x, account: a, plan: p}, {account: b, plan: p}]",
			[]string{"inbound calls without a plan"}},
		{"a plan that only others have", "{name: a, owner: {outbound: record}, plans: [{name: p, record: all}]}, {name: b, plans: [{name: p, record: all}]}]\nmapping: [{account: b, plan: p}]",
			[]string{"inbound calls", untold}},
		{"one trunk of two", "{name: a, trunks: [{name: t, record: on}, {name: u}]}", nil},
		{"a flow of which nothing tells", "{name: a, flows: [{name: f, suppress: yes}]}",
			[]string{"outbound calls", "inbound calls", untold}},
		{"a plan that no call has", "{name: a, plans: [{name: p, record: all}]}", []string{"outbound calls", "inbound calls", untold}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := "accounts: [" + tt.account
			if strings.Count(text, "[") != strings.Count(text, "]") {
				text += "]"
			}
			want := append([]string{"calls between our own people"}, tt.want...)
			if got := read(t, text).Meanings()[0].Nothing; !slices.Equal(got, want) {
				t.Errorf("nothing on %q, want %q", got, want)
			}
		})
	}
}

// Each value of each setting has a sentence, and each setting a default under each
// preset.
func TestReference(t *testing.T) {
	const head = "| setting | stands in | value | meaning | needs to be told | default of |\n|---|---|---|---|---|---|\n| `outbound` |"
	if got := policy.Reference(); !strings.HasPrefix(got, head) {
		t.Errorf("the table begins with %.100q", got)
	}
	rows := 0
	defaults := make(map[string]int)
	key := ""
	for line := range strings.Lines(policy.Reference()) {
		cells := strings.Split(line, "|")
		if len(cells) != 8 {
			t.Fatalf("row %q", line)
		}
		if k := strings.Trim(cells[1], " `"); k != "" {
			key = k
		}
		if key == "setting" || strings.HasPrefix(cells[1], "---") {
			continue
		}
		rows++
		if s := strings.TrimSpace(cells[4]); !strings.HasSuffix(s, ".") {
			t.Errorf("%s: %q is no sentence", key, s)
		}
		if d := strings.TrimSpace(cells[6]); d == "all" {
			defaults[key] += 3
		} else if d != "" {
			defaults[key] += len(strings.Split(d, ","))
		}
	}
	if rows < 40 {
		t.Errorf("only %d rows", rows)
	}
	for key, n := range defaults {
		if n != 3 {
			t.Errorf("%s has %d defaults, want one under each of 3 presets", key, n)
		}
	}
}

// What nothing tells is said, of the trunk or of an account without trunks.
func TestUntold(t *testing.T) {
	const sentence = "Nothing tells inbound from outbound calls"
	for _, tt := range []struct {
		name, text string
		at         int // which meaning
		want       bool
	}{
		{"an account without trunks", "accounts: [{name: a}]", 0, true},
		{"an account with trunks", "accounts: [{name: a, trunks: [{name: t}]}]", 0, false},
		{"a trunk", "accounts: [{name: a, trunks: [{name: t}]}]", 1, true},
		{"a trunk that records all", "accounts: [{name: a, trunks: [{name: t, record: on}]}]", 1, false},
		{"a trunk that tells", "accounts: [{name: a, trunks: [{name: t, profile: p}]}]\nprofiles: [{name: p, api: [direction]}]", 1, false},
	} {
		m := read(t, tt.text).Meanings()[tt.at]
		if got := strings.Contains(strings.Join(m.Sentences, " "), sentence); got != tt.want || m.Account != "a" {
			t.Errorf("%s: of %q said %v, want %v", tt.name, m.Account, got, tt.want)
		}
	}
}

// Sentences that depend on more than one setting say what both come to.
func TestSentences(t *testing.T) {
	const a = "accounts:\n- name: a\n  "
	for _, tt := range []struct {
		name, text string
		at         int // which meaning
		want, not  string
	}{
		{"no alarm", a + "control: all\n  pause-alarm: never", 0, "No pause raises an alarm.", "of more than"},
		{"user recordings without an age", "preset: vonage\n" + a + "pause-alarm: never", 0, "Recordings that users made are kept without end.", "after"},
		{"user recordings with an age", "preset: vonage\n" + a + "user-recordings-kept: 30 days", 0, "Recordings that users made are deleted after 30 days.", "365"},
		{"a day", "preset: vonage\n" + a + "user-recordings-kept: 1 day", 0, "Recordings that users made are deleted after 1 day.", "days"},
		{"no user recordings", a + "user-recordings-kept: 30 days", 0, "Nobody can make recordings of his own.", "that users made"},
		{"an alarm", a + "control: all\n  pause-alarm: 3600s", 0, "A pause of more than 1h raises an alarm;", "1h0m"},
		{"nobody who can pause", a + "pause-alarm: 90s", 0, "Nobody can pause a recording by hand.", "alarm"},
		{"seconds", a + "control: selected\n  users: [{name: u, may-control: yes}]\n  pause-alarm: 90s", 0, "A pause of more than 1m30s raises an alarm;", "No pause"},
		{"user recordings for ever", "preset: genesys\n" + a + "user-recordings: all\n  user-recordings-kept: forever", 0, "Recordings that users made are kept without end.", "deleted after"},
		{"recordings of some users", a + "user-recordings: selected\n  user-recordings-kept: 30 days\n  users: [{name: u, may-record: yes}]", 0, "Recordings that users made are deleted after 30 days.", "without end.\nRec"},
		{"one of them", a + "plans: [{name: p, record: {percent: 1}}]", 0, "Plan p records 1 of 100 inbound calls", "records nothing."},
		{"none", a + "plans: [{name: p, record: none}]", 0, "Plan p records nothing.", "every inbound call"},
		{"all of them", a + "plans: [{name: p, record: {percent: 100%}}]", 0, "Plan p records every inbound call.", "of 100"},
		{"none of them", a + "plans: [{name: p, record: {percent: 0}}]", 0, "Plan p records nothing.", "of 100"},
		{"withdrawal", a + "withdrawal: erase", 0, "Whoever takes consent back has everything erased.", "legal hold keeps"},
		{"withdrawal under a legal hold", a + "legal-hold: on", 0, "the legal hold keeps what was recorded before.", "has everything erased"},
		{"hold", a + "preset: vonage", 0, "recording continues, and the held customer is recorded too.", "Only our own people"},
		{"hold where customers are not recorded", a + "preset: vonage\n  owner: {agent-only: on}", 0, "on hold, recording continues.\n", "the held customer"},
		{"another hold where customers are not recorded", a + "hold: pause-until-retrieve\n  owner: {agent-only: on}", 0, "recording stops until the agent retrieves it.", "on hold, recording continues"},
		{"other words where customers are not recorded", a + "preset: vonage\n  hold: pause-until-retrieve\n  external-consult: record\n  owner: {agent-only: on}", 0, "When an agent brings in an outsider, recording continues.", "on hold, recording continues"},
		{"nothing stops on the trunk either", a + "preset: vonage\n  trunks: [{name: t}]", 1, "That a call is on a trunk is no reason to record it.", "because only outsiders were left"},
		{"retention", a + "retention: [{keep: 2 days}]", 0, "Recordings of calls are kept for 2 days and then deleted;", "without end"},
		{"retention of one direction", a + "retention: [{keep: 2 days, direction: inbound}]", 0, "Recordings of outbound calls are kept without end.", "of inbound calls are kept without"},
		{"evaluation alone", a + "retention: [{evaluate: yes}]", 0, "Recordings are kept without end.", "legal hold has ended"},
		{"evaluation under a legal hold", a + "legal-hold: on\n  retention: [{evaluate: yes}]", 0, "Recordings of calls are given to an evaluator.", "ended, recordings of calls are given"},
		{"a hold of the trunk alone", a + "preset: genesys\n  trunks: [{name: t, hold: pause-customer-leg}]", 1, "A customer who waits while an agent consults somebody counts as held.", "stays stopped"},
		{"a stop of the trunk alone", a + "preset: vonage\n  owner: {stop-is-final: on}\n  trunks: [{name: t, owner: {continue-after-transfer: off}}]", 1, "because only outsiders were left stays stopped.", "counts as held"},
	} {
		said := read(t, tt.text).Meanings()[tt.at].Sentences
		text := strings.Join(said, "\n")
		if slices.Contains(said, "") {
			t.Errorf("%s: an empty sentence in\n%s", tt.name, text)
		}
		if !strings.Contains(text, tt.want) || strings.Contains(text, tt.not) {
			t.Errorf("%s: want %q and not %q in\n%s", tt.name, tt.want, tt.not, text)
		}
	}
}
