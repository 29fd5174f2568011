package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/policy"
)

// wrong is what is wrong with a file.
func wrong(text string) []string {
	_, problems := policy.Read([]byte(text))
	var out []string
	for _, p := range problems {
		out = append(out, p.String())
	}
	return out
}

// Nothing may stand in a file twice, as it would not be clear which one counts.
func TestTwice(t *testing.T) {
	for what, list := range map[string]string{
		"profile": "profiles:\n- name: x\n- name: x\n- name: x\naccounts: [{name: a}]",
		"trunk":   "accounts:\n- name: a\n  trunks:\n  - name: x\n  - name: x\n  - name: x",
		"plan":    "accounts:\n- name: a\n  plans:\n  - {name: x, record: all}\n  - {name: x, record: all}\n  - {name: x, record: all}",
		"queue":   "accounts:\n- name: a\n  queues:\n  - name: x\n  - name: x\n  - name: x",
		"flow":    "accounts:\n- name: a\n  flows:\n  - name: x\n  - name: x\n  - name: x",
		"user":    "accounts:\n- name: a\n  users:\n  - name: x\n  - name: x\n  - name: x",
	} {
		lines := strings.Split(list, "\n")
		first := 1 + slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "name: x") })
		want := []string{
			fmt.Sprintf("%d: %s %q stands on line %d already", first+1, what, "x", first),
			fmt.Sprintf("%d: %s %q stands on line %d already", first+2, what, "x", first),
		}
		if got := wrong(list); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
}

// Everything that is in a list has a name.
func TestNameless(t *testing.T) {
	for _, text := range []string{
		"accounts: [{hold: record}]",
		"accounts: [{name: a, trunks: [{record: on}]}]", "accounts: [{name: a, plans: [{record: all}]}]",
		"accounts: [{name: a, queues: [{wait: withhold}]}]", "accounts: [{name: a, flows: [{suppress: yes}]}]",
		"accounts: [{name: a, users: [{name: ''}]}]", "accounts: [{name: a}]\nprofiles: [{wire: [hold]}]",
	} {
		if got := wrong(text); len(got) == 0 || !strings.Contains(got[0], "name") {
			t.Errorf("%s: %q", text, got)
		}
	}
}

// Numbers are taken up to their limits, limits included, and not beyond.
func TestLimits(t *testing.T) {
	for format, values := range map[string]map[string]bool{
		"accounts: [{name: a, plans: [{name: p, record: {percent: %s}}]}]": {
			"0": true, "100": true, "100%": true, "1": true, "-1": false, "101": false, "x": false, "1.5": false,
		},
		"accounts: [{name: a, retention: [{keep: %s}]}]": {
			"1 day": true, "36500 days": true, "0 days": false, "36501 days": false, "x days": false, "-1 days": false, "forever": true, "days": false,
		},
		"accounts: [{name: a, retention: [{delete-after: %s}]}]": {
			"1 day": true, "36500 days": true, "0 days": false, "36501 days": false, "the call": true, "forever": false,
		},
		"accounts: [{name: a, user-recordings-kept: %s}]": {
			"1 day": true, "36500 days": true, "0 days": false, "36501 days": false, "x days": false, "forever": true, "never": false,
		},
		"accounts: [{name: a, retention: [{evaluate: %s}]}]": {"yes": true, "no": false, "perhaps": false},
		"accounts: [{name: a, pause-alarm: %s}]": {
			"1s": true, "24h": true, "never": true, "0s": false, "-1s": false, "24h1s": false, "24h0m0.000000001s": false, "soon": false, "10": false,
		},
		"accounts: [{name: a, plans: [{name: p, record: %s}]}]": {"all": true, "none": true, "some": false, "[all]": true, "[none]": true, "{menu: none}": true},
	} {
		for value, good := range values {
			if got := wrong(fmt.Sprintf(format, value)); (len(got) == 0) != good {
				t.Errorf("%s: %q", fmt.Sprintf(format, value), got)
			}
		}
	}
}

