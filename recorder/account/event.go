package account

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
)

// An Event is all that was written down of one millisecond.
type Event struct {
	Number int       `json:"number"` // from 1
	AtMS   int64     `json:"at_ms"`
	At     time.Time `json:"at"`
	Words  []string  `json:"words"`
}

// tell makes the events, in the order in which they hold.
func (a *Account) tell() {
	var heard []Line // of a user recording, what happened on the call
	for _, l := range a.evidence.Beside {
		if l.Event == lineFact {
			heard = append(heard, l)
		}
	}
	lines := slices.Concat(heard, a.evidence.Journal)
	slices.SortStableFunc(lines, func(x, y Line) int { return cmp.Compare(a.offset(x.At), a.offset(y.At)) })
	for from := 0; from < len(lines); {
		to := from
		at := a.offset(lines[from].At)
		for to < len(lines) && a.offset(lines[to].At) == at {
			to++
		}
		if words := a.happened(lines[from:to]); len(words) > 0 {
			a.Events = append(a.Events, Event{len(a.Events) + 1, at, lines[from].At, words})
		}
		from = to
	}
	if t := a.Erased; t != nil {
		words := []string{fmt.Sprintf("erased by %s: %s", t.By, t.Reason)}
		if !t.Complete {
			words = append(words, "erasing was cut off: erase it again")
		}
		a.Events = append(a.Events, Event{len(a.Events) + 1, a.offset(t.At), t.At, words})
	}
}

// A saying is a sentence that holds of several streams or people at once.
type saying struct{ before, after string }

// happened says what the lines of one instant tell. What is said of several streams
// alike is said once.
func (a *Account) happened(lines []Line) []string {
	var order []saying
	about := make(map[saying][]string)
	say := func(s saying, of string) {
		if _, said := about[s]; !said {
			order = append(order, s)
		}
		if !slices.Contains(about[s], of) {
			about[s] = append(about[s], of)
		}
	}
	for i := range lines {
		l := &lines[i]
		switch {
		case l.decides():
			if s, ok := a.decided(l); ok {
				say(s, a.voices(l.Stream, a.offset(l.At)))
			}
		case l.Event == lineFact && l.Fact != nil:
			if s, of := a.fact(l.Fact); s != (saying{}) {
				say(s, of)
			}
		default:
			if words := a.noted(l); words != "" {
				say(saying{before: words}, "")
			}
		}
	}
	var out []string
	for _, s := range order {
		out = append(out, strings.TrimSpace(s.before+strings.Join(about[s], ", ")+s.after))
	}
	return out
}

// decided says what was decided of a stream; nothing where it only ended.
func (a *Account) decided(l *Line) (saying, bool) {
	if l.Event == lineAllowed {
		why := ""
		if l.Because != "" {
			why = ": " + l.Because
		}
		return saying{"recorded from here on: ", why}, true
	}
	if notLive(l.Causes) {
		return saying{}, false
	}
	var why []string
	for _, c := range l.Causes {
		why = append(why, a.because(c))
	}
	return saying{"withheld from here on: ", ": " + strings.Join(why, "; ")}, true
}

// because is a cause in a few words.
func (a *Account) because(c store.Cause) string {
	words := fmt.Sprintf("%s (%s", meaning(c), c.Cause)
	if owner := a.owner(c); owner != "" {
		words += ", " + owner
	}
	return words + ")"
}

// meaning says what a cause means.
func meaning(c store.Cause) string {
	known, ok := rules.CauseNamed(c.Cause)
	if !ok {
		return "withheld"
	}
	return rules.ActiveCause{Cause: known, Owner: c.Owner}.Words()
}

// owner says who caused a cause; empty where that goes without saying.
func (a *Account) owner(c store.Cause) string {
	switch c.Owner {
	case "", "call", "interaction", "parties", "stream", "policy", "unfed", "command":
		return ""
	case "sdp":
		return "by the SDP of the recording client"
	}
	if src := client(c.Owner); src != "" {
		return "by " + src
	}
	if leg, ok := strings.CutPrefix(c.Owner, "leg of "); ok {
		return "the leg of " + a.title(leg)
	}
	return "of " + a.title(c.Owner)
}

// client says of an owner that it is a recording client, by its streams or by a signal of
// its own; empty of others.
func client(owner string) string {
	if src, ok := strings.CutPrefix(owner, "sdp of "); ok {
		return "the streams that " + src + " makes inactive"
	}
	if src, ok := strings.CutPrefix(owner, "signal of "); ok {
		return "a signal of " + src
	}
	return ""
}

