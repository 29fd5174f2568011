package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/policy"
)

// A directory tells roles on a trunk that tells the parties, and directions if it
// says who calls, or which calls the SRC has.
func TestKnowing(t *testing.T) {
	people := rules.Directory{Agents: []rules.Entry{{AORs: []string{"sip:anna@example.com"}}}}
	inside := rules.Directory{Inside: rules.Inside{Domains: []string{"example.com"}}}
	with := func(d rules.Directory, p rules.Profile) rules.Directory {
		d.Profiles = []rules.Profile{p}
		return d
	}
	sbc := rules.Profile{Name: "sbc"}
	first, second, calls, inbound := sbc, sbc, sbc, sbc
	first.RecordedOrder, second.RecordedLabel = rules.OrderFirst, "1"
	calls.Caller, inbound.Direction = rules.OrderSecond, rules.DirectionInbound
	other := inbound
	other.Name = "another"
	const parties = "wire: [parties]"
	for _, tt := range []struct {
		name, delivers  string
		directory       rules.Directory
		role, direction string
	}{
		{"nothing", parties, rules.Directory{}, "never fed", "never fed"},
		{"agents", parties, people, "enforced, by the directory", "never fed"},
		{"inside", "extension: [parties]", inside, "enforced, by the directory", "never fed"},
		{"realms inside", parties, rules.Directory{Inside: rules.Inside{Realms: []string{"example.com"}}}, "enforced, by the directory", "never fed"},
		{"numbers inside", parties, rules.Directory{Inside: rules.Inside{Numbers: []string{"+1555*"}}}, "enforced, by the directory", "never fed"},
		{"supervisors", parties, rules.Directory{Supervisors: people.Agents}, "enforced, by the directory", "never fed"},
		{"queues only", parties, rules.Directory{Queues: []rules.Entry{{Extensions: []string{"2001"}}}}, "never fed", "never fed"},
		{"no parties", "wire: [hold]", with(people, inbound), "never fed", "never fed"},
		{"it is told anyway", "wire: [parties, role]", people, "enforced", "never fed"},
		{"the API tells too", "wire: [parties]\n  api: [role]", people, "enforced, by the directory", "never fed"},
		{"only the API tells", "wire: [parties]\n  api: [role]", rules.Directory{}, "enforced only with facts from the API", "never fed"},
		{"the first is recorded", parties, with(rules.Directory{}, first), "enforced, by the directory", "never fed"},
		{"a label is recorded", parties, with(rules.Directory{}, second), "enforced, by the directory", "never fed"},
		{"who calls", parties, with(people, calls), "enforced, by the directory", "enforced, by the directory"},
		{"who calls, of strangers", parties, with(rules.Directory{}, calls), "never fed", "never fed"},
		{"a trunk of one direction", parties, with(rules.Directory{}, inbound), "never fed", "enforced, by the directory"},
		{"another SRC", parties, with(rules.Directory{}, other), "never fed", "never fed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := read(t, "accounts:\n- name: a\n  owner: {outbound: record}\n  trunks: [{name: t, profile: sbc}]\nprofiles:\n- name: sbc\n  "+tt.delivers)
			got := make(map[string]string)
			for _, fed := range f.Knowing(tt.directory).Feeds() {
				got[fed.Setting] = fed.Feed.String()
				if len(fed.Directory) > 0 {
					got[fed.Setting] += ", by the directory"
				}
			}
			if got["continue-after-transfer"] != tt.role || got["outbound"] != tt.direction {
				t.Errorf("role %s, direction %s", got["continue-after-transfer"], got["outbound"])
			}
			if again := f.Feeds(); len(again[0].Directory) > 0 {
				t.Error("the file itself has changed")
			}
		})
	}
}

// A trunk without a profile has none of the directory either, whatever its name.
func TestKnowingWithoutProfile(t *testing.T) {
	f := read(t, "accounts: [{name: a, owner: {outbound: record}}]")
	d := rules.Directory{Profiles: []rules.Profile{{Name: "standard", Direction: rules.DirectionInbound}}}
	if got := f.Knowing(d).Feeds()[0]; got.Setting != "outbound" || got.Feed.String() != "never fed" {
		t.Errorf("fed %+v", got)
	}
}

// Agent-only needs to know who was picked from the directory.
func TestChosen(t *testing.T) {
	f := read(t, "accounts: [{name: a, owner: {agent-only: on}}]")
	if u := f.Unfed(); len(u) != 1 || !strings.Contains(strings.Join(u[0].Missing, "; "), "role, chosen (for agent-only: on)") || !slices.Equal(u[0].Facts[:2], []policy.Fact{policy.FactRole, policy.FactChosen}) {
		t.Errorf("unfed %+v", u)
	}
	f = f.Knowing(rules.Directory{Users: []rules.Entry{{AORs: []string{"sip:u@example.com"}}}})
	if got := fmt.Sprint(f.Feeds()[0].Directory); got != "[role chosen]" {
		t.Errorf("from the directory: %s", got)
	}
}

