package recorder

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/policy"
	"github.com/siprecd/siprecd/siprec"
)

// Signals is what an SRC means by what it sends, where the standards leave that open or
// know nothing of it. The zero value is for one of which nothing is said: it helps
// nothing to be recorded.
type Signals struct {
	// InactiveMeans is what it means by an inactive stream (RFC 7866 §7.1.1.1), beside
	// that it is withheld; nil is what the profile of the directory says.
	InactiveMeans *rules.InactiveMeans
	// NoConsult: a second communication session is a part of the call and no consult.
	NoConsult bool
	// ConsultWindow is how long before a consult a hold may come and be the consult's
	// own; 0 is 2 s, and with a negative one it has to come in the same update.
	ConsultWindow time.Duration
	// List are the signals of its own.
	List []Signal
}

// A Signal is what a value of a SIP header field or of extension data means.
type Signal struct {
	// Header is the name of a header field of INVITE, UPDATE or INFO, without case;
	// Field the last name, or the path of local names, of an element of extension data,
	// where @name is an attribute. One of them is given.
	Header, Field string
	// Value is a pattern: * is any text, ? one character, case does not count. Empty is
	// any value.
	Value string
	// Means is one of [SignalActions].
	Means Action
	// Name is that of a flow, queue, menu option or payment, and Party the id, address,
	// number or agent id of a participant. A * in either stands for what the first * of
	// Value matched, or for the whole value when it has none. Without Party, a field
	// within a participant is about that one.
	Name, Party string
}

const consultWindow = 2 * time.Second

func (s Signals) window() time.Duration {
	if s.ConsultWindow == 0 {
		return consultWindow
	}
	return s.ConsultWindow
}

// SignalActions are the actions that a [Signal] can mean.
func SignalActions() []Action {
	return []Action{
		ActPause, ActResume, ActSecureStart, ActSecureStop, ActHold, ActRetrieve,
		ActConsentAsked, ActConsentGiven, ActConsentRefused, ActConsentUnanswered, ActConsentWithdrawn, ActPartyAgreed,
		ActFlowEntered, ActFlowLeft, ActQueueEntered, ActQueueLeft, ActMenu, ActRecord,
	}
}

// Check reports what is wrong with a signal: its error is one sentence that begins with
// the field it is about.
func (s Signal) Check() error {
	switch {
	case (s.Header == "") == (s.Field == ""):
		return errors.New("signal: needs either header or field")
	case strings.ContainsAny(s.Header, " \t\r\n:;,<>\"()@"):
		return fmt.Errorf("header: %q is no name of a header field", s.Header)
	case !slices.Contains(SignalActions(), s.Means):
		return fmt.Errorf("means: %q is not one of %v", s.Means, SignalActions())
	}
	switch s.Means {
	case ActFlowEntered, ActQueueEntered, ActMenu:
		if s.Name == "" {
			return fmt.Errorf("name: %s needs one, fixed or * for what value says", s.Means)
		}
	case ActFlowLeft, ActQueueLeft, ActSecureStart, ActSecureStop:
	default:
		if s.Name != "" {
			return fmt.Errorf("name: %s has none", s.Means)
		}
	}
	switch s.Means {
	case ActPartyAgreed:
		if s.Party == "" && s.Header != "" {
			return fmt.Errorf("party: %s needs one, fixed or * for what value says", s.Means)
		}
	case ActPause, ActResume, ActHold, ActRetrieve, ActRecord:
	default:
		if s.Party != "" {
			return fmt.Errorf("party: %s has none", s.Means)
		}
	}
	return nil
}

// Check reports what is wrong with signals as a whole: one that begins something has to
// have one that ends it, or it would last to the end of the call.
func (s Signals) Check() error {
	means := func(a Action) bool {
		return slices.ContainsFunc(s.List, func(x Signal) bool { return x.Means == a })
	}
	for _, pair := range [][2]Action{{ActPause, ActResume}, {ActSecureStart, ActSecureStop}, {ActHold, ActRetrieve}, {ActFlowEntered, ActFlowLeft}, {ActQueueEntered, ActQueueLeft}} {
		if means(pair[0]) && !means(pair[1]) {
			return fmt.Errorf("means: no signal is %s, so what %s begins would last to the end of the call", pair[1], pair[0])
		}
	}
	return nil
}

// Facts are what of a policy the signals tell.
func (s Signals) Facts() (out []policy.Fact) {
	for _, x := range s.List {
		switch x.Means {
		case ActPause, ActResume:
			out = union(out, []policy.Fact{policy.FactManual})
		case ActFlowEntered, ActFlowLeft:
			out = union(out, []policy.Fact{policy.FactIVR})
		case ActMenu:
			out = union(out, []policy.Fact{policy.FactMenu})
		case ActConsentGiven, ActConsentRefused:
			out = union(out, []policy.Fact{policy.FactConsent})
		case ActConsentWithdrawn:
			out = union(out, []policy.Fact{policy.FactWithdrawal})
		case ActPartyAgreed:
			out = union(out, []policy.Fact{policy.FactPartyConsent})
		}
	}
	return out
}

