package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/siprecd/siprecd/rules/scenario"
)

// Files makes the policy file and the directory of addresses under which a server
// plays the scenarios: an account for each that is not [Excluded], found by the user
// part of the Request-URI, which is [Account] of the scenario. An error is a flag that no policy
// file can say.
func Files(all []scenario.Scenario) (policy, directory string, err error) {
	var accounts, mapping strings.Builder
	for _, s := range all {
		if Excluded(s, Standard) != "" {
			continue
		}
		a, err := newAccount(s)
		if err != nil {
			return "", "", fmt.Errorf("scenario %s: %w", s.ID, err)
		}
		a.write(&accounts)
		plan := ", plan: plan"
		if len(a.plans) > 0 {
			plan = "" // it becomes known later
		}
		fmt.Fprintf(&mapping, "  - {request-uri: %q, account: %s, trunk: trunk%s}\n", Account(s)+"@*", Account(s), plan)
	}
	return "accounts:\n" + accounts.String() + "profiles:\n" + policyProfiles() + "mapping:\n" + mapping.String(), directoryOf(all), nil
}

// SRCs is the file of SRCs for the server: whoever plays scenarios. In them a hold and a
// consult that are far apart come within a second.
func SRCs() string { return "- {name: scenarios, addresses: [any], consult-window: 0s}\n" }

// Account is the name of the account of a scenario.
func Account(s scenario.Scenario) string { return strings.ToLower(s.ID) }

// An account is a scenario's part of the policy file.
type account struct {
	scenario  scenario.Scenario
	own       []string // settings of the account
	owner     []string
	trunk     []string
	record    string   // of the plan
	plans     []string // those that become known during the call
	flows     []string
	queues    []string
	users     []string
	retention []string
	unfed     bool
}

// newAccount turns the flags of a scenario into settings.
func newAccount(s scenario.Scenario) (*account, error) {
	a := &account{scenario: s, record: "none"}
	for _, f := range s.Flags {
		if err := a.flag(f); err != nil {
			return nil, err
		}
	}
	return a, a.latePlans()
}

// latePlans are the plans that are named during the call.
func (a *account) latePlans() error {
	for _, e := range a.scenario.Events {
		if e.Name != "plan-is" {
			continue
		}
		record, err := a.plan(e.Args[0])
		if err != nil {
			return err
		}
		text := fmt.Sprintf("name: %s, record: %s", planName(e), record)
		if len(e.Args) > 1 {
			text += ", consent: " + e.Args[1]
		}
		a.plans = append(a.plans, "{"+text+"}")
	}
	return nil
}

// planName is what a plan is called that is named during the call.
func planName(e scenario.Event) string { return strings.Join(append([]string{"late"}, e.Args...), "-") }

// flag adds one flag.
func (a *account) flag(f scenario.Flag) (err error) {
	bad := fmt.Errorf("flag %s=%s cannot be said in a policy file", f.Name, f.Value)
	if key, words := setting(f.Name); key != "" {
		i := slices.Index([]string{"0", "1"}, f.Value)
		if i < 0 {
			return bad
		}
		a.put(f.Name, key+": "+words[i])
		return nil
	}
	switch f.Name {
	case "list", "caller": // of the plan, and of the call
	case "unfed":
		a.unfed = f.Value == "1"
	case "plan":
		a.record, err = a.plan(f.Value)
	case "deny":
		a.own = append(a.own, "do-not-record: ["+quotedList(f.Value)+"]")
	case "uage":
		word := f.Value + " days"
		if f.Value == "0" {
			word = "forever"
		}
		a.own = append(a.own, "user-recordings-kept: "+word)
	case "hold":
		a.own = append(a.own, "hold: "+map[string]string{"record": "record", "action": "pause-until-retrieve", "leg": "pause-customer-leg"}[f.Value])
	case "consent":
		a.own = append(a.own, "consent: "+f.Value)
	case "withdraw":
		a.own = append(a.own, "withdrawal: "+f.Value)
	case "ctl":
		a.own = append(a.own, "control: "+a.selection(f.Value, "may-control"))
	case "urec":
		a.own = append(a.own, "user-recordings: "+a.selection(f.Value, "may-record"))
	case "ivr":
		for _, name := range strings.Split(f.Value, ",") {
			a.flows = append(a.flows, fmt.Sprintf("{name: %s, suppress: yes}", name))
		}
	case "qrec":
		a.waits(f.Value)
	case "pol":
		err = a.policies(f.Value)
	default:
		err = bad
	}
	return err
}