// The way out of a failing check is ready to be pasted, and does lead out.
func TestAcknowledge(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       string // account/trunk at line: key
		paste      [2]string
	}{
		{"an account without trunks", "accounts:\n- name: default\n  plans: [{name: p, record: all}]", "default/ at 2: acknowledge: [continue-after-transfer, consult-conversation, plan]",
			[2]string{"- name: default\n", "- name: default\n  %s\n"}},
		{"a trunk", "accounts:\n- name: a\n  consult-conversation: record\n  trunks:\n  - name: t\n", "a/t at 5: acknowledge: [continue-after-transfer]",
			[2]string{"- name: t\n", "- name: t\n    %s\n"}},
		{"what is acknowledged stays", "accounts:\n- name: a\n  trunks:\n  - name: t\n    acknowledge: [consult-conversation]\n",
			"a/t at 4: acknowledge: [consult-conversation, continue-after-transfer]",
			[2]string{"acknowledge: [consult-conversation]", "%s"}},
		{"what the account acknowledges stays", "accounts:\n- name: a\n  acknowledge: [consult-conversation]\n",
			"a/ at 2: acknowledge: [consult-conversation, continue-after-transfer]",
			[2]string{"acknowledge: [consult-conversation]", "%s"}},
		{"calls on no trunk", "accounts:\n- name: a\n  consult-conversation: record\n  trunks:\n  - {name: t, profile: sbc}\nprofiles: [{name: sbc, wire: [role, hold]}]\nmapping:\n- {listener: x, account: a}",
			"a/ at 2: acknowledge: [continue-after-transfer]", [2]string{"- name: a\n", "- name: a\n  %s\n"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			unfed := read(t, tt.text).Unfed()
			if len(unfed) != 1 {
				t.Fatalf("unfed %+v", unfed)
			}
			u := unfed[0]
			if got := fmt.Sprintf("%s/%s at %d: %s", u.Account, u.Trunk, u.Line, u.Acknowledge); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			pasted := strings.Replace(tt.text, tt.paste[0], fmt.Sprintf(tt.paste[1], u.Acknowledge), 1)
			if left := read(t, pasted).Unfed(); len(left) > 0 {
				t.Errorf("still unfed: %+v\n%s", left, pasted)
			}
		})
	}
}

// A call that the mapping places on no trunk has what is known without a profile.
func TestOffTrunk(t *testing.T) {
	const accounts = "accounts: [{name: a, trunks: [{name: t}]}, {name: default, trunks: [{name: t}]}]\nmapping:\n"
	for _, tt := range []struct {
		name, mapping string
		want          string // accounts with calls on no trunk
	}{
		{"trunks only", "- {listener: x, account: a, trunk: t}", "default"},
		{"a rule without", "- {listener: x, account: a}", "a default"},
		{"a rule without, and one with", "- {listener: x, account: a}\n- {listener: y, account: a, trunk: t}", "a default"},
		{"the rest on a trunk", "- {listener: x, account: a}\n- {account: a, trunk: t}", ""},
		{"the rest on none", "- {listener: x, account: a, trunk: t}\n- {account: a}", "a"},
		{"the rest elsewhere", "- {listener: x, account: a}\n- {account: default, trunk: t}", "a"},
	} {
		var got []string
		for _, m := range read(t, accounts+tt.mapping).Meanings() {
			if m.OffTrunk {
				got = append(got, m.Account)
			}
		}
		if text := strings.Join(got, " "); text != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, text, tt.want)
		}
	}
	if m := read(t, "accounts: [{name: default}]").Meanings(); len(m) != 1 {
		t.Errorf("an account without trunks has no calls beside them: %+v", m)
	}
}

