package policy

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/siprecd/siprecd/conformance/observe"
	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/rules/scenario"
)

// A performance is one call on its way.
type performance struct {
	*Player
	code   *observe.Code
	call   *call
	client *src.SRC
	played *Played
	number int

	playing context.Context
	voices  sync.WaitGroup
	mu      sync.Mutex
	troubles
}

// troubles are what went wrong while voices were sent.
type troubles []error

// An instant is what happens at one time of a scenario.
type instant struct {
	at     time.Duration
	events []scenario.Event
}

// moments are the instants of a scenario.
func moments(s scenario.Scenario) (out []instant) {
	for _, e := range s.Events {
		if n := len(out); n == 0 || out[n-1].at != e.At {
			out = append(out, instant{at: e.At})
		}
		last := &out[len(out)-1]
		last.events = append(last.events, e)
	}
	return out
}

// moment signals what happens at one instant, turn by turn. The INVITE is before all
// else, and the BYE after.
func (f *performance) moment(ctx context.Context, in instant) error {
	m := Moment{At: in.at, Sent: time.Now()}
	rest := in.events
	if f.call.legs[0].dialog == nil {
		begin := instant{at: in.at}
		rest = nil
		for _, e := range in.events {
			if f.call.turnOf(e) == turnWire {
				begin.events = append(begin.events, e)
			} else {
				rest = append(rest, e)
			}
		}
		if err := f.wire(ctx, begin, &m); err != nil {
			return err
		}
	}
	in.events = rest
	turns := make([]turn, len(in.events)) // before anything of this instant is known
	for i, e := range in.events {
		turns[i] = f.call.turnOf(e)
	}
	if err := f.commands(ctx, in, turns, turnBegin, &m); err != nil {
		return err
	}
	if err := f.wire(ctx, in, &m); err != nil {
		return err
	}
	if err := f.commands(ctx, in, turns, turnEnd, &m); err != nil {
		return err
	}
	f.speak() // at the first moment nobody has spoken yet
	if n := len(in.events); n > 0 && in.events[n-1].Name == "end" {
		for _, l := range slices.Backward(f.call.legs) {
			if err := f.bye(ctx, l, "end", &m); err != nil {
				return err
			}
		}
	}
	m.Done = time.Now()
	f.played.Moments = append(f.played.Moments, m)
	return nil
}

func (m *Moment) note(event, way string, status int, why string) {
	from := m.Sent
	if n := len(m.Signals); n > 0 {
		from = m.Signals[n-1].Done
	}
	m.Signals = append(m.Signals, Signal{Event: event, Way: way, Sent: from, Done: time.Now(), Status: status, Why: why})
}

// commands gives the commands of a turn.
func (f *performance) commands(ctx context.Context, in instant, turns []turn, t turn, m *Moment) error {
	for i, e := range in.events {
		if e.Name == "plan" || turns[i] != t {
			continue
		}
		cmd := f.call.command(e)
		if cmd.Action == "" {
			continue
		}
		if f.Control == nil {
			return fmt.Errorf("event %s needs a command", e.Name)
		}
		callID := f.call.legs[0].dialog.CallID()
		cmd.Key = fmt.Sprintf("%s-%d", callID, e.Line)
		if t == turnBegin && f.Late > 0 {
			cmd.At = time.Now()
			if err := wait(ctx, f.Late); err != nil {
				return err
			}
		}
		a, err := f.Control.send(ctx, callID, cmd)
		if err != nil {
			return fmt.Errorf("command %s: %w", cmd.Action, err)
		}
		m.note(strings.TrimSpace(e.Name+" "+strings.Join(e.Args, " ")), cmd.Action, a.Status, a.Why)
		m.Signals[len(m.Signals)-1].At = cmd.At
	}
	return nil
}

// wire shows what the events of an instant change, in one message of each leg: of those
// that begin first.
func (f *performance) wire(ctx context.Context, in instant, m *Moment) error {
	var names []string
	for _, e := range in.events {
		names = append(names, e.Name)
		if err := f.call.changes(e, m.Sent); err != nil {
			return err
		}
	}
	events := strings.Join(names, " ")
	for _, l := range slices.Backward(f.call.legs) {
		if err := f.show(ctx, l, events, m); err != nil {
			return err
		}
	}
	return nil
}