// voices are those who are heard on a stream at an instant, or the stream.
func (a *Account) voices(stream string, at int64) string {
	var titles []string
	for _, l := range a.Lanes {
		for _, s := range l.Spans {
			if s.Stream == stream && s.FromMS <= at && at < s.ToMS && !slices.Contains(titles, l.Title) {
				titles = append(titles, l.Title)
			}
		}
	}
	if len(titles) == 0 {
		return "stream " + stream
	}
	return strings.Join(titles, " and ")
}

// noted says what a line tells that is neither a fact nor a decision.
func (a *Account) noted(l *Line) string {
	which := "the recording session"
	if l.Leg > 0 {
		which = fmt.Sprintf("recording session %d", l.Leg)
	}
	switch l.Event {
	case lineStarted:
		return a.started(l)
	case lineJoined:
		return fmt.Sprintf("%s joins (%s): %s", which, cmp.Or(l.Method, "INVITE"), cmp.Or(l.Words, "it is of the same interaction"))
	case lineMerged:
		return fmt.Sprintf("interaction %s: %s", l.Other, l.Words)
	case lineCommand:
		return a.commanded(l)
	case lineChanged:
		return fmt.Sprintf("%s changes %s (CSeq %d)", cmp.Or(l.Method, "a request"), which, l.CSeq)
	case lineMetadata:
		if l.Error != "" {
			return fmt.Sprintf("metadata comes, kept as %s, and cannot be read: %s", l.File, l.Error)
		}
		return fmt.Sprintf("metadata comes, kept as %s", l.File)
	case lineSource:
		return fmt.Sprintf("the source of stream %s changes: %s", l.Stream, l.Words)
	case lineStopped, lineAllowed:
		return a.refused(l)
	case lineEnded:
		return which + " ends: " + l.Reason
	case lineOver:
		return "the interaction is over"
	case lineResumed:
		if l.Down == nil {
			return "the server goes on"
		}
		return fmt.Sprintf("the server was down since %s and goes on: %s of which nothing can be known", Clock(a.offset(*l.Down)), Clock(a.offset(l.At)-a.offset(*l.Down)))
	case lineFinalised:
		return fmt.Sprintf("finished: %d files", l.Files)
	case lineErased:
		if a.Erased != nil {
			return "" // its tombstone says more
		}
	case lineAlarm, lineAlarmCleared:
		return a.alarm(l)
	case lineFailed:
		return "its files could not be made: " + l.Error
	}
	words := strings.ReplaceAll(l.Event, "-", " ")
	for _, more := range []string{l.Words, l.Reason, l.Error} {
		if more != "" {
			words += ": " + more
		}
	}
	return words
}

// alarm says what a person should look at, or that it is over.
func (a *Account) alarm(l *Line) string {
	words := "alarm: " + cmp.Or(l.Words, l.Alarm)
	if l.Event == lineAlarmCleared {
		words = "no alarm any more: " + cmp.Or(l.Words, l.Alarm)
	}
	if l.Stream != "" {
		words += " (stream " + l.Stream + ")"
	}
	if l.AlarmCause != "" {
		words += fmt.Sprintf(" (%s of %s)", l.AlarmCause, cmp.Or(l.AlarmOwner, "somebody"))
	}
	return words
}

// commanded says what somebody commanded, and what came of it.
func (a *Account) commanded(l *Line) string {
	c := l.Command
	if c == nil {
		return "a command"
	}
	words := "command " + c.Action
	for _, more := range []struct{ what, value string }{
		{"of", a.title(c.Party)}, {"with", a.title(c.Other)}, {"named", c.Name}, {"by", c.By}, {"for the reason:", c.Reason},
	} {
		if more.value != "" {
			words += " " + more.what + " " + more.value
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Tags)) {
		words += fmt.Sprintf(", %s=%s", name, c.Tags[name])
	}
	if p := c.Proof; p != nil {
		words += "; evidence: " + p.words()
	}
	if l.Said != nil && a.offset(*l.Said) > a.offset(l.At) {
		words += fmt.Sprintf("; it came at %s and holds from here on", Clock(a.offset(*l.Said)))
	}
	if c.Refused != "" {
		words += "; refused: " + c.Refused
	}
	return words
}

func (p *Proof) words() string {
	var all []string
	if p.Who != "" {
		all = append(all, p.Who)
	}
	if !p.When.IsZero() {
		all = append(all, "at "+instant(p.When))
	}
	if p.Wording != "" {
		all = append(all, fmt.Sprintf("%q", p.Wording))
	}
	if p.Digit != "" {
		all = append(all, "digit "+p.Digit)
	}
	return strings.Join(all, ", ")
}