// A selection and who is selected belong together, in both of the lists.
func TestSelections(t *testing.T) {
	for _, tt := range []struct{ settings, users, want string }{
		{"control: selected", "may-control: yes", ""},
		{"control: selected", "may-control: no", "1: control: selected, but no user"},
		{"control: all", "may-control: no", "1: may-control of user"},
		{"control: all", "", ""},
		{"user-recordings: selected", "may-record: yes", ""},
		{"user-recordings: selected", "may-record: no", "1: user-recordings: selected, but no user"},
		{"user-recordings: off", "may-record: yes", "1: may-record of user"},
	} {
		user := "name: u"
		if tt.users != "" {
			user += ", " + tt.users
		}
		got := wrong("accounts: [{name: a, " + tt.settings + ", users: [{" + user + "}]}]")
		if tt.want == "" && len(got) > 0 || tt.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], tt.want)) {
			t.Errorf("%s, %s: %q, want %q", tt.settings, tt.users, got, tt.want)
		}
	}
}

// What contradicts nothing is taken.
func TestNoContradiction(t *testing.T) {
	for _, text := range []string{
		"accounts: [{name: a, owner: {outbound: off}, trunks: [{name: t, record: off}]}]",
		"accounts: [{name: a, owner: {agent-only: on}, trunks: [{name: t, streams: separate}]}]",
		"accounts: [{name: a, owner: {agent-only: off}, trunks: [{name: t, streams: mixed}]}]",
		"accounts: [{name: a, trunks: [{name: t, record: on}], plans: [{name: p, record: all}, {name: q, record: none}]}]",
		"accounts: [{name: a, trunks: [{name: t}], plans: [{name: p, record: {percent: 5}}]}]",
		"accounts: [{name: a}]\nmapping: [{listener: x, account: a}, {listener: y, account: a}, {account: a}]",
		"accounts: [{name: a, trunks: [{name: t}], plans: [{name: p}]}]\nmapping: [{listener: x, account: a, trunk: t}, {listener: x, account: a, plan: p}]",
		"accounts: [{name: a}, {name: b}]\nmapping: [{listener: x y, account: a}, {listener: [x, y], account: b}]",
		"accounts: [{name: \"a\ufffd\"}]",
		"accounts: [{name: a}]\nmapping: [{listener: x, account: a}, {api: x, account: a}, {request-uri: x, account: a}, {dialled: '1', account: a}, {certificate: x, account: a}]",
	} {
		if got := wrong(text); len(got) > 0 {
			t.Errorf("%s: %q", text, got)
		}
	}
	// Each kind of condition makes a rule one that does not take everything.
	for _, condition := range []string{
		"certificate: x", "listener: x", "address: 192.0.2.1", "request-uri: x", "dialled: '1'", "api: x",
		"header: {name: n, value: v}", "field: {name: n, value: v}",
		"certificate: x, listener: y", "address: 192.0.2.1, api: x", "header: {name: n, value: v}, request-uri: x",
		"dialled: '1', field: {name: n, value: v}", "listener: y, address: 192.0.2.1, header: {name: n, value: v}",
		"certificate: [x, y], request-uri: [x, y]", "dialled: ['1', '2'], request-uri: [x, y]", "address: [192.0.2.1, 192.0.2.2], request-uri: [x, y]",
	} {
		if got := wrong("accounts: [{name: a}]\nmapping:\n- {" + condition + ", account: a}\n- {listener: z, account: a}"); len(got) > 0 {
			t.Errorf("%s: %q", condition, got)
		}
	}
}

// A misspelt word is answered with the nearest that is near enough, in whatever
// case and with whatever sign between its parts.
func TestSuggestions(t *testing.T) {
	for key, want := range map[string]string{
		"hodl": "hold", "HOLD": "hold", "legal_hold": "legal-hold", "do_not_record": "do-not-record", "concent": "consent",
		"trunk": "trunks", "colour": "", "x": "", "withdraw": "withdrawal",
	} {
		got := strings.Join(wrong("accounts: [{name: a, "+key+": y}]"), "")
		if suggested := strings.Contains(got, "did you mean "+want+"?"); want != "" && !suggested || want == "" && strings.Contains(got, "did you mean") {
			t.Errorf("%s: %s", key, got)
		}
	}
}

