package policy_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/policy"
)

// read is a file without problems.
func read(t *testing.T, text string) *policy.File {
	t.Helper()
	f, problems := policy.Read([]byte(text))
	for _, p := range problems {
		t.Fatal(p)
	}
	return f
}

func TestProblems(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       string // each problem, one a line
	}{
		{"empty", "", "1: the file is empty"},
		{"no mapping", "[a]", "1: the file has to be a list of keys and values"},
		{"syntax", "accounts:\n  - name: [", "2: did not find expected node content: a bracket is not closed, or a value is missing"},
		{"two documents", "accounts: [{name: a}]\n---\n{}", "2: more than one document; all belongs into the first"},
		{"no account", "preset: vonage", "1: the file has no account: it would record nothing"},
		{"preset", "preset: vonnage\naccounts: [{name: a}]", `1: preset: "vonnage" is not one of siprecd, vonage, genesys: did you mean vonage?`},
		{"nothing like it", "colour: blue", `1: unknown key "colour"`},
		{"underscore", "accounts:\n- name: a\n  pause_alarm: 1m", `3: unknown key "pause_alarm": did you mean pause-alarm?`},
		{"value", "accounts:\n- name: a\n  hold: recrod", `3: hold: "recrod" is not one of record, pause-until-retrieve, pause-customer-leg: did you mean record?`},
		{"no value", "accounts:\n- name: a\n  hold:", "3: hold has to be a word or number"},
		{"twice", "accounts:\n- name: a\n  hold: record\n  hold: record", `4: key "hold" stands here a second time`},
		{"no name", "accounts:\n- hold: record", "2: an account without a name"},
		{"agent-only of a plan", "accounts:\n- name: a\n  plans: [{name: p, agent-only: on}]",
			"3: agent-only cannot be set for a plan; it belongs to owner: of an account"},
		{"outbound of a user", "accounts:\n- name: a\n  users: [{name: u, outbound: record}]",
			"3: outbound cannot be set for a user; it belongs to owner: of an account"},
		{"outbound outside owner", "accounts:\n- name: a\n  outbound: record",
			"3: outbound cannot be set for an account; it belongs to owner: of an account"},
		{"a date", "version: 3\naccounts: [{name: a}]",
			`1: "version": a file cannot say since when or by whom it holds; the server writes that down when it is published`},
		{"alarm", "accounts: [{name: a, pause-alarm: soon}]", `1: pause-alarm: "soon" is neither a time from 1s to 24h, such as 10m, nor never`},
		{"percent", "accounts: [{name: a, plans: [{name: p, record: {percent: 101}}]}]", `1: percent: "101" is not a whole number from 0 to 100`},
		{"plan rule", "accounts: [{name: a, plans: [{name: p, record: some}]}]", `1: record: "some" is not one of none, all: did you mean none?`},
		{"days", "accounts: [{name: a, retention: [{keep: 30}]}]", `1: "30" is neither a number of days from 1 to 36500, such as 30 days, nor forever`},
		{"two fates", "accounts: [{name: a, retention: [{keep: forever, delete-after: the call}]}]",
			"1: retention needs exactly one of keep, delete-after and evaluate"},
		{"what comes first", "accounts:\n- hold: record\n  queues:\n  - colour: blue\n  colour: blue", "2: an account without a name" + "\n" +
			"4: unknown key \"colour\"" + "\n" + "4: a queue without a name" + "\n" + "5: unknown key \"colour\""},
		{"list of words", "[a, b]", "1: the file has to be a list of keys and values"},
		{"null", "accounts:\n- name: a\n  users: [{name: null, may-control: no}]", "3: name has to be a word or number" + "\n" + "3: a user without a name"},
		{"nothing for a number", "accounts: [{name: a, do-not-record: ~}]", "1: do-not-record has to be a word or number"},
		{"nothing for a preset", "accounts: [{name: a}]\npreset: ~", "2: preset has to be a word or number"},
		{"nothing for an address", "accounts: [{name: a}]\nmapping: [{address: ~, account: a}]", "2: address has to be a word or number"},
		{"nothing acknowledged", "accounts: [{name: a, acknowledge: ~}]", "1: acknowledge has to be a word or number"},
		{"padded", "accounts: [{name: a}]\npreset: ' vonage'", `2: preset: " vonage" begins or ends with a space, or goes over a line`},
		{"references", "accounts: &a [*a]\ncolour: blue", "1: &a: a part of the file cannot have a name to refer to; write it out where it is needed" + "\n" +
			"1: *a: what stands elsewhere cannot be referred to; write it out here"},
		{"list of lists", "accounts: [{name: a, plans: [{name: p, record: [[]]}]}]", "1: record: of a plan has to be a list of keys and values"},
		{"retention in a word", "accounts: [{name: a, retention: forever}]", "1: retention has to be a list of keys and values"},
		{"fact", "accounts: [{name: a}]\nprofiles: [{name: p, wire: [holds]}]", "2: fact: \"holds\" is not one of parties, direction, role, chosen, caller, hold, consult, ivr, queue, menu, consent, withdrawal, party-consent, manual, user-recording: did you mean hold?"},
		{"two accounts", "accounts:\n- name: a\n- name: a", `3: account "a" stands on line 2 already`},
		{"unused permission", "accounts:\n- name: a\n  users: [{name: u, may-control: yes}]",
			`3: may-control of user "u" has no effect, because control of account "a" is not selected`},
		{"nobody selected", "accounts:\n- name: a\n  control: selected", `3: control: selected, but no user of account "a" has may-control: yes`},
		{"final", "preset: vonage\naccounts:\n- name: a\n  owner: {stop-is-final: on}",
			"4: stop-is-final: on, but continue-after-transfer is on, so that nothing ever stops"},
		{"outbound off on a recording trunk", "accounts:\n- name: a\n  owner: {outbound: off}\n  trunks: [{name: t, record: on}]",
			`3: outbound: off, but trunk "t" records outbound calls as well as inbound ones`},
		{"mixed agent-only", "accounts:\n- name: a\n  owner: {agent-only: on}\n  trunks: [{name: t, streams: mixed}]",
			`4: agent-only is on and trunk "t" sends all participants in one stream: nothing could be recorded`},
		{"profile", "accounts:\n- name: a\n  trunks: [{name: t, profile: sbx}]\nprofiles: [{name: sbc}]", `3: there is no profile "sbx": did you mean sbc?`},
		{"acknowledge", "accounts:\n- name: a\n  trunks: [{name: t, acknowledge: [hodl]}]", `3: acknowledge: there is no setting "hodl" that has to be told anything: did you mean hold?`},
		{"plan on a recording trunk", "accounts:\n- name: a\n  trunks: [{name: t, record: on}]\n  plans: [{name: p, record: {percent: 5}}]",
			`4: plan "p" chooses calls, but trunk "t" records all of them`},
		{"listed and barred", "accounts:\n- name: a\n  do-not-record: +441\n  plans: [{name: p, record: {callers: [+441]}}]",
			`4: plan "p" records caller +441, whom do-not-record of account "a" names`},
		{"all and some", "accounts:\n- name: a\n  plans: [{name: p, record: [all, {percent: 5}]}]",
			`3: plan "p" records all calls, so that its other rules have no effect`},
		{"mapping to nowhere", "accounts: [{name: sales, trunks: [{name: east}]}]\nmapping:\n- {listener: a, account: sale}\n- {listener: b, account: sales, trunk: est}\n- {listener: c, account: sales, plan: p}",
			`3: there is no account "sale": did you mean sales?` + "\n" + `4: there is no trunk of account sales "est": did you mean east?` + "\n" +
				`5: there is no plan of account sales "p"`},
		{"never reached", "accounts: [{name: a}]\nmapping:\n- account: a\n- {listener: x, account: a}",
			"4: this rule is never reached: the one on line 3 takes everything"},
		{"never reached on one line", "mapping: [{account: a}, {account: b}, {listener: x, account: a}]\naccounts: [{name: a}, {name: b}]",
			"1: this rule is never reached: the one on line 1 takes everything" + "\n" + "1: this rule is never reached: the one on line 1 takes everything"},
		{"asked before", "accounts: [{name: a, trunks: [{name: t}]}, {name: b}]\nmapping:\n- {listener: x, account: a}\n- {listener: x, account: a, trunk: t}\n- {listener: x, account: b}",
			"5: this rule is never reached: the one on line 3 asks the same and says account a"},
		{"nothing of it is there", "accounts: [{name: a}]\nmapping: [{listener: x, account: south, trunk: t, plan: p}]", `2: there is no account "south"`},
		{"no address", "accounts: [{name: a}]\nmapping:\n- {address: east, account: a}", `3: address: "east" is neither an address nor a network`},
		{"half a header", "accounts: [{name: a}]\nmapping:\n- {header: {name: X-A}, account: a}", "3: header needs a name and a value"},
		{"the other half", "accounts: [{name: a}]\nmapping:\n- {header: {value: x}, account: a}", "3: header needs a name and a value"},
		{"rule without account", "accounts: [{name: a}]\nmapping:\n- listener: x", "3: a rule of the mapping without an account"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, problems := policy.Read([]byte(tt.text))
			var got []string
			for _, p := range problems {
				got = append(got, p.String())
			}
			if text := strings.Join(got, "\n"); text != tt.want {
				t.Errorf("problems:\n%s\nwant:\n%s", text, tt.want)
			}
		})
	}
}

