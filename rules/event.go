package rules

import (
	"strconv"
	"time"
)

// A Kind says what an event is about.
type Kind int

// The kinds of events.
const (
	// InteractionStarted lets the policy decide; before it nothing is recorded.
	InteractionStarted Kind = iota + 1
	// StreamAdded makes a stream live.
	StreamAdded
	// StreamInactive: the SRC offered the stream as inactive, with c=0.0.0.0 or
	// with port 0 (RFC 7866 §7.1.1.1, RFC 3264 §8.4). It may come before
	// StreamAdded, so that a stream can be born withheld.
	StreamInactive
	// StreamActive takes back what the same owner said with StreamInactive, and
	// nothing else.
	StreamActive
	// StreamRemoved: the m-line is gone or has port 0 (RFC 3264 §8.2).
	StreamRemoved
	// InteractionEnded ends every stream for good.
	InteractionEnded
)

// String is the name of the kind as it is written to a journal.
func (k Kind) String() string {
	switch k {
	case InteractionStarted:
		return "interaction-started"
	case StreamAdded:
		return "stream-added"
	case StreamInactive:
		return "stream-inactive"
	case StreamActive:
		return "stream-active"
	case StreamRemoved:
		return "stream-removed"
	case InteractionEnded:
		return "interaction-ended"
	default:
		return "kind-" + strconv.Itoa(int(k))
	}
}

// An Event is one thing that happened to an interaction.
type Event struct {
	At   time.Time // instant at which it holds
	Kind Kind
	// Stream is the stream it is about; not used by the Interaction kinds.
	Stream StreamID
	// Owner is who says so, for StreamInactive and StreamActive. Two owners of
	// one cause are two pairs: neither can take back what the other said.
	Owner string
}
