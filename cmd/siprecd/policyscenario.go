package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/policy"
	"github.com/siprecd/siprecd/rules/replay"
	"github.com/siprecd/siprecd/rules/scenario"
)

// policyPlace picks the part of a policy file under which scenarios are played.
type policyPlace struct {
	Account string `help:"Account of the policy file. It may be left out where there is only one." placeholder:"NAME"`
	Trunk   string `help:"Trunk of the account, likewise." placeholder:"NAME"`
	Plan    string `help:"Interaction plan of the account, likewise." placeholder:"NAME"`
}

// belonging finds the place in a file. What is the only one need not be named.
func (p policyPlace) belonging(f *policy.File) (policy.Belonging, error) {
	var accounts, trunks, plans []string
	for _, a := range f.Accounts {
		accounts = append(accounts, a.Name)
	}
	account, err := pick("account", p.Account, accounts)
	if err != nil {
		return policy.Belonging{}, err
	}
	a := f.Account(account)
	for _, t := range a.Trunks {
		trunks = append(trunks, t.Name)
	}
	for _, x := range a.Plans {
		plans = append(plans, x.Name)
	}
	trunk, err := pick("trunk", p.Trunk, trunks)
	if err != nil {
		return policy.Belonging{}, err
	}
	plan, err := pick("plan", p.Plan, plans)
	return policy.Belonging{Account: account, Trunk: trunk, Plan: plan}, err
}

func pick(what, name string, all []string) (string, error) {
	switch {
	case slices.Contains(all, name):
		return name, nil
	case name == "" && len(all) == 0:
		return "", nil
	case name == "" && len(all) == 1:
		return all[0], nil
	case name == "":
		return "", usagef("which %s? Name one of [%s] with --%s", what, strings.Join(all, ", "), what)
	default:
		return "", usagef("there is no %s %q, only [%s]", what, name, strings.Join(all, ", "))
	}
}

// readScenarios reads a scenario file. Errors begin with file:line.
func readScenarios(path string) ([]scenario.Scenario, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, usageError{fmt.Errorf("scenario: %w", err)}
	}
	all, err := scenario.Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return all, nil
}

type policyExplainCommand struct {
	policyPlace
	File     string `arg:"" help:"Policy file." placeholder:"FILE"`
	Scenario string `help:"Scenario file." placeholder:"FILE" required:""`
	Only     string `help:"Explain only the scenario of that name." placeholder:"NAME"`
}

// Run plays the events of scenarios under a policy file, whatever flags they name.
func (c policyExplainCommand) Run(out streams) error {
	f, err := readPolicy(c.File, out)
	if err != nil {
		return err
	}
	place, err := c.belonging(f)
	if err != nil {
		return err
	}
	all, err := readScenarios(c.Scenario)
	if err != nil {
		return err
	}
	// A file that is only looked at was published before any call.
	flags := f.Flags(place, time.Time{})
	var b strings.Builder
	fmt.Fprintf(&b, "%s, account %s, trunk %s, plan %s\n", f.Version(), place.Account, orNone(place.Trunk), orNone(place.Plan))
	explained := 0
	for _, s := range all {
		if c.Only != "" && s.ID != c.Only || s.Access != nil {
			continue
		}
		explained++
		result, err := replay.Under(flags, s)
		if err != nil {
			return fmt.Errorf("%s: scenario %s: %w", c.Scenario, s.ID, err)
		}
		fmt.Fprintf(&b, "\nscenario %s: %s\n", s.ID, s.Title)
		writeTimeline(&b, flags, result)
	}
	if explained == 0 {
		return usagef("%s has no scenario %q that is about a call", c.Scenario, c.Only)
	}
	_, err = fmt.Fprint(out.stdout, b.String())
	return err
}

func orNone(name string) string {
	if name == "" {
		return "none"
	}
	return name
}

// writeTimeline writes for each participant when it is recorded, and every cause
// where it is not.
func writeTimeline(b *strings.Builder, flags rules.Flags, result replay.Result) {
	var parties []string
	for party := range result.Decisions {
		parties = append(parties, party)
	}
	slices.Sort(parties)
	for _, party := range parties {
		fmt.Fprintf(b, "  %s\n", party)
		last := ""
		for _, d := range result.Decisions[party] {
			if text := decisionText(flags, d); text != "" && text != last {
				fmt.Fprintf(b, "    from %s: %s\n", offset(d.From), text)
				last = text
			}
		}
	}
	writeNotices(b, flags, result)
	for _, line := range result.Outcome.Lines() {
		kind, _, _ := strings.Cut(line, " ")
		if kind != "record" && kind != "withhold" && kind != "refused" {
			fmt.Fprintf(b, "  %s\n", line)
		}
	}
}

// A notice is what somebody is told during a call.
type notice struct {
	at   time.Time
	text string
}

