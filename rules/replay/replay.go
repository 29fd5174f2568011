package replay

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/scenario"
)

// A Result is what came of a scenario.
type Result struct {
	Outcome   scenario.Outcome
	Decisions map[string][]rules.Decision // of each party's stream, for the policy recording
	Refused   []rules.Decision            // commands, in their order, each with its reason
}

// Run plays a scenario under the flags that it names.
func Run(s scenario.Scenario) (Result, error) {
	f, err := Flags(s)
	if err != nil {
		return Result{}, err
	}
	return Under(f, s)
}

// Under plays the events of a scenario under other flags. A draw that is no number
// and a plan that cannot be read are errors; a party of which the kind is not known
// is of unknown role. The plan that an event names has its own rules, whatever the
// flags.
func Under(f rules.Flags, s scenario.Scenario) (Result, error) {
	p := player{flags: f, caller: "+441", listed: list(lookup(s, "list")), c: rules.Open(rules.NewPolicy(f), "r"), away: map[string]bool{}}
	if n := lookup(s, "caller"); n != "" {
		p.caller = n
	}
	if p.caller == "anonymous" {
		p.caller = ""
	}
	for _, e := range s.Events {
		p.now = start().Add(e.At)
		if err := p.event(e); err != nil {
			return Result{}, fmt.Errorf("line %d: %w", e.Line, err)
		}
	}
	for _, d := range p.c.Apply(p.pending...) {
		if d.Verdict == rules.Refused {
			p.refused = append(p.refused, d)
		}
	}
	return p.result(), nil
}

// player plays one scenario.
type player struct {
	flags   rules.Flags
	caller  string
	listed  []string // callers of a plan
	c       *rules.Case
	now     time.Time
	parties []string
	pending []rules.Event
	away    map[string]bool // of who consults: in the main call
	refused []rules.Decision
}

func (p *player) apply(e rules.Event) {
	e.At = p.now
	p.pending = append(p.pending, e)
}

// identity says who a party is by its first letter.
func identity(name string, first bool) rules.Identity {
	id := rules.Identity{IdentifiedBy: rules.ByDirectory, FirstPair: first}
	switch name[0] {
	case 'A':
		id.Role = rules.RoleAgent
	case 'S':
		id.Role = rules.RoleSupervisor
	case 'U':
		id.Role = rules.RoleUser
	case 'N':
		id.Role, id.IdentifiedBy = rules.RoleAgent, rules.ByNumber
	case 'C':
		id.Role, id.IdentifiedBy = rules.RoleCustomer, rules.ByNumber
	case 'X':
		id.Role, id.IdentifiedBy = rules.RoleExternal, rules.ByNumber
	}
	return id
}

// meet gives a party its stream.
func (p *player) meet(name string) {
	if slices.Contains(p.parties, name) {
		return
	}
	p.parties = append(p.parties, name)
	p.apply(rules.Event{Kind: rules.StreamSends, Stream: rules.StreamID(name), Party: rules.PartyID(name)})
	p.apply(rules.Event{Kind: rules.StreamAdded, Stream: rules.StreamID(name)})
}

func (p *player) join(name string, first bool) {
	p.meet(name)
	p.apply(rules.Event{Kind: rules.PartyJoined, Party: rules.PartyID(name), Identity: identity(name, first)})
}

