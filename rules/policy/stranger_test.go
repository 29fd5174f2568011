package policy_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/policy"
)

// What a stranger to YAML, or to this file, writes is answered with the line and
// with what to write instead.
func TestStranger(t *testing.T) {
	account := func(text string) string { return "accounts:\n- name: a\n  " + text }
	for _, tt := range []struct {
		name, text string
		want       string // how the first problem begins, up to a *
	}{
		{"tab", "accounts:\n\t- name: a", "2: found character that cannot start any token: indent with spaces, not with tabs"},
		{"tab later", "accounts:\n  - name: a\n\t  hold: record", "2: *indent with spaces, not with tabs"},
		{"anchor", "accounts: &all [{name: a}]", "1: &all: a part of the file cannot have a name"},
		{"alias", "accounts:\n- &x {name: a}\n- *x", "2: &x: *"},
		{"merge key", "accounts:\n- {name: a}\n- {<<: {name: a}}", `3: unknown key "<<"`},
		{"itself", "accounts: &a [*a]", "1: &a: "},
		{"alias of nothing", "accounts: *x", "1: unknown anchor 'x' referenced"},
		{"tag", account("hold: !secret record"), "3: !secret: a value cannot have a tag"},
		{"complex key", account("? [b]\n  : c"), "3: a key has to be a word"},
		{"control character", "accounts:\n- name: \"a\x00\"", "2: there is a control character (U+0000) on this line"},
		{"escape", "accounts:\n- name: \"a\\u0007\"", `2: name: "a\a" begins or ends with a space, or goes over a line`},
		{"not UTF-8", "accounts:\n- name: caf\xe9", "2: this is not UTF-8; save the file as UTF-8"},
		{"UTF-16", "\xff\xfea\x00", "1: this is not UTF-8"},
		{"only a comment", "# nothing", "1: the file is empty"},
		{"null", "---\n~", "2: the file has to be a list of keys and values"},
		{"third document", "accounts: [{name: a}]\n---\na: 1\n---\nb: 2", "4: more than one document"},
		{"colon in a value", "accounts:\n- name: a: b", "2: mapping values are not allowed in this context: a value with a colon"},
		{"star", "mapping:\n- {dialled: *, account: a}", "2: *what begins with * or & has to stand in quotes"},
		{"at", account("hold: @record"), "3: *what begins with @"},
		{"quote", account("hold: 'record"), "*: *a quote or bracket is not closed"},
		{"column", "accounts:\n  - name: a\n   hold: record", "*: *have to begin in one column"},
		{"date", account("hold: 2026-01-02"), `3: hold: "2026-01-02" is not one of`},
		{"nobody", "accounts:\n- name: ~", "2: name has to be a word or number"},
		{"null value", account("hold: null"), "3: hold has to be a word or number"},
		{"padded name", "accounts:\n- name: ' a'", `2: name: " a" begins or ends with a space`},
		{"yes where it is not a choice", account("consent: yes"), `3: consent: "yes" is not one of off, ask`},
		{"capital", account("hold: Record"), `3: hold: "Record" is not one of *: did you mean record?`},
		{"preset of an account", account("preset: genysis"), `3: preset: "genysis" is not one of siprecd, vonage, genesys: did you mean genesys?`},
		{"percent with a part", account("plans: [{name: p, record: {percent: 33.3}}]"), `3: percent: "33.3" is not a whole number`},
		{"percent below", account("plans: [{name: p, record: {percent: -1}}]"), `3: percent: "-1" is not a whole number`},
		{"list of percent", account("plans: [{name: p, record: {percent: [1]}}]"), `3: percent: "" is not a whole number`},
		{"rule without a key", account("plans: [{name: p, record: {}}]"), "3: record: of a plan needs percent, callers or menu"},
		{"no rule", account("plans: [{name: p, record: []}]"), "3: record: the list is empty"},
		{"none and some", account("plans: [{name: p, record: [none, {percent: 3}]}]"), "3: record: none has no effect beside"},
		{"nobody calls", account("plans: [{name: p, record: {callers: []}}]"), "3: callers: the list is empty"},
		{"no option", account("plans: [{name: p, record: {menu: []}}]"), "3: menu: the list is empty"},
		{"zero days", account("retention: [{keep: 0 days}]"), `3: "0 days" is neither a number of days from 1 to 36500`},
		{"days before", account("retention: [{delete-after: -1 days}]"), `3: "-1 days" is neither`},
		{"too many days", account("retention: [{delete-after: 99999999999999999999 days}]"), `3: "99999999999999999999 days" is neither`},
		{"days of days", account("retention: [{keep: 3 day days}]"), `3: "3 day days" is neither`},
		{"alarm at once", account("pause-alarm: 1ns"), `3: pause-alarm: "1ns" is neither a time from 1s to 24h`},
		{"a user recording for no time", account("user-recordings-kept: 0 days"), `3: user-recordings-kept: "0 days" is neither a number of days from 1 to 36500, such as 30 days, nor forever`},
		{"alarm next year", account("pause-alarm: 9000h"), `3: pause-alarm: "9000h" is neither`},
		{"who is barred", account("do-not-record: [+15550100, the boss]"), `3: do-not-record: "the boss" is no telephone number`},
		{"pattern of numbers", account("do-not-record: +1555*"), `3: do-not-record: "+1555*" is no telephone number; write it whole`},
		{"the same, written otherwise", account("do-not-record: +1 (555) 0100\n  plans: [{name: p, record: {callers: 0015550100}}]"),
			`4: plan "p" records caller +15550100, whom do-not-record`},
		{"acknowledged in vain", account("acknowledge: [legal-hold]"), "3: acknowledge: there is no setting \"legal-hold\" that has to be told anything"},
		{"acknowledged nothing", account("acknowledge: []"), "3: acknowledge: the list is empty"},
		{"dialled a word", "accounts: [{name: a}]\nmapping:\n- {dialled: sales, account: a}", `3: dialled: "sales" is no telephone number`},
		{"mapped address", "accounts: [{name: a}]\nmapping:\n- {address: '::ffff:192.0.2.1', account: a}", "3: address: \"::ffff:192.0.2.1\" has to be written as an address of IPv4"},
		{"no address at all", "accounts: [{name: a}]\nmapping:\n- {address: {}, account: a}", "3: address has to be a word or number"},
		{"asked before", "accounts: [{name: a}, {name: b}]\nmapping:\n- {listener: x, account: a}\n- {listener: x, account: b}",
			"4: this rule is never reached: the one on line 3 asks the same and says account a"},
		{"plan of the mapping", "accounts: [{name: a, plans: [{name: support}]}]\nmapping:\n- {account: a, plan: suport}", `3: there is no plan of account a "suport": did you mean support?`},
		{"long key", strings.Repeat("x", 1000) + ": 1", `1: unknown key "` + strings.Repeat("x", 60) + `..."`},
		{"key that is just short enough", strings.Repeat("x", 60) + ": 1", `1: unknown key "` + strings.Repeat("x", 60) + `"`},
		{"deep", strings.Repeat("[", 20000), "1: exceeded max depth of 10000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, problems := policy.Read([]byte(tt.text))
			if len(problems) == 0 {
				t.Fatal("accepted")
			}
			rest := problems[0].String()
			for i, part := range strings.Split(tt.want, "*") {
				at := strings.Index(rest, part)
				if at < 0 || i == 0 && at != 0 {
					t.Fatalf("got %q, want %q", problems[0], tt.want)
				}
				rest = rest[at+len(part):]
			}
		})
	}
}