// writeNotices writes which commands were refused and why, and which pauses took
// too long.
func writeNotices(b *strings.Builder, flags rules.Flags, result replay.Result) {
	all := overdue(flags, result)
	for _, d := range result.Refused {
		all = append(all, notice{d.From, fmt.Sprintf("refused: %v by %s, because %s %s", d.Command, d.By, d.By, d.Reason)})
	}
	if len(all) == 0 {
		return
	}
	slices.SortStableFunc(all, func(x, y notice) int { return x.at.Compare(y.at) })
	fmt.Fprintln(b, "  commands and alarms")
	for _, n := range all {
		fmt.Fprintf(b, "    at %s: %s\n", offset(n.at), n.text)
	}
}

// overdue are the alarms about pauses by hand and for payments. A pause lasts as
// long as it keeps the stream of anybody from being recorded.
func overdue(flags rules.Flags, result replay.Result) []notice {
	type pause struct {
		cause rules.Cause
		owner string
		since time.Time
	}
	ends := make(map[pause]time.Time)
	for _, line := range result.Decisions {
		for _, d := range line {
			if slices.ContainsFunc(d.Causes, func(c rules.ActiveCause) bool { return c.Cause == rules.NotLive }) {
				continue
			}
			for _, c := range d.Causes {
				p := pause{c.Cause, c.Owner, c.Since}
				if (c.Cause == rules.Manual || c.Cause == rules.Secure) && d.Until.After(ends[p]) {
					ends[p] = d.Until
				}
			}
		}
	}
	var all []notice
	for p, end := range ends {
		if due := p.since.Add(flags.PauseAlarm); flags.PauseAlarm > 0 && end.After(due) {
			all = append(all, notice{due, fmt.Sprintf("alarm: %v of %s since %s lasts longer than pause-alarm allows; nothing resumes by itself",
				p.cause, p.owner, offset(p.since))})
		}
	}
	slices.SortFunc(all, func(x, y notice) int { return strings.Compare(x.text, y.text) })
	return all
}

// decisionText says what holds; it is empty while the party is not there.
func decisionText(flags rules.Flags, d rules.Decision) string {
	if d.Verdict == rules.Record {
		return "recorded: " + strings.TrimPrefix(policy.RecordBasis(d.Because).String(), "setting ")
	}
	text := "not recorded"
	for _, c := range d.Causes {
		if c.Cause == rules.NotLive {
			return "not on the call"
		}
		text += fmt.Sprintf("\n      %v of %s since %s: %s; %v", c.Cause, c.Owner, offset(c.Since), c.Words(), policy.BasisOf(c, flags))
	}
	if d.RolesUnknown {
		text += "\n      roles unknown"
	}
	return text
}

// offset is an instant in seconds from the start of the scenario.
func offset(at time.Time) string {
	return scenario.Span{To: at.Sub(replay.Start())}.String()[2:] + " s"
}

type policyTestCommand struct {
	policyPlace
	Policy string   `help:"Play the scenarios under this policy file instead of the flags that they name." placeholder:"FILE"`
	Files  []string `arg:"" help:"Scenario files." placeholder:"FILES"`
}

// Run plays scenarios and compares what comes of them with what they expect.
func (c policyTestCommand) Run(out streams) error {
	var under *rules.Flags
	if c.Policy != "" {
		f, err := readPolicy(c.Policy, out)
		if err != nil {
			return err
		}
		place, err := c.belonging(f)
		if err != nil {
			return err
		}
		flags := f.Flags(place, time.Time{})
		under = &flags
	} else if c.policyPlace != (policyPlace{}) {
		return usagef("--account, --trunk and --plan are for --policy")
	}
	passed, failed := 0, 0
	for _, path := range c.Files {
		all, err := readScenarios(path)
		if err != nil {
			return err
		}
		for _, s := range all {
			wrong, err := playScenario(s, under)
			if err != nil {
				return fmt.Errorf("%s: scenario %s: %w", path, s.ID, err)
			}
			if wrong == "" {
				passed++
				continue
			}
			failed++
			if _, err := fmt.Fprintf(out.stdout, "%s:%d: scenario %s: %s\n%s", path, s.Line, s.ID, s.Title, wrong); err != nil {
				return err
			}
		}
	}
	if _, err := fmt.Fprintf(out.stdout, "%d passed, %d failed\n", passed, failed); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d scenarios failed", failed, passed+failed)
	}
	return nil
}

// playScenario returns the lines that differ: + came of it, - was expected.
func playScenario(s scenario.Scenario, under *rules.Flags) (string, error) {
	if s.Access != nil {
		if got := replay.Access(*s.Access); got.Allowed != s.Access.Allowed {
			return fmt.Sprintf("  allowed is %v: %s\n", got.Allowed, got.Reason), nil
		}
		return "", nil
	}
	play := replay.Run
	if under != nil {
		play = func(s scenario.Scenario) (replay.Result, error) { return replay.Under(*under, s) }
	}
	result, err := play(s)
	if err != nil {
		return "", err
	}
	got, want := result.Outcome.Lines(), s.Want.Lines()
	var b strings.Builder
	for _, line := range want {
		if !slices.Contains(got, line) {
			fmt.Fprintln(&b, "  - "+line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			fmt.Fprintln(&b, "  + "+line)
		}
	}
	return b.String(), nil
}
