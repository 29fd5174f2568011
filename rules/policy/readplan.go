package policy

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/siprecd/siprecd/rules"
)

func (r *reader) plan(node *yaml.Node) Plan {
	p := Plan{Line: node.Line, Settings: make(Settings)}
	keys := r.settingKeys(inPlan, p.Settings)
	keys["name"] = r.text(&p.Name, "name")
	keys["record"] = func(n *yaml.Node) {
		r.each(n, "record", func(n *yaml.Node) { p.Rules = append(p.Rules, r.planRules(n)...) })
		if n.Kind == yaml.SequenceNode && len(n.Content) > 1 {
			r.noneAmong(n)
		}
	}
	r.mapping(node, "a plan", keys)
	r.named(p.Name, node.Line, "a plan")
	return p
}

// noneAmong refuses none among rules that record.
func (r *reader) noneAmong(rules *yaml.Node) {
	for _, n := range rules.Content {
		if n.Value == "none" {
			r.fault(n.Line, "record: none has no effect beside a rule that records")
		}
	}
}

// planRules reads all, none, or a mapping with percent, callers or menu; each key
// is an alternative.
func (r *reader) planRules(node *yaml.Node) []rules.PlanRule {
	if node.Kind == yaml.ScalarNode {
		if r.oneOf(node, "record", []string{"none", "all"}) == 1 {
			return []rules.PlanRule{{Kind: rules.PlanAll}}
		}
		return nil
	}
	var found []rules.PlanRule
	r.mapping(node, "record: of a plan", map[string]func(*yaml.Node){
		"percent": func(n *yaml.Node) {
			percent, err := strconv.Atoi(strings.TrimSuffix(n.Value, "%"))
			if err != nil || percent < 0 || percent > 100 {
				r.fault(n.Line, "percent: %s is not a whole number from 0 to 100", quoted(n.Value))
			}
			found = append(found, rules.PlanRule{Kind: rules.PlanPercent, Percent: percent})
		},
		"callers": func(n *yaml.Node) {
			rule := rules.PlanRule{Kind: rules.PlanCallers}
			r.numbers(&rule.Callers, "callers")(n)
			found = append(found, rule)
		},
		"menu": func(n *yaml.Node) {
			r.each(n, "menu", func(n *yaml.Node) {
				found = append(found, rules.PlanRule{Kind: rules.PlanMenu, Option: r.scalar(n, "menu")})
			})
		},
	})
	if node.Kind == yaml.MappingNode && len(node.Content) == 0 {
		r.fault(node.Line, "record: of a plan needs percent, callers or menu")
	}
	return found
}

// retention reads one rule: exactly one of keep, delete-after and evaluate.
func (r *reader) retention(node *yaml.Node) rules.RetentionRule {
	var rule rules.RetentionRule
	said := 0
	days := func(action rules.RetentionAction, without string, instead rules.RetentionRule) func(*yaml.Node) {
		return func(n *yaml.Node) {
			said++
			if n.Value == without {
				rule.Action, rule.Days = instead.Action, instead.Days
				return
			}
			count, ok := daysOf(n.Value)
			if !ok {
				r.fault(n.Line, "%s is neither a number of days from 1 to 36500, such as 30 days, nor %s", quoted(n.Value), without)
			}
			rule.Action, rule.Days = action, count
		}
	}
	directions := []string{"both", "inbound", "outbound"}
	r.mapping(node, "retention", map[string]func(*yaml.Node){
		"direction": func(n *yaml.Node) {
			rule.Direction = []rules.Direction{
				rules.DirectionUnknown, rules.DirectionInbound, rules.DirectionOutbound,
			}[r.oneOf(n, "direction", directions)]
		},
		"keep":         days(rules.RetainDays, "forever", rules.RetentionRule{Action: rules.RetainForever}),
		"delete-after": days(rules.DeleteAfter, "the call", rules.RetentionRule{Action: rules.DeleteAfter}),
		"evaluate": func(n *yaml.Node) {
			said++
			r.oneOf(n, "evaluate", []string{"yes"})
			rule.Action = rules.AssignEvaluation
		},
	})
	if node.Kind == yaml.MappingNode && said != 1 {
		r.fault(node.Line, "retention needs exactly one of keep, delete-after and evaluate")
	}
	return rule
}
