package siprec

import (
	"context"

	"github.com/siprecd/siprecd/siprec/media"
)

// A RecordingSession is one recording session (RFC 7866 section 3): one SIP
// dialog with an SRC and its recorded streams. Its methods are for the goroutine
// that runs ServeRecording, except End.
type RecordingSession struct{}

// CallID is the Call-ID of the dialog. It comes from the wire.
func (rs *RecordingSession) CallID() string { return "" }

// SRC is the configured client that asked, Origin where the request came from.
func (rs *RecordingSession) SRC() SRC { return SRC{} }

// Origin is where the INVITE came from.
func (rs *RecordingSession) Origin() Origin { return Origin{} }

// From and To are the URIs of the dialog; From names the SRC, not a recorded
// party (RFC 7866 §6.1.1).
func (rs *RecordingSession) From() string { return "" }

// To is the URI of the To header field.
func (rs *RecordingSession) To() string { return "" }

// UserAgent is the SRC's User-Agent header field.
func (rs *RecordingSession) UserAgent() string { return "" }

// Next answers the event before, if that is still open, and waits for the next.
// After Ended it returns io.EOF. When ctx is done the recording session is ended
// with reason EndShutdown, and Next returns that event.
func (rs *RecordingSession) Next(ctx context.Context) (*Event, error) { return nil, nil }

// Attach gives the packets of a stream to a sink from now on; nil takes it away.
func (rs *RecordingSession) Attach(index int, sink media.Sink) {}

// Stats returns what was counted on a stream.
func (rs *RecordingSession) Stats(index int) media.Stats { return media.Stats{} }

// Drain reads all that has reached the ports by now and closes them: when it
// returns, every packet that arrived before the call was given to its sink, and
// no further one will be.
func (rs *RecordingSession) Drain() {}

// Held tells the recording session whether its participants are known to be
// silent by hold, from metadata: a held one is not taken for vanished.
func (rs *RecordingSession) Held(held bool) {}

// End sends BYE. An Ended event follows. It may be called from any goroutine.
func (rs *RecordingSession) End() {}
