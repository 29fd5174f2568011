package policy_test

import (
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/rules/policy"
)

const mapped = `
accounts:
  - {name: a, trunks: [{name: t1}, {name: t2}], plans: [{name: p1}, {name: p2}]}
  - {name: b, trunks: [{name: t1}], plans: [{name: p1}]}
mapping:
  - {certificate: sbc.a.example, account: a, trunk: t1}
  - {listener: tls-b, account: b}
  - {address: [192.0.2.0/24, "2001:db8::1"], account: a, trunk: t2}
  - {request-uri: "b-*@srs.example", account: b, trunk: t1}
  - {dialled: "+1555010?", account: a, plan: p1}
  - {header: {name: X-Account, value: b}, account: b, plan: p1}
  - {field: {name: tenant, value: [b, bb]}, listener: tls-*, account: b, plan: p1}
  - {api: sales, account: a, plan: p2}
`

func TestBelongs(t *testing.T) {
	f := read(t, mapped)
	for _, tt := range []struct {
		name   string
		traits policy.Traits
		want   string // account/trunk/plan
		lines  []int
	}{
		{"certificate", policy.Traits{Certificate: []string{"other", "SBC.a.example"}}, "a/t1/", []int{6}},
		{"listener", policy.Traits{Listener: "tls-b"}, "b//", []int{7}},
		{"network", policy.Traits{Address: netip.MustParseAddr("192.0.2.7")}, "a/t2/", []int{8}},
		{"mapped address", policy.Traits{Address: netip.MustParseAddr("::ffff:192.0.2.7")}, "a/t2/", []int{8}},
		{"one address", policy.Traits{Address: netip.MustParseAddr("2001:db8::1")}, "a/t2/", []int{8}},
		{"another address", policy.Traits{Address: netip.MustParseAddr("2001:db8::2")}, "default//", nil},
		{"Request-URI", policy.Traits{RequestURI: "sip:b-7@SRS.example:5061;transport=tls"}, "b/t1/", []int{9}},
		{"dialled", policy.Traits{Dialled: []string{"tel:+1-555-0102"}}, "a//p1", []int{10}},
		{"header field", policy.Traits{Header: map[string][]string{"x-account": {"b"}}}, "b//p1", []int{11}},
		{"another header field", policy.Traits{Header: map[string][]string{"X-Group": {"b"}}}, "default//", nil},
		{"a rule that adds nothing", policy.Traits{Dialled: []string{"+15550102"}, API: "sales"}, "a//p1", []int{10}},
		{"extension field and listener", policy.Traits{Listener: "tls-c", Field: map[string][]string{"tenant": {"BB"}}}, "b//p1", []int{12}},
		{"extension field alone", policy.Traits{Field: map[string][]string{"tenant": {"bb"}}}, "default//", nil},
		{"API", policy.Traits{API: "sales"}, "a//p2", []int{13}},
		{"later rules of the account complete it", policy.Traits{
			Certificate: []string{"sbc.a.example"}, Address: netip.MustParseAddr("192.0.2.7"), Dialled: []string{"+15550102"}, API: "sales",
		}, "a/t1/p1", []int{6, 10}},
		{"rules of another account do not", policy.Traits{
			Certificate: []string{"sbc.a.example"}, Header: map[string][]string{"X-Account": {"b"}},
		}, "a/t1/", []int{6}},
		{"nothing known", policy.Traits{}, "default//", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := f.Belongs(tt.traits)
			if got := strings.Join([]string{b.Account, b.Trunk, b.Plan}, "/"); got != tt.want || !reflect.DeepEqual(b.Lines, tt.lines) {
				t.Errorf("%s by %v, want %s by %v", got, b.Lines, tt.want, tt.lines)
			}
			if (b.Alarm != "") != (tt.want == "default//") {
				t.Errorf("alarm %q", b.Alarm)
			}
		})
	}
	if b := read(t, "accounts: [{name: a}]\nmapping: [{listener: '*', account: a}]").Belongs(policy.Traits{}); b.Account == "a" {
		t.Error("what is unknown fits a pattern")
	}
	if (policy.Belonging{Account: "a"}).Group("7") == (policy.Belonging{Account: "b"}).Group("7") {
		t.Error("two accounts share an interaction")
	}
}

