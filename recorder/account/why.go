package account

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/policy"
)

// An Answer says what became of one voice at an instant, and why.
type Answer struct {
	Party string `json:"party,omitempty"`
	Title string `json:"title"`
	Role  string `json:"role,omitempty"`
	// Span is the part of the lane in which the instant lies; from is in it, to is not.
	Span
	File string `json:"file,omitempty"`
	// FileMS is the place in that file; absent where the file has nothing then.
	FileMS    *int64   `json:"file_ms,omitempty"`
	Sentences []string `json:"sentences"`
}

// Why says what became of an instant, in milliseconds since the beginning: an answer for
// each lane, or for those of one party or stream, by its id, a name, an address, the user
// part of one, a file or a stream id; empty for all. None is returned when there is no such
// party. Outside of the interaction the one answer says so.
func (a *Account) Why(at int64, of string) []Answer {
	if at < 0 {
		return []Answer{{Span: Span{State: Away}, Sentences: []string{
			fmt.Sprintf("The interaction began at %s: before that nothing of it was recorded.", instant(a.Begun)),
		}}}
	}
	if at >= a.LengthMS {
		return []Answer{{Span: Span{State: Away}, Sentences: []string{a.beyond()}}}
	}
	var out []Answer
	for i := range a.Lanes {
		l := &a.Lanes[i]
		if !l.is(of) {
			continue
		}
		n := slices.IndexFunc(l.Spans, func(s Span) bool { return s.FromMS <= at && at < s.ToMS })
		if n < 0 {
			continue
		}
		answer := Answer{Party: l.Party, Title: l.Title, Role: l.Role, Span: l.Spans[n], File: l.File}
		if place, ok := l.place(at, a.timeline); ok && a.Erased == nil {
			answer.FileMS = &place
		}
		answer.Sentences = a.sentences(l, n, at, answer.FileMS)
		out = append(out, answer)
	}
	return out
}

// beyond says that there is nothing behind the end.
func (a *Account) beyond() string {
	end := Clock(a.LengthMS)
	if a.Progress == GoingOn {
		return fmt.Sprintf("It goes on, and is told up to %s: of what comes then nothing is known yet.", end)
	}
	return fmt.Sprintf("The interaction ended at %s (%s): behind that nothing was recorded.", end, cmp.Or(a.EndReason, "for no known reason"))
}

// is reports whether a lane is meant.
func (l *Lane) is(of string) bool {
	if of == "" {
		return true
	}
	known := append([]string{l.Party, l.Title, l.File, strings.TrimSuffix(l.File, ".wav")}, l.AORs...)
	for _, aor := range l.AORs {
		_, rest, _ := strings.Cut(aor, ":")
		user, _, _ := strings.Cut(rest, "@")
		known = append(known, rest, user)
	}
	for _, s := range l.Spans {
		known = append(known, s.Stream)
	}
	return slices.ContainsFunc(known, func(k string) bool { return k != "" && strings.EqualFold(k, of) })
}

// place is where in its file an instant lies.
func (l *Lane) place(at, timeline int64) (int64, bool) {
	if l.File == "" || at < timeline {
		return 0, false
	}
	if len(l.mapped) == 0 {
		return at - timeline, true
	}
	for _, m := range l.mapped {
		if m.FromMS <= at && at < m.ToMS {
			return m.FileMS + at - m.FromMS, true
		}
	}
	return 0, false
}

// sentences say what became of an instant in the span of a lane with number n.
func (a *Account) sentences(l *Lane, n int, at int64, place *int64) []string {
	s := &l.Spans[n]
	out := a.verdict(l, s, at, place)
	if at == s.FromMS && n > 0 {
		before := strings.Replace(briefly(&l.Spans[n-1]), " is ", " was ", 1)
		out = append(out, fmt.Sprintf("This is its first instant: until then %s.", before))
	}
	if n+1 < len(l.Spans) {
		next := &l.Spans[n+1]
		return append(out, fmt.Sprintf("From %s on %s.", Clock(next.FromMS), briefly(next)))
	}
	if a.Progress == GoingOn {
		return append(out, "So it is up to now.")
	}
	return append(out, fmt.Sprintf("So it stays to the end, at %s.", Clock(a.LengthMS)))
}

