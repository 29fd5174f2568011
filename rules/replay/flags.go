// Package replay plays scenarios to the engine of the rules and says what came
// of them in the words of the scenario format. It is pure.
package replay

import (
	"fmt"
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
	for _, x := range s.Flags {
		if !texts(&f, s, x.Name, x.Value) && !choice(&f, x.Name, x.Value) && !on(&f, x.Name, x.Value) {
			return f, fmt.Errorf("scenario %s: flag %s cannot be %q", s.ID, x.Name, x.Value)
		}
	}
	return f, nil
}

// texts sets the flags that are lists.
func texts(f *rules.Flags, s scenario.Scenario, name, value string) bool {
	switch name {
	case "plan":
		return plan(f, value, list(lookup(s, "list")))
	case "list", "caller":
	case "deny":
		f.DoNotRecord = list(value)
	case "ctl":
		f.Control = selection(value)
	case "ivr":
		f.SuppressedFlows = selection(value)
	case "qrec":
		f.QueueWait = selection(value)
	case "urec":
		f.UserRecordings = selection(value)
	case "pol":
		return policies(f, list(value))
	case "uage":
		n, err := strconv.Atoi(value)
		f.UserDays = n
		return err == nil && n >= 0
	default:
		return false
	}
	return true
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

// choice sets the flags that have named values.
func choice(f *rules.Flags, name, value string) bool {
	values := map[string][]string{"hold": {"record", "action", "leg"}, "consent": {"off", "ask"}, "withdraw": {"erase", "keep"}}
	i := slices.Index(values[name], value)
	switch {
	case i < 0:
		return false
	case name == "hold":
		f.Hold = rules.HoldMode(i)
	case name == "consent":
		f.Consent = rules.ConsentMode(i)
	default:
		f.Withdrawal = rules.WithdrawalMode(i)
	}
	return true
}

// on sets the flags that are 0 or 1.
func on(f *rules.Flags, name, value string) bool {
	flag, known := map[string]*bool{
		"outb": &f.Outbound, "trunk": &f.Trunk, "ext": &f.PauseExternal, "cont": &f.ContinueWithoutAgent,
		"terminal": &f.StopIsFinal, "ao": &f.AgentOnly, "pcons": &f.PartyConsent, "cleg": &f.ConsultLeg,
		"chold": &f.ConsultHolds, "lhold": &f.LegalHold, "mixed": &f.Mixed, "unfed": &f.FlowsUnfed,
	}[name]
	if !known || value != "0" && value != "1" {
		return false
	}
	*flag = value == "1"
	return true
}