func TestRemarks(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       string // how they begin, one a line
	}{
		{"nothing", "accounts: [{name: default, plans: [{name: p, record: all}], trunks: [{name: t}]}]\nmapping: [{account: default, trunk: t, plan: p}]", ""},
		{"places", "accounts:\n- name: a\n  trunks: [{name: t}]\n  plans: [{name: p, record: all}]\nprofiles:\n- name: x",
			`2: no rule of the mapping places a call with account "a"` + "\n" + `3: no rule of the mapping places a call on trunk "t" of account "a"` + "\n" +
				`4: no rule of the mapping gives a call plan "p" of account "a"; it takes one such as {dialled: "+1555*", account: a, plan: p}` + "\n" + `6: profile "x" is of no trunk`},
		{"consent", "accounts:\n- name: default\n  consent: ask\n  trunks: [{name: t, consent: off}]\n  plans: [{name: p, consent: off}]\nmapping: [{account: default, plan: p, trunk: t}]",
			`4: consent: off of trunk "t" counts more than consent: ask of account "default"` + "\n" + `5: consent: off of plan "p" counts more`},
		{"acknowledged", "accounts:\n- name: default\n  acknowledge: [continue-after-transfer, plan]\n  trunks:\n  - {name: t, acknowledge: [hold]}\nmapping: [{account: default, trunk: t}]",
			"2: acknowledge: plan need not be acknowledged" + "\n" + "5: acknowledge: hold need not be acknowledged"},
		{"outbound", "accounts:\n- name: default\n  owner: {outbound: record}\n  trunks: [{name: t, record: on}]\nmapping: [{account: default, trunk: t}]",
			"3: outbound: record adds nothing"},
		{"retention", "accounts:\n- name: default\n  retention: [{keep: forever}, {keep: 90 days}, {delete-after: 30 days, direction: inbound}, {evaluate: yes}, {delete-after: 100 days, direction: outbound}]",
			`2: retention of account "default": rule 1 has no effect, because another one gives a period` + "\n" + `2: retention of account "default": rule 3 has no effect, because another one gives a longer period`},
		{"retention of one direction", "accounts:\n- name: default\n  retention: [{keep: 30 days, direction: inbound}, {keep: 90 days, direction: inbound}]",
			`2: retention of account "default": rule 1 has no effect, because another one gives a longer period`},
		{"no retention at all", "accounts:\n- name: default\n  retention: [{keep: forever}, {delete-after: the call}]",
			`2: retention of account "default": rule 1 has no effect, because another one gives a period`},
		{"places of two accounts", "accounts:\n- name: a\n  trunks:\n  - name: t\n  - name: u\n- name: b\n  trunks:\n  - name: u\nmapping: [{listener: x, account: a, trunk: t}, {listener: y, account: b, trunk: u}]",
			`5: no rule of the mapping places a call on trunk "u" of account "a"`},
		{"everything in use", `
profiles: [{name: sbc, wire: [parties, hold, consult], extension: [role]}]
accounts:
- name: default
  acknowledge: [plan]
  trunks: [{name: t, consent: off}, {name: u, profile: sbc}]
  plans: [{name: p, consent: off, record: [{percent: 5}, {callers: +15550100}]}, {name: q, record: [{callers: +15550100}, {menu: 1}]}]
- name: records
  trunks: [{name: t, record: on}]
- name: asks
  consent: ask
  owner: {outbound: record}
  acknowledge: [consult-conversation]
  trunks: [{name: t}, {name: u, record: on, profile: sbc}]
  plans: [{name: p, record: all}]
  queues: [{name: q, wait: withhold}, {name: r}]
  flows: [{name: f, suppress: yes}]
  control: selected
  user-recordings: selected
  users: [{name: u, may-control: yes}, {name: v, may-record: yes}]
mapping:
- {listener: a, account: default, trunk: u, plan: p}
- {listener: b, account: asks, trunk: u, plan: p}
- {listener: c, account: asks, trunk: t}
- {listener: d, account: records, trunk: t}
- {account: default, trunk: t, plan: q}`, ""},
		{"retention of its own", "accounts:\n- name: default\n  retention: [{keep: forever}, {keep: 90 days, direction: inbound}, {delete-after: the call, direction: outbound}]", ""},
		{"parts", "accounts:\n- name: default\n  queues: [{name: q}]\n  flows: [{name: f}]\n  users: [{name: u}]\n  plans: [{name: p, record: [{percent: 3}, {percent: 5}]}]\nmapping: [{account: default, plan: p}]",
			`3: queue "q" has no effect` + "\n" + `4: flow "f" has no effect` + "\n" + `5: user "u" has no effect` + "\n" + `6: plan "p" has more than one percent`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := strings.Split(tt.want, "\n")
			got := read(t, tt.text).Remarks()
			if tt.want == "" {
				want = nil
			}
			if len(got) != len(want) {
				t.Fatalf("remarks %q, want %q", got, want)
			}
			for i, p := range got {
				if !strings.HasPrefix(p.String(), want[i]) {
					t.Errorf("remark %q, want %q", p, want[i])
				}
			}
		})
	}
}

// What a server does not take is as good as never told, by whatever way.
func TestTaking(t *testing.T) {
	const text = "accounts: [{name: a, flows: [{name: pay, suppress: yes}], trunks: [{name: t, profile: p}]}]\n" +
		"mapping: [{listener: x, account: a, trunk: t}]\nprofiles: [{name: p, %s: [ivr, parties]}]\n"
	ivr, parties := []policy.Fact{policy.FactIVR}, []policy.Fact{policy.FactParties}
	for _, way := range []string{"wire", "extension", "api"} {
		f, problems := policy.Read([]byte(fmt.Sprintf(text, way)))
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		b := policy.Belonging{Account: "a", Trunk: "t"}
		unfed := func(f *policy.File) bool { return f.Flags(b, time.Time{}).FlowsUnfed }
		byCall, byAPI := policy.Taken{Call: ivr, API: parties}, policy.Taken{Call: parties, API: ivr}
		if way == "api" {
			byCall, byAPI = byAPI, byCall
		}
		if unfed(f) || unfed(f.Taking(byCall)) || !unfed(f.Taking(byAPI)) || unfed(f) {
			t.Errorf("%s: flows are unfed: %v, taken %v, not taken %v", way, unfed(f), unfed(f.Taking(byCall)), unfed(f.Taking(byAPI)))
		}
	}
}
