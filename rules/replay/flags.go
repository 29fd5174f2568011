// Package replay plays scenarios to the engine of the rules and says what came
// of them in the words of the scenario format. It is pure.
package replay

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/scenario"
)

// start is when every scenario begins. Day 0 of policies is this instant.
func start() time.Time { return time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC) }

// Flags are the settings that a scenario names.
func Flags(s scenario.Scenario) (rules.Flags, error) {
	f := rules.Ours()
	switch s.Base {
	case "vonage":
		f = rules.Vonage()
	case "genesys":
		f = rules.Genesys()
	}
	known := words(s)
	for _, x := range s.Flags {
		set, ok := known[x.Name]
		if !ok {
			return rules.Flags{}, fmt.Errorf("scenario %s: there is no flag %q: want one of %s", s.ID, x.Name, strings.Join(FlagNames(), ", "))
		}
		if !set(&f, x.Value) {
			return rules.Flags{}, fmt.Errorf("scenario %s: flag %s cannot be %q", s.ID, x.Name, x.Value)
		}
	}
	return f, nil
}

// FlagNames are the words that may stand in the line flags of a scenario, in the
// order of the alphabet.
func FlagNames() []string { return slices.Sorted(maps.Keys(words(scenario.Scenario{}))) }

// words are what each word of the line flags sets; false is a value that it cannot
// have.
func words(s scenario.Scenario) map[string]func(*rules.Flags, string) bool {
	all := map[string]func(*rules.Flags, string) bool{
		"plan":   func(f *rules.Flags, value string) bool { return plan(f, value, list(lookup(s, "list"))) },
		"list":   func(*rules.Flags, string) bool { return true }, // of the plan
		"caller": func(*rules.Flags, string) bool { return true }, // of the call
		"deny":   func(f *rules.Flags, value string) bool { f.DoNotRecord = list(value); return true },
		"pol":    func(f *rules.Flags, value string) bool { return policies(f, list(value)) },
		"uage": func(f *rules.Flags, value string) bool {
			n, err := strconv.Atoi(value)
			f.UserDays = n
			return err == nil && n >= 0
		},
		"hold":     choice(func(f *rules.Flags, i int) { f.Hold = rules.HoldMode(i) }, "record", "action", "leg"),
		"consent":  choice(func(f *rules.Flags, i int) { f.Consent = rules.ConsentMode(i) }, "off", "ask"),
		"withdraw": choice(func(f *rules.Flags, i int) { f.Withdrawal = rules.WithdrawalMode(i) }, "erase", "keep"),
	}
	for name, field := range map[string]func(*rules.Flags) *rules.Selection{
		"ctl":  func(f *rules.Flags) *rules.Selection { return &f.Control },
		"ivr":  func(f *rules.Flags) *rules.Selection { return &f.SuppressedFlows },
		"qrec": func(f *rules.Flags) *rules.Selection { return &f.QueueWait },
		"urec": func(f *rules.Flags) *rules.Selection { return &f.UserRecordings },
	} {
		all[name] = func(f *rules.Flags, value string) bool { *field(f) = selection(value); return true }
	}
	for name, field := range switches() {
		all[name] = choice(func(f *rules.Flags, i int) { *field(f) = i == 1 }, "0", "1")
	}
	return all
}

// switches are the flags that are 0 or 1.
func switches() map[string]func(*rules.Flags) *bool {
	return map[string]func(*rules.Flags) *bool{
		"outb":     func(f *rules.Flags) *bool { return &f.Outbound },
		"trunk":    func(f *rules.Flags) *bool { return &f.Trunk },
		"ext":      func(f *rules.Flags) *bool { return &f.PauseExternal },
		"cont":     func(f *rules.Flags) *bool { return &f.ContinueWithoutAgent },
		"terminal": func(f *rules.Flags) *bool { return &f.StopIsFinal },
		"ao":       func(f *rules.Flags) *bool { return &f.AgentOnly },
		"pcons":    func(f *rules.Flags) *bool { return &f.PartyConsent },
		"cleg":     func(f *rules.Flags) *bool { return &f.ConsultLeg },
		"chold":    func(f *rules.Flags) *bool { return &f.ConsultHolds },
		"lhold":    func(f *rules.Flags) *bool { return &f.LegalHold },
		"mixed":    func(f *rules.Flags) *bool { return &f.Mixed },
		"unfed":    func(f *rules.Flags) *bool { return &f.FlowsUnfed },
	}
}

// choice sets one of a few words.
func choice(set func(*rules.Flags, int), values ...string) func(*rules.Flags, string) bool {
	return func(f *rules.Flags, value string) bool {
		i := slices.Index(values, value)
		set(f, i)
		return i >= 0
	}
}

func lookup(s scenario.Scenario, name string) string {
	for _, x := range s.Flags {
		if x.Name == name {
			return x.Value
		}
	}
	return ""
}

func list(value string) []string {
	if value == "" {
		return nil
	}
	return strings.Split(value, ",")
}

func selection(value string) rules.Selection {
	switch value {
	case "all", "*":
		return rules.Selection{All: true}
	case "off", "none", "":
		return rules.Selection{}
	default:
		return rules.Selection{Names: list(value)}
	}
}

// plan reads all, none, percentN, callers and menuN, joined by +.
func plan(f *rules.Flags, value string, callers []string) bool {
	f.Plan = nil
	for _, text := range strings.Split(value, "+") {
		percent, isPercent := strings.CutPrefix(text, "percent")
		option, isMenu := strings.CutPrefix(text, "menu")
		n, err := strconv.Atoi(percent)
		switch {
		case text == "none":
		case text == "all":
			f.Plan = append(f.Plan, rules.PlanRule{Kind: rules.PlanAll})
		case text == "callers":
			f.Plan = append(f.Plan, rules.PlanRule{Kind: rules.PlanCallers, Callers: callers})
		case isPercent && err == nil:
			f.Plan = append(f.Plan, rules.PlanRule{Kind: rules.PlanPercent, Percent: n})
		case isMenu:
			f.Plan = append(f.Plan, rules.PlanRule{Kind: rules.PlanMenu, Option: option})
		default:
			return false
		}
	}
	return true
}

// policies reads ACTION[/in or /out]@DAY, as in del30/out@-5.
func policies(f *rules.Flags, values []string) bool {
	for _, value := range values {
		what, day, _ := strings.Cut(value, "@")
		what, side, _ := strings.Cut(what, "/")
		n, err := strconv.Atoi(day)
		side2 := slices.Index([]string{"", "in", "out"}, side)
		name := strings.TrimRight(what, "0123456789")
		i := slices.Index([]string{"", "retain", "ret", "del", "eval"}, name)
		if err != nil || side2 < 0 || i < 1 {
			return false
		}
		days, _ := strconv.Atoi(what[len(name):]) // none is 0
		f.Retention = append(f.Retention, rules.RetentionRule{
			Action: rules.RetentionAction(i), Days: days,
			Direction: rules.Direction(side2), Published: start().AddDate(0, 0, n),
		})
	}
	return true
}