// What a person may well write is read as it was meant.
func TestHospitable(t *testing.T) {
	plain := read(t, "accounts:\n- name: Grüne Büros GmbH\n  do-not-record: [+15550100, +15550101]\n  users: [{name: u, may-control: yes}]\n  control: selected\n")
	for _, tt := range []struct{ name, text string }{
		{"byte order mark", "\ufeffaccounts:\n- name: Grüne Büros GmbH\n  do-not-record: [+15550100, +15550101]\n  users: [{name: u, may-control: yes}]\n  control: selected\n"},
		{"CRLF", "accounts:\r\n- name: Grüne Büros GmbH\r\n  do-not-record: [+15550100, +15550101]\r\n  users: [{name: u, may-control: yes}]\r\n  control: selected\r\n"},
		{"numbers as people write them", "accounts:\n- name: Grüne Büros GmbH\n  do-not-record: [+1 555-0100, 'tel:+1(555)0101']\n  users: [{name: u, may-control: on}]\n  control: selected"},
	} {
		f := read(t, tt.text)
		if !reflect.DeepEqual(f.Accounts, plain.Accounts) {
			t.Errorf("%s: %+v, want %+v", tt.name, f.Accounts, plain.Accounts)
		}
	}
	f := read(t, "accounts: [{name: a, plans: [{name: p, record: {callers: 015550100}}]}]\nmapping: [{dialled: +1 (555) 01*, account: a}]")
	if got := f.Accounts[0].Plans[0].Rules[0].Callers; !slices.Equal(got, []string{"015550100"}) {
		t.Errorf("a number with a zero in front became %q", got)
	}
	if b := f.Belongs(policy.Traits{Dialled: []string{"sip:+15550177@srs.example"}}); b.Account != "a" {
		t.Errorf("a pattern with separators fits nothing: %+v", b)
	}
}

// Nobody reads thousands of problems, and nobody waits for them.
func TestManyProblems(t *testing.T) {
	var b strings.Builder
	for range 100000 {
		b.WriteString("accountz: 1\n")
	}
	if _, problems := policy.Read([]byte(b.String())); len(problems) != 100 {
		t.Errorf("%d problems, want the first 100", len(problems))
	}
	b.Reset()
	b.WriteString("accounts: [{name: a}]\nmapping:\n")
	for range 1000 {
		b.WriteString("- {listener: x, account: nobody}\n")
	}
	if _, problems := policy.Read([]byte(b.String())); len(problems) != 100 {
		t.Errorf("%d problems, want the first 100", len(problems))
	}
}

// The directory tells how numbers are dialled.
func TestNumbering(t *testing.T) {
	f := read(t, "accounts:\n- name: default\n  do-not-record: [015550100]\n  plans: [{name: p, record: {callers: [015550101, 200100]}}]\nmapping: [{account: default, plan: p}]")
	at := policy.Belonging{Account: "default", Plan: "p"}
	if r := f.Remarks(); len(r) != 2 || r[0].Line != 3 || !strings.Contains(r[0].Text, "nothing says of which country 015550100 is") {
		t.Errorf("remarks %v", r)
	}
	known := f.Knowing(rules.Directory{Numbering: rules.Numbering{CountryCode: "44", Trunk: "0"}})
	flags := known.Flags(at, t0)
	if !slices.Equal(flags.DoNotRecord, []string{"+4415550100"}) || !slices.Equal(flags.Plan[0].Callers, []string{"+4415550101", "200100"}) {
		t.Errorf("numbers %v and %v", flags.DoNotRecord, flags.Plan[0].Callers)
	}
	if r := known.Remarks(); len(r) != 0 {
		t.Errorf("remarks %v", r)
	}
	if again := f.Flags(at, t0); !slices.Equal(again.DoNotRecord, []string{"015550100"}) || again.Plan[0].Callers[0] != "015550101" {
		t.Error("the file itself has changed")
	}
}
