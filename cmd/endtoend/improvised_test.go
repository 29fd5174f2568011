package endtoend

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/siprecd/siprecd/rules/replay"
	"github.com/siprecd/siprecd/rules/scenario"
)

// instantsApart is how far two events of an improvised scenario are apart: far more than
// what counts as one.
const instantsApart = 10 * time.Second

// An improviser makes up what happens on a call: whatever may happen next, at random.
type improviser struct {
	rng     *rand.Rand
	s       scenario.Scenario
	own     string // who of the own people is on the call; empty for nobody
	guests  []string
	held    bool
	paused  bool
	consult string // with whom own talks beside the call
	quiet   map[string]bool
	secure  map[string]bool
	asked   bool
	agreed  bool
	users   map[string]bool
	waits   bool // the caller is in a queue
	flow    bool
}

// improvise makes up a scenario of so many events, and has the rules say what comes of
// it: they alone, without I/O and clock.
func improvise(rng *rand.Rand, id string, events int) (scenario.Scenario, error) {
	i := &improviser{
		rng: rng, own: "A1", quiet: make(map[string]bool), secure: make(map[string]bool), users: make(map[string]bool),
		s: scenario.Scenario{ID: id, Title: "made up", Class: scenario.Own, Base: "ours"},
	}
	i.flags()
	i.tell("in", "C1")
	i.tell("join", "A1")
	for len(i.s.Events) < events {
		i.next(len(i.s.Events) > events*3/4)
	}
	i.tell("end")
	r, err := replay.Run(i.s)
	i.s.Want = r.Outcome
	return i.s, err
}

// flags draws a policy.
func (i *improviser) flags() {
	flag := func(name string, values ...string) {
		i.s.Flags = append(i.s.Flags, scenario.Flag{Name: name, Value: values[i.rng.IntN(len(values))]})
	}
	flag("plan", "all")
	flag("ctl", "all")
	flag("urec", "all")
	flag("cont", "0", "1", "1", "1")
	flag("hold", "record", "action", "leg")
	flag("chold", "0", "1")
	flag("ext", "0", "1")
	flag("cleg", "0", "1")
	flag("ao", "0", "0", "0", "1")
	flag("consent", "off", "off", "ask")
	flag("withdraw", "erase", "keep", "keep")
	flag("pcons", "0", "0", "1")
	flag("qrec", "none", "*", "sales")
	flag("ivr", "none", "menu")
}

func (i *improviser) tell(name string, args ...string) {
	n := len(i.s.Events)
	i.s.Events = append(i.s.Events, scenario.Event{At: time.Duration(n) * instantsApart, Name: name, Args: args, Line: n + 1})
}

// next has something happen. What ends recording for good happens late only.
func (i *improviser) next(late bool) {
	for len(i.s.Events) > 0 {
		before := len(i.s.Events)
		if i.rng.IntN(3) > 0 && i.relieve() {
			return
		}
		switch i.rng.IntN(5) {
		case 0:
			i.people()
		case 1:
			i.buttons()
		case 2:
			i.consent(late)
		case 3:
			i.surroundings()
		case 4:
			i.people()
			if i.rng.IntN(2) == 0 {
				i.buttons()
			}
		}
		if len(i.s.Events) > before {
			return
		}
	}
}

// relieve ends one of the things for which nobody may be recorded, so that not all calls
// are silent; false when there is none.
func (i *improviser) relieve() bool {
	var ends []func()
	for _, on := range []struct {
		is   *bool
		end  string
		args []string
	}{{&i.paused, "resume", []string{i.own}}, {&i.held, "retrieve", []string{i.own}}, {&i.waits, "q-", []string{"sales"}}, {&i.flow, "ivr-", []string{"menu"}}} {
		if *on.is && (i.consult == "" || on.args[0] != i.own) {
			ends = append(ends, func() { i.toggle(on.is, "", on.end, on.args...) })
		}
	}
	for _, set := range []struct {
		of  map[string]bool
		end string
	}{{i.quiet, "sdp+"}, {i.secure, "secure-"}} {
		for _, name := range slices.Sorted(maps.Keys(set.of)) {
			if set.of[name] {
				ends = append(ends, func() { i.toggleIn(set.of, name, "", set.end) })
			}
		}
	}
	if !i.agreed && slices.Contains(i.s.Flags, scenario.Flag{Name: "consent", Value: "ask"}) {
		ends = append(ends, func() { i.consent(false) })
	}
	if len(ends) == 0 {
		return false
	}
	ends[i.rng.IntN(len(ends))]()
	return true
}