// setting is the setting of a flag that is 0 or 1, with its words.
func setting(flag string) (key string, words [2]string) {
	switch flag {
	case "outb":
		return "outbound", [2]string{"off", "record"}
	case "cont":
		return "continue-after-transfer", [2]string{"off", "on"}
	case "terminal":
		return "stop-is-final", [2]string{"off", "on"}
	case "ao":
		return "agent-only", [2]string{"off", "on"}
	case "trunk":
		return "record", [2]string{"off", "on"}
	case "mixed":
		return "streams", [2]string{"separate", "mixed"}
	case "ext":
		return "external-consult", [2]string{"record", "pause"}
	case "pcons":
		return "party-consent", [2]string{"off", "required"}
	case "cleg":
		return "consult-conversation", [2]string{"withhold", "record"}
	case "chold":
		return "consult-holds-customer", [2]string{"no", "yes"}
	case "lhold":
		return "legal-hold", [2]string{"off", "on"}
	}
	return "", words
}

// put puts a setting where it may stand.
func (a *account) put(flag, text string) {
	switch flag {
	case "outb", "cont", "terminal", "ao":
		a.owner = append(a.owner, text)
	case "trunk", "mixed":
		a.trunk = append(a.trunk, text)
	default:
		a.own = append(a.own, text)
	}
}

// plan is record of the plan.
func (a *account) plan(value string) (string, error) {
	var rules []string
	for _, word := range strings.Split(value, "+") {
		percent, isPercent := strings.CutPrefix(word, "percent")
		option, isMenu := strings.CutPrefix(word, "menu")
		switch {
		case word == "all":
			return "all", nil // whatever else is an alternative
		case word == "none":
		case word == "callers":
			rules = append(rules, "{callers: ["+quotedList(flagOf(a.scenario, "list"))+"]}")
		case isPercent:
			rules = append(rules, "{percent: "+percent+"}")
		case isMenu:
			rules = append(rules, "{menu: ["+strconv.Quote(option)+"]}")
		default:
			return "", fmt.Errorf("flag plan=%s cannot be said in a policy file", value)
		}
	}
	if len(rules) == 0 {
		return "none", nil
	}
	return "[" + strings.Join(rules, ", ") + "]", nil
}

// selection is all, off, or selected with the users who may.
func (a *account) selection(value, right string) string {
	switch value {
	case "all", "off":
		return value
	}
	for _, name := range strings.Split(value, ",") {
		a.users = append(a.users, fmt.Sprintf("{name: %s, %s: yes}", name, right))
	}
	return "selected"
}

// waits declares the queues of the scenario: those that go on, and all others.
func (a *account) waits(goOn string) {
	if goOn == "*" {
		return
	}
	for _, name := range append(queuesOf(a.scenario), "other") {
		word := "withhold"
		if slices.Contains(strings.Split(goOn, ","), name) {
			word = "record"
		}
		a.queues = append(a.queues, fmt.Sprintf("{name: %s, wait: %s}", name, word))
	}
}