// verdict says what became of it and why.
func (a *Account) verdict(l *Lane, s *Span, at int64, place *int64) []string {
	where := ""
	if place != nil {
		where = fmt.Sprintf(", in %s at %s", l.File, Clock(*place))
	}
	silence := ""
	if place != nil {
		silence = " Silence stands for it" + where + "."
	}
	switch s.State {
	case Kept:
		return append([]string{"Recorded" + where + "."}, a.recording(s)...)
	case Allowed:
		return append([]string{"Recorded: what comes is kept, and the files are made when the interaction has ended."}, a.recording(s)...)
	case Fresh:
		return append([]string{"It may be recorded; nothing of this instant was seen on disk yet."}, a.recording(s)...)
	case Missing:
		return append([]string{"It was to be recorded, and is not there: " + lackWords(s.Lack) + "." + silence}, a.recording(s)...)
	case Down:
		return append([]string{"It was to be recorded, and is not there: the server was down, and nothing can be known of what was sent then." + silence}, a.recording(s)...)
	case Gone:
		gone := fmt.Sprintf("Recorded then, and erased at %s by %s: %s.", instant(a.Erased.At), a.Erased.By, a.Erased.Reason)
		return append([]string{gone}, a.recording(s)...)
	case Stuck:
		late := "It is withheld, and is in the file all the same" + where + ": it was on disk when that was decided, and could not be taken back."
		return append([]string{late}, a.reasons(s.Causes)...)
	case Withheld:
		head := "Withheld." + silence
		if n := len(s.Causes); n > 1 {
			head = fmt.Sprintf("Withheld, for %d causes, each of which is enough.%s", n, silence)
		}
		return append([]string{head}, a.reasons(s.Causes)...)
	}
	return []string{a.away(l, at)}
}

// away says why somebody is not there.
func (a *Account) away(l *Lane, at int64) string {
	if l.Party == "" {
		return "Nothing is there: the stream is not live then."
	}
	switch on, known := a.onCall(l.Party, at); {
	case known && on:
		return "On the call, and sends on no stream then."
	case known:
		return "Not on the call then."
	}
	return "Nothing is there: not known to send on any stream then."
}

// onCall says whether somebody is on the call, by what the rules were told.
func (a *Account) onCall(id string, at int64) (on, known bool) {
	for _, l := range a.facts() {
		who := l.Fact.Party
		switch l.Fact.Kind {
		case "consulted", "consult-dialled", "transferred-blind", "consult-ended":
			who = l.Fact.Other
		}
		if a.id(who) != id || id == "" {
			continue
		}
		switch l.Fact.Kind {
		case "party-joined", "party-dialled", "consulted", "consult-dialled", "transferred-blind":
			known = true
			on = on || a.offset(l.At) <= at
		case "party-left", "consult-ended", "transferred":
			on = on && a.offset(l.At) > at
		}
	}
	return on, known
}

// lackWords say why something did not come.
func lackWords(lack string) string {
	switch lack {
	case "lost":
		return "its packets were lost on the way"
	case "no-packets":
		return "no packets came"
	case "late-start":
		return "the first packet came later"
	case "undecodable":
		return "it is in the capture, and could not be decoded"
	case "no-permit":
		return "the gate was not open"
	}
	return strings.ReplaceAll(lack, "-", " ")
}

// briefly is what a span is, behind "from then on" or "until then".
func briefly(s *Span) string {
	switch s.State {
	case Kept, Allowed:
		return "it is recorded"
	case Fresh:
		return "it is not seen on disk yet"
	case Missing:
		return "nothing is there (" + lackWords(s.Lack) + ")"
	case Down:
		return "the server is down"
	case Gone:
		return "it was recorded then, and is erased"
	case Stuck:
		return "it is withheld, and could not be taken back"
	case Withheld:
		var names []string
		for _, c := range s.Causes {
			if !slices.Contains(names, c.Cause) {
				names = append(names, c.Cause)
			}
		}
		return "it is withheld (" + strings.Join(names, ", ") + ")"
	}
	return "nothing is there"
}

// recording says what decided to record.
func (a *Account) recording(s *Span) []string {
	because := cmp.Or(s.Because, "what decided is not left")
	out := []string{fmt.Sprintf("What decided to record: %s.", because)}
	if basis := policy.RecordBasis(s.Because); len(basis.Statements) > 0 {
		out[0] = fmt.Sprintf("What decided to record: %s.", strings.TrimPrefix(basis.String(), "setting "))
	}
	if f, b := a.ruling(); f != nil {
		for _, st := range f.Deciding(b, s.Because) {
			out = append(out, standing(st))
		}
	}
	return out
}

// ruling is the policy file that decided, if it is there, and where the interaction
// belongs in it.
func (a *Account) ruling() (*policy.File, policy.Belonging) {
	v := a.evidence.Version
	if v == nil || v.File == nil || a.Belonging == nil {
		return nil, policy.Belonging{}
	}
	return v.File, policy.Belonging{Account: a.Belonging.Account, Trunk: a.Belonging.Trunk, Plan: a.Belonging.Plan, Lines: a.Belonging.Lines}
}