func TestMappingSentences(t *testing.T) {
	got := strings.Join(read(t, mapped).MappingSentences(), "\n")
	for _, want := range []string{
		"Interactions whose certificate names sbc.a.example belong to account a, trunk t1.",
		"Interactions that come from 192.0.2.0/24 or 2001:db8::1/128 belong",
		"Interactions that come in on listener tls-*, with extension field tenant being b or bb belong to account b, plan p1.",
		"with header field X-Account being b", "for the Request-URI b-*@srs.example", "in which was dialled +1555010?", "of which the API says sales",
		"What no rule places belongs to account default, which this file does not have: nothing of it is recorded; an alarm is raised.",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	all := read(t, "accounts: [{name: default}]\nmapping: [{account: default}]").MappingSentences()
	if len(all) != 1 || all[0] != "All interactions belong to account default." {
		t.Errorf("sentences %q", all)
	}
	own := read(t, "accounts: [{name: default}]").MappingSentences()
	if len(own) != 1 || own[0] != "What no rule places belongs to account default; an alarm is raised." {
		t.Errorf("sentences %q", own)
	}
}

// Of a condition that not every client feeds, the check says what feeds it.
func TestConditions(t *testing.T) {
	var got []string
	for _, c := range read(t, mapped).Conditions() {
		got = append(got, strconv.Itoa(c.Line)+" "+c.Text+" "+strings.Fields(c.State)[0])
	}
	want := []string{"6 certificate: sbc.a.example only", "10 dialled: +1555010? from", "13 api: sales never"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Two accounts never share an interaction, not even when their clients use one
// group id; what else differs makes no other interaction of it.
func TestGroupsOfTwoAccounts(t *testing.T) {
	f := read(t, mapped)
	group := func(traits policy.Traits, id string) string { return f.Belongs(traits).Group(id) }
	a, b := policy.Traits{Certificate: []string{"sbc.a.example"}}, policy.Traits{Listener: "tls-b"}
	for _, tt := range []struct {
		name     string
		one, two string
		same     bool
	}{
		{"one account", group(a, "7"), group(a, "7"), true},
		{"two trunks of it", group(a, "7"), group(policy.Traits{Address: netip.MustParseAddr("192.0.2.7")}, "7"), true},
		{"two groups", group(a, "7"), group(a, "8"), false},
		{"two accounts", group(a, "7"), group(b, "7"), false},
		{"by header field", group(a, "7"), group(policy.Traits{Header: map[string][]string{"X-Account": {"b"}}}, "7"), false},
		{"by extension field", group(a, "7"), group(policy.Traits{Listener: "tls-x", Field: map[string][]string{"tenant": {"b"}}}, "7"), false},
		{"nobody's", group(a, "7"), group(policy.Traits{}, "7"), false},
		{"names run together", policy.Belonging{Account: "a"}.Group("b7"), policy.Belonging{Account: "ab"}.Group("7"), false},
	} {
		if (tt.one == tt.two) != tt.same {
			t.Errorf("%s: %q and %q", tt.name, tt.one, tt.two)
		}
	}
}

// All conditions of a rule have to be met, and what is like what was asked for is
// not what was asked for.
func TestNearMisses(t *testing.T) {
	f := read(t, `
accounts: [{name: a}]
mapping:
  - {certificate: "*.a.example", listener: tls, account: a}
  - {header: {name: X-Tenant, value: gold}, field: {name: tenant, value: "7"}, account: a}
`)
	header, field := map[string][]string{"x-tenant": {"iron", "gold"}}, map[string][]string{"tenant": {"7"}}
	for _, tt := range []struct {
		name   string
		traits policy.Traits
		want   string
	}{
		{"certificate and listener", policy.Traits{Certificate: []string{"x.a.example"}, Listener: "tls"}, "a"},
		{"certificate alone", policy.Traits{Certificate: []string{"x.a.example"}}, "default"},
		{"listener alone", policy.Traits{Listener: "tls"}, "default"},
		{"another listener", policy.Traits{Certificate: []string{"x.a.example"}, Listener: "tls2"}, "default"},
		{"a longer name", policy.Traits{Certificate: []string{"x.a.example.net"}, Listener: "tls"}, "default"},
		{"a dot is a dot", policy.Traits{Certificate: []string{"x.aaexample"}, Listener: "tls"}, "default"},
		{"header and field", policy.Traits{Header: header, Field: field}, "a"},
		{"header alone", policy.Traits{Header: header}, "default"},
		{"field alone", policy.Traits{Field: field}, "default"},
		{"header as field", policy.Traits{Header: field, Field: header}, "default"},
		{"an empty value", policy.Traits{Header: map[string][]string{"X-Tenant": {""}}, Field: field}, "default"},
	} {
		if got := f.Belongs(tt.traits).Account; got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