// queuesOf are the queues that a scenario names.
func queuesOf(s scenario.Scenario) (names []string) {
	for _, e := range s.Events {
		name := ""
		switch e.Name {
		case "q+":
			name = e.Args[0]
		case "qxfer":
			name = e.Args[1]
		}
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// policies are the rules of retention. One that was published at the call or later
// does not stand in the file under which the call begins.
func (a *account) policies(value string) error {
	for _, text := range strings.Split(value, ",") {
		what, day, _ := strings.Cut(text, "@")
		what, side, _ := strings.Cut(what, "/")
		name := strings.TrimRight(what, "0123456789")
		published, err := strconv.Atoi(day)
		if err != nil {
			return fmt.Errorf("flag pol=%s: published on day %q", value, day)
		}
		if published >= 0 {
			continue
		}
		days := what[len(name):]
		rule := map[string]string{"retain": "keep: forever", "ret": "keep: " + days + " days", "del": "delete-after: " + days + " days", "eval": "evaluate: yes"}[name]
		if what == "del0" {
			rule = "delete-after: the call"
		}
		if rule == "" {
			return fmt.Errorf("flag pol=%s cannot be said in a policy file", value)
		}
		if side != "" {
			rule = "direction: " + side + "bound, " + rule
		}
		a.retention = append(a.retention, "{"+rule+"}")
	}
	return nil
}

func quotedList(value string) string {
	var out []string
	for _, v := range strings.Split(value, ",") {
		out = append(out, strconv.Quote(v))
	}
	return strings.Join(out, ", ")
}

// write writes the account.
func (a *account) write(b *strings.Builder) {
	preset := map[string]string{"vonage": "vonage", "genesys": "genesys", "ours": "siprecd"}[a.scenario.Base]
	fmt.Fprintf(b, "  - name: %s\n    preset: %s\n", Account(a.scenario), preset)
	for _, line := range a.own {
		fmt.Fprintf(b, "    %s\n", line)
	}
	if len(a.owner) > 0 {
		fmt.Fprintf(b, "    owner: {%s}\n", strings.Join(a.owner, ", "))
	}
	for _, part := range []struct {
		key  string
		list []string
	}{{"flows", a.flows}, {"queues", a.queues}, {"users", a.users}, {"retention", a.retention}} {
		if len(part.list) > 0 {
			fmt.Fprintf(b, "    %s: [%s]\n", part.key, strings.Join(part.list, ", "))
		}
	}
	plans := a.plans
	if len(plans) == 0 {
		plans = []string{"{name: plan, record: " + a.record + "}"}
	}
	fmt.Fprintf(b, "    plans: [%s]\n", strings.Join(plans, ", "))
	profile := profileOf(a.scenario)
	if a.unfed {
		profile += "-unfed"
		a.trunk = append(a.trunk, "acknowledge: [suppress, wait]")
	}
	trunk := append([]string{"name: trunk", "profile: " + profile}, a.trunk...)
	fmt.Fprintf(b, "    trunks: [{%s}]\n", strings.Join(trunk, ", "))
}

// policyProfiles say which facts reach the server: all of them, but those of flows and
// queues with the unfed ones.
func policyProfiles() string {
	var b strings.Builder
	for _, p := range profiles() {
		api := "direction, role, chosen, consult, menu, consent, withdrawal, party-consent, manual, user-recording"
		fmt.Fprintf(&b, "  - {name: %s, wire: [parties, caller, hold], api: [%s, ivr, queue]}\n", p.name, api)
		fmt.Fprintf(&b, "  - {name: %s-unfed, wire: [parties, caller, hold], api: [%s]}\n", p.name, api)
	}
	return b.String()
}

// A trunkProfile is what the directory says of the calls of a trunk.
type trunkProfile struct {
	name      string
	direction string
	caller    string // who of the first pair called; empty leaves it to the dialect
	dialect   string // empty for what the SRC is seen to send
}

func profiles() []trunkProfile {
	return []trunkProfile{
		{name: "in", direction: "inbound", caller: "first"},
		{name: "out", direction: "outbound", caller: "first"},
		{name: "int", direction: "internal"},
		// Nothing tells who called: in this dialect the order does not either.
		{name: "unknown", dialect: "audiocodes"},
		{name: "strangers", direction: "inbound", dialect: "audiocodes"},
	}
}

// profileOf is the profile for the calls of a scenario.
func profileOf(s scenario.Scenario) string {
	first := cmp.Or(s.Events[0].Name, "unknown")
	if first != "in" {
		return first
	}
	// Where the second party is none of the own people, the direction must not make
	// an agent of it.
	for _, e := range s.Events[1:] {
		if e.Name == "join" {
			if !isOwn(e.Args[0]) {
				return "strangers"
			}
			break
		}
	}
	if !isOwn(s.Events[0].Args[0]) && s.Events[0].Args[0][0] == 'Z' {
		return "strangers"
	}
	return "in"
}

// directoryOf is the directory of addresses.
func directoryOf(all []scenario.Scenario) string {
	var names []string
	for _, s := range all {
		for _, name := range partiesOf(s) { // of access scenarios none
			if isOwn(name) && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	var b strings.Builder
	for _, section := range []struct{ key, letter string }{{"agents", "A"}, {"supervisors", "S"}, {"users", "U"}} {
		fmt.Fprintf(&b, "%s:\n", section.key)
		for _, name := range names {
			if name[:1] == section.letter {
				fmt.Fprintf(&b, "  - {name: %s, aors: [%q]}\n", name, ownAOR(name))
			}
		}
	}
	b.WriteString("profiles:\n")
	for _, p := range profiles() {
		for _, name := range []string{p.name, p.name + "-unfed"} {
			fmt.Fprintf(&b, "  - {name: %s, queue_window: -1s", name)
			if p.direction != "" {
				b.WriteString(", direction: " + p.direction)
			}
			if p.caller != "" {
				b.WriteString(", caller: " + p.caller)
			}
			if p.dialect != "" {
				b.WriteString(", dialect: " + p.dialect)
			}
			b.WriteString("}\n")
		}
	}
	return b.String()
}