// reasons say of each cause whose it is, since when, what ends it, and what it rests on.
func (a *Account) reasons(causes []store.Cause) []string {
	var out []string
	for _, c := range causes {
		whose := a.owner(c)
		if by := a.presser(c); by != "" {
			whose = strings.TrimPrefix(whose+", by "+by, ", ")
		}
		since := ""
		if !c.Since.IsZero() {
			since = fmt.Sprintf(", since %s (%s)", Clock(a.offset(c.Since)), instant(c.Since))
		}
		out = append(out, capital(meaning(c))+" ("+c.Cause+strings.TrimRight(", "+whose, ", ")+")"+since+". "+a.ends(c)+" "+a.rests(c))
	}
	return out
}

// presser is who said what began a cause: by a command, and of the whole call by whom on
// it.
func (a *Account) presser(c store.Cause) string {
	began := map[string]string{"manual": "pause", "consent": "consent-asked", "withdrawn": "consent-withdrawn"}
	var words []string
	for _, l := range a.facts() {
		if c.Owner == "call" && l.Fact.Kind == began[c.Cause] && l.Fact.Party != "" && a.offset(l.At) == a.offset(c.Since) {
			words = []string{a.title(l.Fact.Party)}
		}
	}
	for _, l := range slices.Concat(a.evidence.Beside, a.evidence.Journal) {
		if l.Command != nil && l.Command.Refused == "" && l.Command.By != "" && slices.Contains(beginning(c.Cause), l.Command.Action) && a.offset(l.At) == a.offset(c.Since) {
			words = append(words, "command of "+l.Command.By)
		}
	}
	return strings.Join(words, ", by ")
}

// beginning are the commands that begin a cause.
func beginning(cause string) []string {
	return map[string][]string{
		"manual": {"pause"}, "secure": {"secure-start"}, "hold": {"hold", "consult", "consult-dialled"},
		"consent": {"consent-asked"}, "withdrawn": {"consent-withdrawn"}, "ivr": {"flow-entered"},
		"queue": {"queue-entered", "transfer-to-queue"}, "do-not-record": {"do-not-record"},
		"external":    {"consult", "consult-dialled", "party-dialled", "party-joined", "transfer-blind"},
		"consult-leg": {"consult", "consult-dialled"}, "no-agent": {"party-left", "transfer", "transfer-blind"},
		"void": {"consent-refused", "consent-unanswered", "consent-withdrawn", "do-not-record"},
	}[cause]
}

// ends says what would end a cause.
func (a *Account) ends(c store.Cause) string {
	var fits []rules.CauseRule
	for _, r := range rules.Causes() {
		if r.Cause.String() == c.Cause {
			fits = append(fits, r)
		}
	}
	// Hold, IVR and DoNotRecord have two rows each.
	i := slices.IndexFunc(fits, func(r rules.CauseRule) bool {
		switch r.Cause {
		case rules.IVR:
			return (c.Owner == "unfed") == r.InboundOnly
		case rules.DoNotRecord:
			return (c.Owner == "command") == (r.Ends == "never")
		}
		return strings.Contains(c.Basis, r.Flag)
	})
	fits = fits[max(i, 0):]
	switch {
	case len(fits) == 0:
		return "What ends it is not known."
	case fits[0].Ends == "never":
		return "Nothing ends it."
	}
	return "It ends when: " + fits[0].Ends + "."
}

// rests says what a cause rests on.
func (a *Account) rests(c store.Cause) string {
	basis := "It rests on: " + cmp.Or(c.Basis, "flag "+c.Flag)
	f, b := a.ruling()
	known, ok := rules.CauseNamed(c.Cause)
	if f == nil || !ok {
		return basis + "."
	}
	all := f.Standings(b, rules.ActiveCause{Cause: known, Owner: c.Owner, Flag: c.Flag})
	if len(all) == 1 && strings.HasPrefix(c.Basis, "setting "+all[0].Setting+",") {
		return basis + meant(all[0])
	}
	for _, st := range all {
		basis += ". " + standing(st)
	}
	return strings.TrimSuffix(basis, ".") + "."
}

// standing says where a setting stands and what it means.
func standing(s policy.Standing) string { return capital(s.Setting) + meant(s) }

func meant(s policy.Standing) string {
	if s.Meaning == "" {
		return " (" + s.Place + ")."
	}
	return " (" + s.Place + "): " + s.Meaning
}

// Under says which policy decided about the interaction, and why that one.
func (a *Account) Under() []string {
	if a.PolicyFile == "" {
		return []string{"Decided under policy " + cmp.Or(a.Policy, "of which nothing is left") + ", without a policy file."}
	}
	words := "Decided under policy " + a.PolicyFile
	if b := a.Belonging; b != nil {
		words += ", as " + Belongs(b) + ", " + linesOf(b.Lines)
	}
	return append([]string{words + "."}, a.Mapping...)
}

// instant is an instant for people.
func instant(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05.000 UTC") }

// capital begins a sentence.
func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
