package rules_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/rules"
)

func TestFlagNames(t *testing.T) {
	for _, tt := range []struct {
		got  fmt.Stringer
		want string
	}{
		{rules.PlanAll, "all"}, {rules.PlanPercent, "percent"}, {rules.PlanCallers, "callers"}, {rules.PlanMenu, "menu"},
		{rules.HoldRecord, "record"}, {rules.HoldAction, "action"}, {rules.HoldLeg, "leg"},
		{rules.ConsentOff, "off"}, {rules.ConsentAsk, "ask"}, {rules.WithdrawalErases, "erase"}, {rules.WithdrawalKeeps, "keep"},
		{rules.RetainForever, "retain"}, {rules.RetainDays, "ret"}, {rules.DeleteAfter, "del"}, {rules.AssignEvaluation, "eval"},
	} {
		if tt.got.String() != tt.want {
			t.Errorf("got %s, want %s", tt.got, tt.want)
		}
	}
}

func TestPolicyOfFlags(t *testing.T) {
	full := func() rules.Flags {
		f := rules.Vonage()
		f.Plan = []rules.PlanRule{{Kind: rules.PlanCallers, Callers: []string{"+441"}}}
		f.Control, f.DoNotRecord = rules.Selection{Names: []string{"A1"}}, []string{"+449"}
		f.Retention = []rules.RetentionRule{{Action: rules.DeleteAfter, Days: 30, Published: t0}}
		return f
	}
	p := rules.NewPolicy(full())
	elsewhere := full()
	elsewhere.Retention[0].Published = t0.In(time.FixedZone("X", 3600))
	if v := rules.NewPolicy(elsewhere).Version(); v != p.Version() || !strings.HasPrefix(v, "policy@") || len(v) != len("policy@")+12 {
		t.Errorf("version %s, want %s", v, p.Version())
	}
	for name, f := range map[string]rules.Flags{"vonage": rules.Vonage(), "genesys": rules.Genesys(), "ours": rules.Ours()} {
		if rules.NewPolicy(f).Version() == p.Version() {
			t.Errorf("%s has the version of another policy", name)
		}
	}
	given := p.Flags()
	given.Plan[0].Callers[0], given.Control.Names[0], given.DoNotRecord[0], given.Retention[0].Days = "+442", "A2", "+440", 1
	if again := p.Flags(); again.DoNotRecord[0] != "+449" || again.Retention[0].Days != 30 {
		t.Errorf("a policy can be changed from outside: %+v", again)
	}
	if a := rules.Ours().PauseAlarm; a != 10*time.Minute {
		t.Errorf("a pause is worth an alarm after %v", a)
	}
	if p.Flags().Plan[0].Callers[0] != "+441" || !p.Flags().Control.Has("A1") || p.Flags().Control.Has("A2") {
		t.Error("a policy can be changed from outside")
	}
}