func (p *player) event(e scenario.Event) error {
	arg := append(slices.Clone(e.Args), "", "")
	switch e.Name {
	case "in", "out", "int", "unknown":
		p.begin(e.Name, arg)
	case "direction":
		d := slices.Index([]string{"", "in", "out", "int"}, arg[0])
		if d < 1 {
			return fmt.Errorf("unknown direction %q", arg[0])
		}
		p.apply(rules.Event{Kind: rules.DirectionTold, Direction: rules.Direction(d)})
	case "plan":
		draw, err := strconv.ParseFloat(arg[0], 64)
		if err != nil {
			return fmt.Errorf("want a draw, got %q", arg[0])
		}
		p.apply(rules.Event{Kind: rules.PlanRan, Draw: draw})
	case "plan-is":
		return p.planIs(arg[0], arg[1])
	case "join":
		// The first two are the first pair, also when nothing places them.
		p.join(arg[0], len(p.parties) == 1 && arg[0][0] == 'Z')
	case "consult", "dial", "bxfer":
		p.meet(arg[1])
		kind := map[string]rules.Kind{"consult": rules.Consulted, "dial": rules.ConsultDialled, "bxfer": rules.TransferredBlind}[e.Name]
		p.away[arg[0]] = false
		p.apply(rules.Event{Kind: kind, Party: rules.PartyID(arg[0]), Other: rules.PartyID(arg[1]), Identity: identity(arg[1], false)})
	case "cend":
		p.apply(rules.Event{Kind: rules.ConsultEnded, Other: rules.PartyID(arg[0])})
	case "alt":
		kind := rules.AlternatedBack
		if p.away[arg[0]] {
			kind = rules.AlternatedAway
		}
		p.away[arg[0]] = !p.away[arg[0]]
		p.apply(rules.Event{Kind: kind, Party: rules.PartyID(arg[0])})
	case "number":
		p.apply(rules.Event{Kind: rules.NumberTold, Party: rules.PartyID(arg[0]), Number: arg[1]})
	case "sdp-", "sdp+":
		p.sdp(e.Name, arg[0])
	case "urec+":
		p.apply(rules.Event{Kind: rules.UserRecordingStarted, Party: rules.PartyID(arg[0])})
	default:
		p.simple(e.Name, arg)
	}
	return nil
}

// begin starts the call. The customer of a call is of its first pair; whom an
// inbound one reaches joins later.
func (p *player) begin(name string, arg []string) {
	d := slices.Index([]string{"unknown", "in", "out", "int"}, name)
	p.apply(rules.Event{Kind: rules.InteractionStarted, Direction: rules.Direction(d), Number: p.caller})
	p.join(arg[0], true)
	switch name {
	case "out":
		p.meet(arg[1])
		p.apply(rules.Event{Kind: rules.PartyDialled, Party: rules.PartyID(arg[1]), Identity: identity(arg[1], true)})
	case "int":
		p.join(arg[1], true)
	}
}

func (p *player) sdp(name, only string) {
	kind := rules.StreamInactive
	if name == "sdp+" {
		kind = rules.StreamActive
	}
	for _, party := range p.parties {
		if only == "" || only == party {
			p.apply(rules.Event{Kind: kind, Stream: rules.StreamID(party), Owner: "sdp"})
		}
	}
}

// planIs names the plan of the call, by what it says: its rules, and whether callers
// are asked for consent.
func (p *player) planIs(record, consent string) error {
	f := p.flags
	if !plan(&f, record, p.listed) {
		return fmt.Errorf("a plan cannot be %q", record)
	}
	if consent != "" && !choice(func(f *rules.Flags, i int) { f.Consent = rules.ConsentMode(i) }, "off", "ask")(&f, consent) {
		return fmt.Errorf("consent of a plan cannot be %q", consent)
	}
	p.apply(rules.Event{Kind: rules.PlanNamed, Name: record + " " + consent, Plan: &f})
	return nil
}

// simple plays the events that are one event of the engine.
func (p *player) simple(name string, arg []string) {
	party := map[string]rules.Kind{
		"leave": rules.PartyLeft, "hold": rules.Held, "retrieve": rules.Retrieved, "pause": rules.PausePressed,
		"resume": rules.ResumePressed, "ans": rules.PartyAnswered, "xfer": rules.Transferred, "qxfer": rules.TransferredToQueue,
		"pyes": rules.PartyAgreed, "urec-": rules.UserRecordingStopped, "conf": rules.Conferenced, "ask": rules.ConsentAsked,
		"yes": rules.ConsentGiven, "no": rules.ConsentRefused, "noans": rules.ConsentUnanswered,
		"withdraw": rules.ConsentWithdrawn, "record": rules.RecordOrdered, "dnr": rules.DoNotRecordOrdered, "end": rules.InteractionEnded,
	}
	named := map[string]rules.Kind{
		"menu": rules.MenuChosen, "ivr+": rules.FlowEntered, "ivr-": rules.FlowLeft, "q+": rules.QueueEntered,
		"q-": rules.QueueLeft, "secure+": rules.SecureStarted, "secure-": rules.SecureEnded,
	}
	if kind, ok := party[name]; ok {
		p.apply(rules.Event{Kind: kind, Party: rules.PartyID(arg[0]), Name: arg[1]})
	} else {
		p.apply(rules.Event{Kind: named[name], Name: arg[0], Owner: arg[0]})
	}
}