func TestTooLong(t *testing.T) {
	const file = "accounts: [{name: a}]\n#"
	text := []byte(file + strings.Repeat("x", 4<<20-len(file)))
	if _, problems := policy.Read(text); len(problems) > 0 {
		t.Errorf("a file of just that length: %v", problems)
	}
	_, problems := policy.Read(append(text, 'x'))
	if len(problems) != 1 || problems[0].String() != "1: the file has more than 4194304 bytes" {
		t.Errorf("problems %v", problems)
	}
}

func TestNames(t *testing.T) {
	for want, got := range map[string]string{
		"genesys": policy.Genesys.String(), "preset-3": policy.Preset(3).String(), "preset--1": policy.Preset(-1).String(),
		"hold": policy.FactHold.String(), "never fed": policy.NeverFed.String(),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("preset: vonage\naccounts: [{name: a, hold: record}]")
	f.Add("accounts: &a [*a]")
	f.Add("mapping: [{header: {name: x, value: '*'}, account: a}]")
	f.Add(everything)
	f.Add("\"\r\r")
	f.Add(mapped)
	f.Add("accounts:\n- name: a\n  do-not-record: [+1 555-0100, 015550100]\n  retention: [{keep: 1 day}]\n  acknowledge: [plan]")
	f.Fuzz(func(t *testing.T, text string) {
		file, problems := policy.Read([]byte(text))
		again, anew := policy.Read([]byte(text))
		if !reflect.DeepEqual(file, again) || !reflect.DeepEqual(problems, anew) {
			t.Error("one text, read in two ways")
		}
		if !slices.IsSortedFunc(problems, func(a, b policy.Problem) int { return a.Line - b.Line }) {
			t.Errorf("problems not in the order of their lines: %v", problems)
		}
		// YAML counts more as the end of a line than an editor does, and what is
		// missing at the end of the file is missing on the line after it.
		lines := 1 + strings.Count(text, "\n") + strings.Count(text, "\r") + strings.Count(text, "\u2028") + strings.Count(text, "\u2029")
		for _, p := range problems {
			if p.Line < 1 || p.Line > lines+1 || p.Text == "" {
				t.Errorf("problem %v of a file of %d lines", p, lines)
			}
		}
		if len(problems) > 0 {
			return
		}
		known := file.Knowing(rules.Directory{Numbering: rules.Numbering{CountryCode: "44", Trunk: "0"}})
		for _, f := range []*policy.File{file, known} {
			f.Meanings()
			f.Feeds()
			f.Remarks()
			for _, u := range f.Unfed() {
				if u.Acknowledge == "" || len(u.Missing) == 0 {
					t.Errorf("no way out of %+v", u)
				}
			}
		}
		b := file.Belongs(policy.Traits{Listener: "x", Dialled: []string{"+441"}})
		if b.Account == policy.DefaultAccount && file.Account(b.Account) == nil {
			if flags := file.Flags(b, t0); rules.NewPolicy(flags).Version() != rules.NewPolicy(rules.Flags{}).Version() {
				t.Error("an account that is not there records something")
			}
		}
	})
}

// Contradictions are found at once, but in parts that could not be read: there they
// may be none.
func TestContradictionsBesideProblems(t *testing.T) {
	const final = "- name: f\n  owner: {stop-is-final: on, continue-after-transfer: on}\n"
	const finally = "stop-is-final: on, but continue-after-transfer is on, so that nothing ever stops"
	for _, tt := range []struct {
		name, text string
		want       string // each problem, one a line
		unread     bool
	}{
		{"none", "accounts:\n" + final, "3: " + finally, false},
		{"in the account itself", "accounts:\n" + final + "  colour: blue\n", `4: unknown key "colour"`, true},
		{"in another account", "accounts:\n" + final + "- {name: a, colour: blue}\n", "3: " + finally + "\n" + `4: unknown key "colour"`, true},
		{"in the file", "colour: blue\naccounts:\n" + final, `1: unknown key "colour"`, true},
		{"in the mapping", "accounts:\n" + final + "mapping:\n- {colour: blue, account: f}\n- {listener: x, account: g}\n", "3: " + finally + "\n" + `5: unknown key "colour"`, true},
		{"in the profiles", "accounts:\n" + final + "- {name: a, trunks: [{name: t, profile: p}]}\nprofiles: [{nam: p}]\n",
			"3: " + finally + "\n5: a profile without a name\n" + `5: unknown key "nam": did you mean name?`, true},
		{"beside a mapping to nowhere", "accounts:\n- {name: a, colour: blue}\nmapping:\n- {listener: x, account: b}\n", `2: unknown key "colour"` + "\n" + `4: there is no account "b": did you mean a?`, true},
		{"of what the mapping names", "accounts:\n- {name: a, trunk: t}\nmapping:\n- {listener: x, account: a, trunk: t}\n- {listener: y, account: a, plan: p}\n", `2: unknown key "trunk": did you mean trunks?`, true},
		{"of whom the mapping names", "accounts:\n- {nam: a}\nmapping:\n- {listener: x, account: a}\n", "2: an account without a name\n" + `2: unknown key "nam": did you mean name?`, true},
		{"two without names", "accounts:\n- {}\n- {}\n", "2: an account without a name\n3: an account without a name", true},
		{"two of one name", "accounts:\n- {name: a, colour: blue}\n- {name: a}\n", `2: unknown key "colour"` + "\n" + `3: account "a" stands on line 2 already`, true},
		{"no YAML", "accounts: [", "1: did not find expected node content: a bracket is not closed, or a value is missing", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, problems := policy.Read([]byte(tt.text))
			var got []string
			for _, p := range problems {
				got = append(got, p.String())
			}
			slices.Sort(got)
			want := strings.Split(tt.want, "\n")
			slices.Sort(want)
			if !slices.Equal(got, want) || f.Unread() != tt.unread {
				t.Errorf("%q, unread %v, want %q", got, f.Unread(), want)
			}
		})
	}
}