// match reports whether a value is meant, and what of it a * in name or party is.
func (s Signal) match(value string) (part string, ok bool) {
	value = strings.TrimSpace(value)
	if len(value) > maxSignal {
		value = value[:maxSignal]
	}
	head, tail, any := strings.Cut(cmp.Or(s.Value, "*"), "*")
	if !any {
		return value, globs(head, value)
	}
	for n := 0; n <= len(value); n++ {
		if len(head) <= n && globs(head, value[:len(head)]) && globs(tail, value[n:]) {
			return strings.ToValidUTF8(strings.TrimSpace(value[len(head):n]), ""), true
		}
	}
	return "", false
}

// maxSignal is how much of a value is looked at, in octets.
const maxSignal = 512

// globs reports whether a text fits a pattern of *, ? and characters without case.
func globs(pattern, text string) bool {
	star, from := -1, 0
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || strings.EqualFold(pattern[p:p+1], text[t:t+1])):
			p++
			t++
		case star >= 0:
			from++
			p, t = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// A source is the recording session whose event is heard.
type source struct {
	name, callID string // of the SRC, of the dialog
	signals      Signals
}

// source is that of the recording session.
func (l *leg) source() source {
	s := source{name: l.src.Name, callID: l.callID}
	if signals := l.of.Load().recorder.cfg.Signals; signals != nil {
		s.signals = signals(s.name)
	}
	return s
}

// signs is what was heard of signals before.
type signs struct {
	last   map[string][]string // values of a header field, by dialog and name
	fields []fieldValue
	// queues and flows are those that signals say the call is in.
	queues, flows []string
}

// A fieldValue is one value of extension data.
type fieldValue struct {
	path, value string
	party       rules.PartyID // in whose description it stands, if in one
}

// A sign is a signal that was heard.
type sign struct {
	Signal
	part     string
	party    rules.PartyID
	evidence string
}

// signals tells what the SRC signals by header fields and extension data.
//
// Each INFO is news. A header field of an INVITE or UPDATE is when its value is another
// than when it stood there last: SBCs repeat their header fields with each request, and
// what is repeated must not lift what began in the meantime. A field of extension data is
// news when it was not in the metadata before.
func (i *interpreter) signals(ev *siprec.Event, view metadata.View, p told, say func(rules.Event)) {
	if len(i.from.signals.List) == 0 {
		return
	}
	heard := append(i.headerSigns(ev), i.fieldSigns(view, p)...)
	for _, s := range heard {
		party := s.party
		if s.Party != "" {
			party = i.meant(strings.ReplaceAll(s.Party, "*", s.part), view, p)
		}
		name := strings.ReplaceAll(s.Name, "*", s.part)
		if len(name) > maxNameLength {
			name = strings.ToValidUTF8(name[:maxNameLength], "")
		}
		if e := i.signs.event(s.Means, name, party, "signal of "+i.from.name); e.Kind != 0 {
			e.Evidence = s.evidence
			say(e)
		}
	}
}

func (i *interpreter) headerSigns(ev *siprec.Event) (heard []sign) {
	fresh := make(map[string][]string)
	for _, s := range i.from.signals.List {
		name := strings.ToLower(s.Header)
		if _, done := fresh[name]; !done && name != "" {
			fresh[name] = i.signs.news(ev, i.from.callID+" "+name, ev.Header(name))
		}
		for _, value := range fresh[name] {
			if part, ok := s.match(value); ok {
				heard = append(heard, sign{Signal: s, part: part, evidence: "header field " + s.Header + " of " + ev.Method})
			}
		}
	}
	return heard
}

// news are the values that were not said before.
func (n *signs) news(ev *siprec.Event, key string, values []string) []string {
	if ev.Method == "INFO" || len(values) == 0 {
		return values
	}
	if n.last == nil {
		n.last = make(map[string][]string)
	}
	before := n.last[key]
	n.last[key] = values
	return those(values, func(v string) bool { return !slices.Contains(before, v) })
}

func (i *interpreter) fieldSigns(view metadata.View, p told) (heard []sign) {
	if !slices.ContainsFunc(i.from.signals.List, func(s Signal) bool { return s.Field != "" }) {
		return nil
	}
	now := fieldsOf(view, p)
	for _, f := range now {
		if slices.Contains(i.signs.fields, f) {
			continue
		}
		for _, s := range i.from.signals.List {
			if part, ok := s.match(f.value); ok && f.is(s.Field) {
				heard = append(heard, sign{Signal: s, part: part, party: f.party, evidence: "extension data " + f.path})
			}
		}
	}
	i.signs.fields = now
	return heard
}

