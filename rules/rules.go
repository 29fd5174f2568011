// Package rules decides, for every stream at every moment, whether audio may be
// kept, and says why not. It is pure: no I/O, no clock, no goroutine. Time is a
// field of its events.
//
// A [Case] is one recording. It is fed with events in the order in which they
// were received and answers each with the decisions that changed:
//
//	c := rules.Open(rules.RecordAll(), id)
//	c.Apply(rules.Event{At: t0, Kind: rules.InteractionStarted})
//	for _, d := range c.Apply(rules.Event{At: t0, Kind: rules.StreamAdded, Stream: "0"}) {
//		fmt.Println(d) // record stream 0 from ...
//	}
//
// Why audio is withheld is a set of (cause, owner) pairs, never a flag: an event
// adds or removes exactly one pair, a stream is recorded while its set is empty,
// and there is no event that empties the set.
package rules

import "time"

// A RecordingID names one recording: what is decided, kept, searched for and
// erased as one.
type RecordingID string

// A StreamID names one stream within a recording.
type StreamID string

// A Permit is the leave to keep the audio of one stream in one recording, from an
// instant on and until another. Only a decision of this package makes one; the
// zero Permit covers nothing. That of the latest decision is open: the decision
// that withholds ends it. Those of a [Case.Timeline] end where the next begins.
type Permit struct {
	recording RecordingID
	stream    StreamID
	from      time.Time
	until     time.Time // zero while it is open
	policy    string
	valid     bool
}

// Recording is the recording the permit is for.
func (p Permit) Recording() RecordingID { return p.recording }

// Stream is the stream the permit is for.
func (p Permit) Stream() StreamID { return p.stream }

// From is the first instant that may be kept.
func (p Permit) From() time.Time { return p.from }

// Until is the first instant that may be kept no more; zero while it is open.
func (p Permit) Until() time.Time { return p.until }

// Policy is the version of the policy that allowed it.
func (p Permit) Policy() string { return p.policy }

// Covers reports whether the permit is for this stream of this recording and for
// that instant.
func (p Permit) Covers(r RecordingID, s StreamID, at time.Time) bool {
	return p.valid && p.recording == r && p.stream == s && !at.Before(p.from) && (p.until.IsZero() || at.Before(p.until))
}