// toggle tells one of two, and what holds then.
func (i *improviser) toggle(on *bool, begin, end string, args ...string) {
	if *on = !*on; *on {
		i.tell(begin, args...)
	} else {
		i.tell(end, args...)
	}
}

// toggleIn is [improviser.toggle] for a member of a set.
func (i *improviser) toggleIn(set map[string]bool, name, begin, end string) {
	on := set[name]
	i.toggle(&on, begin, end, name)
	set[name] = on
}

// buttons are pressed by one of the own people on the call, or by a system for him.
func (i *improviser) buttons() {
	switch i.rng.IntN(4) {
	case 0:
		if i.own != "" && i.consult == "" {
			i.toggle(&i.paused, "pause", "resume", i.own)
		}
	case 1:
		// A hold that metadata shows leaves open who sends what the customer says. That
		// withholds it for his role as well where each outsider has to agree.
		has := func(name, value string) bool {
			return slices.Contains(i.s.Flags, scenario.Flag{Name: name, Value: value})
		}
		if i.own != "" && i.consult == "" && !has("pcons", "1") {
			i.toggle(&i.held, "hold", "retrieve", i.own)
		}
	case 2:
		i.toggleIn(i.secure, []string{"till", "desktop"}[i.rng.IntN(2)], "secure+", "secure-")
	case 3:
		if i.own != "" && !i.held {
			i.toggleIn(i.users, i.own, "urec+", "urec-")
		}
	}
}

// people come, go, and talk beside the call.
func (i *improviser) people() {
	guest := []string{"S1", "X1", "X2"}[i.rng.IntN(3)]
	there := slices.Contains(i.guests, guest)
	switch choice := i.rng.IntN(4); {
	case i.consult != "" && choice == 0:
		i.tell("cend", i.consult)
		i.consult = ""
	case i.consult != "" && choice == 1:
		i.tell("conf")
		i.guests, i.consult, i.held = append(i.guests, i.consult), "", false
	case i.consult != "":
	case choice == 2 && i.own != "" && !there && !i.held:
		i.tell("consult", i.own, guest)
		i.consult = guest
	case choice == 3 && !there:
		i.tell("join", guest)
		i.guests = append(i.guests, guest)
	case there:
		i.tell("leave", guest)
		i.guests = slices.DeleteFunc(i.guests, func(g string) bool { return g == guest })
	}
}

// consent is asked for, given, and late in the call refused or taken back.
func (i *improviser) consent(late bool) {
	outsiders := slices.DeleteFunc(slices.Clone(i.guests), func(g string) bool { return g[0] != 'X' })
	switch {
	case !i.asked:
		i.tell("ask")
		i.asked = true
	case !i.agreed:
		i.tell("yes")
		i.agreed = true
	case late && i.rng.IntN(6) == 0:
		i.tell([]string{"withdraw", "no", "dnr"}[i.rng.IntN(3)])
	case len(outsiders) > 0 && i.rng.IntN(2) == 0:
		i.tell("pyes", outsiders[0])
	}
}

// surroundings are what the SRC does, and where the caller is.
func (i *improviser) surroundings() {
	switch i.rng.IntN(4) {
	case 0:
		i.toggleIn(i.quiet, []string{"A1", "C1"}[i.rng.IntN(2)], "sdp-", "sdp+")
	case 1:
		i.toggle(&i.waits, "q+", "q-", "sales")
	case 2:
		i.toggle(&i.flow, "ivr+", "ivr-", "menu")
	case 3:
		i.tell("nop")
	}
}

// improviseAll makes up scenarios, of which each can be named by seed and number.
func improviseAll(seed uint64, n, events int) (all []scenario.Scenario, err error) {
	for k := range n {
		rng := rand.New(rand.NewPCG(seed, uint64(k)))
		s, err := improvise(rng, fmt.Sprintf("made-%d", k+1), events)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}