// is reports whether a name means a field: by its path, or the last name of it.
func (f fieldValue) is(name string) bool {
	if name == "" {
		return false
	}
	last := f.path[strings.LastIndexByte(f.path, '/')+1:]
	return strings.EqualFold(f.path, name) || strings.EqualFold(last, name)
}

// fieldsOf are the values of all extension data there is.
func fieldsOf(view metadata.View, p told) (out []fieldValue) {
	var walk func(prefix string, party rules.PartyID, xs []metadata.Extension)
	walk = func(prefix string, party rules.PartyID, xs []metadata.Extension) {
		for _, x := range xs {
			path := prefix + x.Name
			if text := strings.TrimSpace(x.Text); text != "" {
				out = append(out, fieldValue{path, text, party})
			}
			for _, a := range x.Attrs {
				out = append(out, fieldValue{path + "/@" + a.Name, strings.TrimSpace(a.Value), party})
			}
			walk(path+"/", party, x.Children)
		}
	}
	walk("", "", view.Extensions)
	for _, g := range view.Groups {
		walk("", "", g.Extensions)
	}
	for _, cs := range view.CommunicationSessions {
		walk("", "", cs.Extensions)
	}
	for _, s := range view.Streams {
		walk("", "", s.Extensions)
	}
	for _, presence := range view.Participants {
		walk("", rules.PartyID(p.person(presence.ID)), presence.Extensions)
	}
	return out
}

// meant is the participant whom a text means: by id, address, number or the id of an
// agent; empty when none is there, or two are.
func (i *interpreter) meant(text string, view metadata.View, p told) (found rules.PartyID) {
	a := i.numbering.Address(text)
	for _, presence := range view.Participants {
		id := rules.PartyID(p.person(presence.ID))
		fits := presence.Raw == text || slices.ContainsFunc(presence.AORs(), func(aor string) bool { return a.Same(i.numbering.Address(aor)) }) ||
			slices.ContainsFunc(p.facts(), func(f metadata.Fact) bool {
				return (f.Kind == metadata.FactAgentID || f.Kind == metadata.FactUserID) && f.About == presence.ID && f.Value == text
			})
		switch {
		case !fits || id == found:
		case found != "":
			return ""
		default:
			found = id
		}
	}
	return found
}

// event is what a signal means for the rules. What begins and ends is the SRC's own,
// unless it says whose: then that party pressed it, and may do so or not. Where the call
// waits is kept, and told with all else that says so.
func (n *signs) event(means Action, name string, party rules.PartyID, owner string) rules.Event {
	pressed := rules.Event{Party: party, Owner: owner}
	if party != "" {
		pressed.Owner = ""
	}
	switch means {
	case ActPause:
		pressed.Kind = rules.PausePressed
		return pressed
	case ActResume:
		pressed.Kind = rules.ResumePressed
		return pressed
	case ActHold:
		return rules.Event{Kind: rules.Held, Party: party, Owner: owner}
	case ActRetrieve:
		return rules.Event{Kind: rules.Retrieved, Party: party, Owner: owner}
	case ActSecureStart:
		return rules.Event{Kind: rules.SecureStarted, Owner: strings.TrimSpace(owner + " " + name)}
	case ActSecureStop:
		return rules.Event{Kind: rules.SecureEnded, Owner: strings.TrimSpace(owner + " " + name)}
	case ActFlowEntered:
		n.flows = union(n.flows, []string{name})
	case ActFlowLeft:
		n.flows = takenOff(n.flows, name)
	case ActQueueEntered:
		n.queues = union(n.queues, []string{name})
	case ActQueueLeft:
		n.queues = takenOff(n.queues, name)
	case ActPartyAgreed:
		if party != "" {
			return rules.Event{Kind: rules.PartyAgreed, Party: party}
		}
	case ActMenu:
		return rules.Event{Kind: rules.MenuChosen, Name: name}
	case ActRecord:
		return rules.Event{Kind: rules.RecordOrdered, Party: party}
	}
	return rules.Event{Kind: answerOf(means)}
}

// answerOf is the kind of event of an answer to the question of consent; 0 of none.
func answerOf(means Action) rules.Kind {
	switch means {
	case ActConsentAsked:
		return rules.ConsentAsked
	case ActConsentGiven:
		return rules.ConsentGiven
	case ActConsentRefused:
		return rules.ConsentRefused
	case ActConsentUnanswered:
		return rules.ConsentUnanswered
	case ActConsentWithdrawn:
		return rules.ConsentWithdrawn
	default:
		return 0
	}
}

// takenOff takes a name off a list; without one, all of them.
func takenOff(list []string, name string) []string {
	return those(list, func(n string) bool { return name != "" && n != name })
}
