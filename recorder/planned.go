package recorder

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/policy"
)

// tellPlan says what it means that a call has a plan. Its settings are those of the
// version of the policy file under which the interaction began.
func (in *interaction) tellPlan(name string, at time.Time) ([]rules.Event, error) {
	where := in.policy.belonging
	switch {
	case in.rulebook == nil:
		return nil, &Refusal{Reason: "names a plan where everything is recorded"}
	case where.Plan == name:
		return nil, nil
	case where.Plan != "":
		return nil, &Refusal{Reason: "names another plan than that of the call"}
	}
	where.Plan = name
	flags, err := in.rulebook.planFlags(in.policy.file, where)
	if err != nil {
		return nil, err
	}
	return []rules.Event{{At: at, Kind: rules.PlanNamed, Name: name, Plan: &flags}}, nil
}

// adoptPlan has a plan that became known decide, as the case does already.
func (in *interaction) adoptPlan() {
	if name := in.verdicts.Plan(); name != "" {
		in.policy.Policy, in.policy.belonging.Plan = in.verdicts.Policy(), name
	}
}

// planFlags are the settings of a plan under a version of the policy file, by its name.
// That the account has no such plan is a [Malformed].
func (b *Rulebook) planFlags(version string, where policy.Belonging) (rules.Flags, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	in, err := b.named(version)
	if err != nil {
		return rules.Flags{}, err
	}
	a := in.file.Account(where.Account)
	if a == nil || a.Plan(where.Plan).Line == 0 {
		return rules.Flags{}, malformed("name", "is no plan of the account")
	}
	return in.file.Policy(where, in.version.Published).Flags(), nil
}

// named finds a version by its name, also one that an earlier process published.
func (b *Rulebook) named(version string) (inForce, error) {
	i := slices.IndexFunc(b.live, func(in inForce) bool { return in.version.Name() == version && in.version.File != nil })
	if i >= 0 {
		return b.live[i], nil
	}
	all, err := Versions(filepath.Dir(b.dir))
	if err != nil {
		return inForce{}, err
	}
	for _, v := range slices.Backward(all) {
		if v.Name() == version && v.File != nil {
			return inForce{version: v, file: b.holding(v.File)}, nil
		}
	}
	return inForce{}, fmt.Errorf("version %s of the policy file is not there, or cannot be read any more", version)
}