// How near is near enough: two letters to add, drop or change, or one in three.
func TestNear(t *testing.T) {
	long := strings.Repeat("x", 59)
	for _, tt := range []struct{ known, wrong, want string }{
		{"abcdef", "abcdxy", "abcdef"}, {"abcdef", "abcxyz", ""},
		{"abcdefgh", "abcdefxy", "abcdefgh"}, {"abcdefgh", "abcdexyz", ""},
		{"abcdefghi", "abcdefxyz", "abcdefghi"}, {"abcdefghi", "abcdewxyz", ""},
		{"abcdefghijkl", "abcdefghwxyz", "abcdefghijkl"},
		{"abcdef", "abcdefxy", "abcdef"}, {"abcdef", "xyabcdef", "abcdef"}, {"abxycdef", "abcdef", "abxycdef"},
		{"east-b, east-a", "east-c", "east-a"}, {"east-b, east-a, east-bc", "east-cc", "east-bc"},
		{long + "a", long + "b", long + "a"}, {long + "ab", long + "cd", ""},
	} {
		profiles := strings.ReplaceAll(tt.known, ", ", "}, {name: ")
		got := strings.Join(wrong("accounts: [{name: a, trunks: [{name: t, profile: "+tt.wrong+"}]}]\nprofiles: [{name: "+profiles+"}]"), "\n")
		if _, meant, _ := strings.Cut(got, ": did you mean "); !strings.HasPrefix(got, "1: there is no profile") || strings.TrimSuffix(meant, "?") != tt.want {
			t.Errorf("%s for %s: %s", tt.wrong, tt.known, got)
		}
	}
}

// Each word of a setting that depends on another is said only where it matters.
func TestSaidWhereItMatters(t *testing.T) {
	for _, tt := range []struct {
		settings, sentence string
		want               bool
	}{
		{"owner: {continue-after-transfer: off, stop-is-final: on}", "stays stopped", true},
		{"owner: {continue-after-transfer: on}", "stays stopped", false},
		{"hold: pause-customer-leg, consult-holds-customer: yes", "counts as held", true},
		{"hold: record, consult-holds-customer: yes", "counts as held", false},
		{"do-not-record: +441", "+441", true},
		{"name: b", "whatever else chooses", false},
		{"name: b", "in a queue that this account does not list", false},
		{"queues: [{name: q, wait: withhold}]", "in a queue that this account does not list", true},
		{"queues: [{name: q, wait: record}]", "While a caller waits in queue q", false},
	} {
		text := "accounts: [{name: a, " + tt.settings + "}]"
		if strings.HasPrefix(tt.settings, "name") {
			text = "accounts: [{" + tt.settings + "}]"
		}
		said := strings.Join(read(t, text).Meanings()[0].Sentences, "\n")
		if strings.Contains(said, tt.sentence) != tt.want {
			t.Errorf("%s: %q said is %v in\n%s", tt.settings, tt.sentence, !tt.want, said)
		}
	}
}

// A trunk whose profile is not given sends what the standard has.
func TestStandardProfile(t *testing.T) {
	std := policy.Standard()
	if std.Name != "standard" || len(std.Wire) == 0 {
		t.Errorf("%+v", std)
	}
	f := read(t, "accounts: [{name: a, trunks: [{name: t, hold: record}]}]")
	for _, fed := range f.Feeds() {
		if fed.Trunk == "t" && slices.Contains(fed.Needs, policy.FactHold) && fed.Feed == policy.NeverFed {
			t.Errorf("%+v", fed)
		}
	}
	if flags := f.Flags(policy.Belonging{Account: "a", Trunk: "t"}, t0); flags.Hold != rules.HoldRecord {
		t.Errorf("%+v", flags)
	}
}

// Flows that are suppressed, and queues that are withheld, are unfed when nothing
// tells of them, each by itself.
func TestFlowsUnfed(t *testing.T) {
	const flow, queue = "flows: [{name: f, suppress: yes}]", "queues: [{name: q, wait: withhold}]"
	for _, tt := range []struct {
		parts, facts string
		want         bool
	}{
		{flow, "hold", true}, {flow, "ivr", false}, {flow, "queue", true},
		{queue, "hold", true}, {queue, "queue", false}, {queue, "ivr", true},
		{flow + ", " + queue, "ivr, queue", false}, {flow + ", " + queue, "ivr", true}, {flow + ", " + queue, "queue", true},
		{"flows: [{name: f, suppress: no}]", "hold", false},
	} {
		f := read(t, "accounts: [{name: a, "+tt.parts+", trunks: [{name: t, profile: p, acknowledge: [suppress, wait]}]}]\nprofiles: [{name: p, api: ["+tt.facts+"]}]")
		if got := f.Flags(policy.Belonging{Account: "a", Trunk: "t"}, t0).FlowsUnfed; got != tt.want {
			t.Errorf("%s told by %s: unfed is %v", tt.parts, tt.facts, got)
		}
	}
}