// show sends the news of a leg.
func (f *performance) show(ctx context.Context, l *leg, events string, m *Moment) error {
	if l.number > 1 && len(l.news.gone) > 0 {
		return f.bye(ctx, l, events, m) // who has it for himself hangs up
	}
	offers, document := f.call.tell(l)
	if offers == nil && document == nil {
		return nil
	}
	r := src.Request{Streams: offers, Metadata: document}
	if l.dialog == nil {
		return f.invite(ctx, l, r, events, m)
	}
	method := "UPDATE"
	if offers != nil {
		method = "INVITE"
	}
	answer, err := l.dialog.Do(ctx, method, r)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	m.note(events, method, answer.Status, answer.Get("Warning"))
	if answer.Status != 200 {
		return fmt.Errorf("%s was answered %d %s", method, answer.Status, answer.Get("Warning"))
	}
	f.speak()
	return nil
}

// bye ends a leg, once. Its voices end with it: its ports may be those of others next.
func (f *performance) bye(ctx context.Context, l *leg, events string, m *Moment) error {
	if l.over {
		return nil
	}
	l.over, l.news = true, news{}
	answer, err := l.dialog.Bye(ctx, src.Request{})
	if err != nil {
		return fmt.Errorf("BYE: %w", err)
	}
	m.note(events, "BYE", answer.Status, "")
	l.stop()
	return nil
}

// invite opens the recording session of a leg.
func (f *performance) invite(ctx context.Context, l *leg, r src.Request, events string, m *Moment) error {
	r.RequestURI = fmt.Sprintf("sip:%s@%s", Account(f.call.scenario), f.SRC.Target)
	if t := strings.ToLower(f.SRC.Transport); t != "" && t != "udp" {
		r.RequestURI += ";transport=" + t
	}
	var err error
	if l.dialog, err = f.client.Invite(ctx, r); err != nil {
		return fmt.Errorf("INVITE: %w", err)
	}
	l.playing, l.stop = context.WithCancel(f.playing)
	final := l.dialog.Final()
	m.note(events, "INVITE", final.Status, final.Get("Warning"))
	if final.Status == 401 || final.Status == 407 {
		return fmt.Errorf("INVITE was answered %d: the server asks for a password, check --user and --password-file", final.Status)
	}
	if final.Status != 200 {
		return fmt.Errorf("INVITE was answered %d %s", final.Status, final.Get("Warning"))
	}
	if l.number > 1 {
		f.speak()
		return nil
	}
	f.played.CallID = l.dialog.CallID()
	return f.drawn(ctx, l.dialog)
}

// speak has each m-line that is new sent from.
func (f *performance) speak() {
	for _, p := range f.call.parties[len(f.played.Parties):] {
		v := Voice{Call: f.number, Party: p.number}
		if f.Mixed {
			v.Party = 0
		}
		f.played.Parties = append(f.played.Parties, Heard{Name: p.name, Voice: v, Leg: p.leg.number, Line: p.line})
		if v.Party != p.number {
			continue // it is in the stream of the first
		}
		f.voices.Go(func() {
			err := p.leg.dialog.Stream(p.line).Play(p.leg.playing, f.code.Source(v), src.PlayOptions{Faults: f.Faults})
			if err != nil && !errors.Is(err, context.Canceled) {
				f.mu.Lock()
				f.troubles = append(f.troubles, fmt.Errorf("%s speaks: %w", p.name, err))
				f.mu.Unlock()
			}
		})
	}
}

// listen notes what was sent, and by which names.
func (f *performance) listen() {
	for i := range f.played.Parties {
		h, p := &f.played.Parties[i], f.call.parties[i]
		h.Packets = p.leg.dialog.Stream(h.Line).Sent()
		for _, id := range append(slices.Clone(p.ids), p.id) {
			h.IDs = append(h.IDs, id)
			if raw, err := base64.StdEncoding.DecodeString(id); err == nil { // a UUID (RFC 7865 §6.10)
				h.IDs = append(h.IDs, hex.EncodeToString(raw))
			}
		}
		h.IDs = append(h.IDs, p.aors...)
		for _, aor := range p.aors {
			h.IDs = append(h.IDs, userOf(aor))
		}
	}
	for _, l := range f.call.legs {
		l.dialog.Close()
	}
}