func (a *Account) started(l *Line) string {
	if l.Of != "" {
		return fmt.Sprintf("%s makes a recording of his own, beside %s", a.title(l.Maker), l.Of)
	}
	words := "the recording session begins"
	if l.Method != "" {
		words += " (" + l.Method + ")"
	}
	if l.PolicyFile == "" {
		return words + "; policy " + l.Policy
	}
	words += "; policy " + l.PolicyFile
	if b := l.Belonging; b != nil {
		words += fmt.Sprintf("; %s, %s", Belongs(b), linesOf(b.Lines))
	}
	return words
}

// Belongs says where an interaction belongs.
func Belongs(b *store.Belonging) string {
	words := "account " + b.Account
	if b.Trunk != "" {
		words += ", trunk " + b.Trunk
	}
	if b.Plan != "" {
		words += ", plan " + b.Plan
	}
	return words
}

func linesOf(lines []int) string {
	if len(lines) == 0 {
		return "as no rule of the mapping fits"
	}
	var all []string
	for _, l := range lines {
		all = append(all, fmt.Sprint(l))
	}
	if len(all) == 1 {
		return "by line " + all[0] + " of the file"
	}
	return "by lines " + strings.Join(all, ", ") + " of the file"
}

// refused says which command was refused and why. The line has it in words only.
func (a *Account) refused(l *Line) string {
	if l.Words == "" {
		return "a command is refused"
	}
	what, rest, _ := strings.Cut(strings.TrimPrefix(l.Words, "refused "), " by ")
	who, _, _ := strings.Cut(rest, " of "+a.Recording+" at ")
	_, why, found := strings.Cut(l.Words, " under policy "+l.Policy+": ")
	if !found {
		return l.Words
	}
	return fmt.Sprintf("%s by %s is refused: %s %s", what, a.title(who), a.title(who), why)
}

// fact says what an event of the rules tells, and of what it is said.
func (a *Account) fact(f *Fact) (saying, string) {
	who, other := a.title(f.Party), a.title(f.Other)
	switch f.Kind {
	case "stream-added", "stream-active":
		return saying{}, "" // what is decided on it says so
	case "stream-inactive":
		return saying{"the recording client makes inactive: stream ", ""}, f.Stream
	case "stream-removed":
		return saying{"the recording client ends stream ", ""}, f.Stream
	case "stream-sends":
		if nobody(f.Party) {
			return saying{"nobody is known to send on stream ", ""}, f.Stream
		}
		return saying{cmp.Or(who, "somebody") + " sends on stream ", ""}, f.Stream
	case "stream-sends-not":
		if nobody(f.Party) {
			return saying{}, ""
		}
		return saying{cmp.Or(who, "somebody") + " sends no longer on stream ", ""}, f.Stream
	case "party-joined", "party-identified":
		if nobody(f.Party) {
			return saying{}, ""
		}
		verb := " joins"
		if f.Kind == "party-identified" {
			verb = " is known better"
		}
		return saying{cmp.Or(who, "somebody") + verb + roleWords(f.Who), ""}, ""
	case "party-left":
		if nobody(f.Party) {
			return saying{}, ""
		}
		return saying{cmp.Or(who, "somebody") + " leaves", ""}, ""
	}
	return saying{plain(f, cmp.Or(who, "somebody"), cmp.Or(other, "somebody")), ""}, ""
}

// roleWords say who somebody is to the rules, and how that is known.
func roleWords(r *store.Role) string {
	if r == nil {
		return ""
	}
	words := ": " + r.Role
	if r.Role == "unknown" {
		words = ": of unknown role"
	}
	if r.Evidence != "" {
		words += " (" + r.Evidence + ")"
	}
	return words
}

