package policy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/observe"
	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/rules/scenario"
)

// A Player plays scenarios to one server. It may play several at a time.
type Player struct {
	// SRC says where the server is, and how it is reached.
	SRC src.Config
	// Control is where commands go; nil plays only scenarios that need none.
	Control *Control
	Dialect Dialect // default [Standard]
	Suite   string  // crypto-suite of SRTP (RFC 4568 §6.2); empty for plain RTP
	// Mixed has all parties send on the one m-line of the first of them, as metadata
	// says: its voice is that of all.
	Mixed bool
	// Faults are the imperfections of the network between; its duplicates are not
	// judged.
	Faults src.Faults
	// Late is how long after the instant from which they hold commands are given that
	// begin to withhold; they say that instant.
	Late time.Duration
	// Gap is how long it waits between two instants of a scenario; default 400 ms.
	Gap time.Duration
	// Data is the data folder of the server, in which the draw of a share is looked
	// up.
	Data string
}

// A Moment is one instant of a scenario as it was played.
type Moment struct {
	At      time.Duration // in the scenario
	Sent    time.Time     // just before its first signal left
	Done    time.Time     // when the answer to its last one had come
	Signals []Signal
}

// A Signal is one that was sent.
type Signal struct {
	Event      string // as in the scenario; of what is told together, all
	Way        string // INVITE, UPDATE, BYE or the action of a command
	Sent, Done time.Time
	At         time.Time // from when it says that it holds; zero for now
	Status     int       // of the answer, SIP or HTTP
	Why        string    // of a refusal
}

// A Heard is a party with all of its packets that left.
type Heard struct {
	Name    string
	Voice   Voice
	Leg     int      // its recording session, from 1
	Line    int      // its m-line there, from 0
	IDs     []string // by which metadata and commands named it
	Packets []src.Sent
}

// A Played is a scenario that was played.
type Played struct {
	Scenario  scenario.Scenario
	Dialect   Dialect
	Transport string // of SIP, and that RTP was protected
	CallID    string
	Moments   []Moment
	Parties   []Heard
	Tries     int // calls that were begun until the draw fell on the side of the scenario
}

// Play plays a scenario. Number is that of the call in its voices, below 2^20 and
// different for all calls that one server takes. An error says that the server did not
// answer, or refused what is no command.
func (p *Player) Play(ctx context.Context, s scenario.Scenario, number int) (*Played, error) {
	if why := Excluded(s, p.Dialect); why != "" {
		return nil, fmt.Errorf("scenario %s cannot be played: %s", s.ID, why)
	}
	for try := 1; ; try++ {
		played, err := p.try(ctx, s, number)
		if errors.Is(err, errDraw) && try < maxTries {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("scenario %s: %w", s.ID, err)
		}
		played.Tries = try
		return played, nil
	}
}

func (p *Player) try(ctx context.Context, s scenario.Scenario, number int) (played *Played, err error) {
	client, err := src.New(ctx, p.SRC)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	c, err := observe.NewCode(src.PCMU())
	if err != nil {
		return nil, err
	}
	dialect := p.dialect()
	f := &performance{Player: p, code: c, client: client, number: number}
	f.call = newCall(s, dialect, p.Suite, client.IDs(), time.Now())
	f.call.mixed = p.Mixed
	f.played = &Played{Scenario: s, Dialect: dialect, Transport: p.transport()}
	var stop context.CancelFunc
	f.playing, stop = context.WithCancel(ctx)
	defer f.voices.Wait()
	defer stop()
	for i, m := range moments(s) {
		if i > 0 {
			if err := wait(ctx, p.gap()); err != nil {
				return nil, err
			}
		}
		if err := f.moment(ctx, m); err != nil {
			return nil, err
		}
	}
	stop()
	f.voices.Wait()
	f.listen()
	return f.played, errors.Join(f.troubles...)
}

// transport names SIP and RTP for the table.
func (p *Player) transport() string {
	name := strings.ToUpper(p.SRC.Transport)
	if name == "" {
		name = "UDP"
	}
	if p.Suite != "" {
		name += "+SRTP"
	}
	return name
}

func (p *Player) dialect() Dialect { return cmp.Or(p.Dialect, Standard) }

func (p *Player) gap() time.Duration {
	if p.Gap == 0 {
		return 400 * time.Millisecond
	}
	return p.Gap
}

// wait lets audio flow for a time.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
