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
		"Every outbound call of every agent is recorded.",
		"What stopped because no agent was left stays stopped.",
		"Only the users who may control can pause",
		"While the customer is held, nobody on the customer's call is recorded.",
		"recording stops until the outsider has left",
		"A pause of more than 5m0s raises an alarm; it resumes nothing.",
		"nothing is kept before a yes",
		"Plan p1 records every inbound call.",
		"Plan p1: Callers are not asked",
		"Plan p2 records 30 of 100 inbound calls, drawn once for each call, and also inbound calls from +445, and also inbound calls from the moment at which the caller chooses option 1, and also",
		"Calls from +441, +442 are never recorded, whatever else says so.",
		"While a caller is in flow f1, nothing is recorded.",
		"While a caller waits in queue q1, nothing is recorded.",
		"in a queue that this account does not list",
		"User u1 may pause and resume.", "User u2 may make recordings of his own.",
		"Recordings of calls are kept without end, unless",
		"Recordings of inbound calls are kept for 90 days",
		"Recordings of outbound calls are deleted after 1 day;",
		"Recordings of calls are deleted at once", "Recordings of calls are given to an evaluator.",
		"A legal hold is in force: nothing is deleted.",
	} {
		if !strings.Contains(account, want) {
			t.Errorf("no %q in\n%s", want, account)
		}
	}
	for _, not := range []string{"f2", "u3", "The trunk by itself"} {
		if strings.Contains(account, not) {
			t.Errorf("%q in\n%s", not, account)
		}
	}
	trunk := strings.Join(meanings[1].Sentences, "\n")
	for _, want := range []string{"The trunk by itself records nothing.", "one stream", "the held customer is recorded too", "Nothing tells when a caller is in a flow"} {
		if !strings.Contains(trunk, want) {
			t.Errorf("no %q in\n%s", want, trunk)
		}
	}
}

func TestRecordsNothingOn(t *testing.T) {
	const untold = "any call of which nothing tells whether it is inbound or outbound"
	for _, tt := range []struct {
		name, account string
		want          []string
	}{
		{"as delivered", "{name: a}", []string{"calls between own people", "outbound calls", "inbound calls without a plan", untold}},
		{"outbound", "{name: a, owner: {outbound: record}}", []string{"calls between own people", "inbound calls without a plan", untold}},
		{"agent-only", "{name: a, owner: {agent-only: on}, trunks: [{name: t, record: on}]}", []string{"calls between own people", "what customers and other outsiders say"}},
		{"trunk", "{name: a, trunks: [{name: t, record: on}]}", []string{"calls between own people"}},
		{"plans", "{name: a, owner: {outbound: record}, plans: [{name: p}, {name: q, record: all}, {name: r, record: {percent: 0}}]}",
			[]string{"calls between own people", "inbound calls without a plan", "inbound calls of plan p", "inbound calls of plan r"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := read(t, "accounts: ["+tt.account+"]").Meanings()[0].Nothing; !slices.Equal(got, tt.want) {
				t.Errorf("nothing on %q, want %q", got, tt.want)
			}
		})
	}
}

// Each value of each setting has a sentence, and each setting a default under each
// preset.
func TestReference(t *testing.T) {
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
		if got := strings.Contains(strings.Join(m.Sentences, " "), sentence); got != tt.want {
			t.Errorf("%s: said %v, want %v", tt.name, got, tt.want)
		}
	}
}