// plain says what is told of people and the call.
func plain(f *Fact, who, other string) string {
	switch f.Kind {
	case "interaction-started", "interaction-ended":
		return ""
	case "direction-told":
		if f.Evidence == "" {
			return "the call is " + f.Direction
		}
		return fmt.Sprintf("the call is %s (%s)", f.Direction, f.Evidence)
	case "number-told":
		if f.Number == "" {
			return "a number becomes known"
		}
		if f.Party == "" {
			return fmt.Sprintf("the number %s of the outside party is known", f.Number)
		}
		return fmt.Sprintf("the number %s of %s is known", f.Number, who)
	case "plan-ran":
		if f.Draw == nil {
			return "the plan is asked"
		}
		return fmt.Sprintf("the plan is asked; %.6f is drawn", *f.Draw)
	case "menu-chosen":
		return "option " + f.Name + " is chosen"
	case "record-ordered":
		return who + " orders to record this call"
	case "do-not-record-ordered":
		return "it is ordered that nothing is recorded from here on"
	case "plan-named":
		return "the plan of the call is " + f.Name + " from here on"
	case "party-dialled":
		return who + " is dialled" + roleWords(f.Who)
	case "held", "retrieved", "pause", "resume":
		return pressed(who, f)
	case "consulted":
		return who + " consults " + other + roleWords(f.Who)
	case "consult-dialled":
		return who + " dials " + other + " to consult" + roleWords(f.Who)
	case "party-answered":
		return who + " answers"
	case "consult-ended":
		return "the consult with " + other + " ends"
	case "alternated-back":
		return who + " goes back to the main call"
	case "alternated-away":
		return who + " goes back to the consult"
	case "conferenced":
		return who + " joins all in a conference"
	case "transferred":
		return who + " transfers the call and leaves"
	case "transferred-blind":
		return who + " transfers the call blindly to " + other + roleWords(f.Who)
	case "transferred-to-queue":
		return who + " transfers the call to queue " + f.Name
	case "flow-entered":
		return "the caller enters flow " + f.Name
	case "flow-left":
		return "the caller leaves flow " + f.Name
	case "queue-entered":
		return "the caller waits in queue " + f.Name
	case "queue-left":
		return "the caller leaves queue " + f.Name
	case "consent-asked":
		return "the caller is asked for consent"
	case "consent-given":
		return "the caller consents"
	case "consent-refused":
		return "the caller refuses consent"
	case "consent-unanswered":
		return "the caller gives no answer to the question of consent"
	case "consent-withdrawn":
		return "consent is withdrawn"
	case "party-agreed":
		return who + " agrees to be recorded"
	case "secure-started":
		return "a payment begins, says " + cmp.Or(f.Owner, "somebody")
	case "secure-ended":
		return "the payment is over, says " + cmp.Or(f.Owner, "somebody")
	case "user-recording":
		return who + " begins a recording of his own"
	case "user-recording-stopped":
		return who + " ends his own recording"
	}
	return strings.ReplaceAll(f.Kind, "-", " ")
}

// pressed says who holds or pauses, or that a recording client says so.
func pressed(who string, f *Fact) string {
	verb := map[string]string{"held": "puts the call on hold", "retrieved": "retrieves the call", "pause": "presses pause", "resume": "presses resume"}[f.Kind]
	if f.Owner == "" {
		return who + " " + verb
	}
	state := map[string]string{"held": "the call is held", "retrieved": "the call is held no more", "pause": "the recording is paused", "resume": "the recording is paused no more"}[f.Kind]
	return state + ", says " + cmp.Or(client(f.Owner), f.Owner)
}

// say notes what a person should know before trusting the account.
func (a *Account) say(format string, args ...any) {
	a.Remarks = append(a.Remarks, fmt.Sprintf(format, args...))
}

// remark says what the account cannot tell.
func (a *Account) remark() {
	e := &a.evidence
	switch a.Progress {
	case GoingOn:
		a.say("it is not finished: it is being recorded, or a server that starts goes on with it; something of it was written last at %s", Clock(a.seen))
	case Ended:
		a.say("it has ended, and its files are not made yet")
	case Erased, Void:
		a.say("what is left of it says nothing of people; no audio of it can be read")
	}
	if !e.Finished && slices.ContainsFunc(a.decisions, func(d decision) bool {
		return slices.ContainsFunc(d.causes, func(c store.Cause) bool { return c.Cause == rules.Void.String() })
	}) {
		a.say("it is void: all of it is discarded when it ends, also what was allowed before")
	}
	if !e.Finished && len(a.parties()) == 0 && len(e.People) > 0 {
		var titles []string
		for _, p := range e.People {
			titles = append(titles, p.Title)
		}
		a.say("the metadata names %s; which stream is whose is told when the files are made", strings.Join(titles, ", "))
	}
	if e.Finished && len(e.Journal) == 0 {
		a.say("there is no journal: all of this is by the manifest")
	}
	if slices.ContainsFunc(e.Journal, func(l Line) bool { return len(l.Sealed) > 0 }) {
		a.say("the journal is sealed, and its key is not there")
	}
	for _, s := range e.Manifest.Streams {
		if !s.Recordable && len(s.Directions) > 0 {
			a.say("stream %s (%s) is none that can be recorded", s.ID, s.Media)
		}
	}
	if e.Manifest.Capture != "" {
		a.say("some audio is in the capture and in no file: recordings finalise tries again")
	}
	for _, f := range e.Manifest.Flags {
		a.say("flag %s", f)
	}
}

// Clock is an offset in milliseconds as m:ss.mmm, or h:mm:ss.mmm from an hour on.
func Clock(ms int64) string {
	sign := ""
	if ms < 0 {
		sign, ms = "-", -ms
	}
	h, m, s := ms/3_600_000, ms/60_000%60, float64(ms%60_000)/1000
	if h > 0 {
		return fmt.Sprintf("%s%d:%02d:%06.3f", sign, h, m, s)
	}
	return fmt.Sprintf("%s%d:%06.3f", sign, m, s)
}
