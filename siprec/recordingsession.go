package siprec

import (
	"context"
	"io"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"github.com/siprecd/siprecd/siprec/internal/front"
	"github.com/siprecd/siprecd/siprec/media"
)

// A RecordingSession is one recording session (RFC 7866 section 3): one SIP
// dialog with an SRC and its recorded streams. Its methods are for the goroutine
// that runs ServeRecording, except End.
//
// That goroutine owns the dialog too: its requests are judged and answered, in
// the order in which they arrived, while Next waits.
type RecordingSession struct {
	server    *Server
	log       *zap.Logger
	src       SRC
	origin    Origin
	callID    string
	localTag  string
	remoteTag string
	inviteKey string
	userAgent string
	started   time.Time
	inbox     *inbox
	way       atomic.Pointer[front.Flow] // of its last message, for any goroutine

	// What follows belongs to the goroutine of ServeRecording.
	first      *Event  // the Offered event, until Next gives it
	pending    *handed // the event that Next gave last and its request
	media      negotiator
	next       *agreement // of the pending event; nil when it brought no offer
	peerCSeq   uint32
	localCSeq  uint32
	target     sip.Uri // where requests of ours go
	noContact  bool    // the target is made of where the SRC was heard
	localURI   sip.Uri // To of the INVITE
	requestURI sip.Uri
	remoteURI  sip.Uri // From of the INVITE
	routes     []string
	routePort  int         // of the first route; 0 when it names none
	flow       *front.Flow // of the last request
	heard      time.Time   // arrival of the last SIP message
	held       bool
	told       []Header // of the last request that told something
	probing    bool     // an OPTIONS of ours is out
	ticker     Timer
	confirmed  bool   // the initial INVITE got its 200
	branch     string // of the last request that was taken
	again      bool   // another process had it before
	unproven   bool   // and since then the SRC gave no sign
	save       func(state []byte)
	waits      bool    // the state that was kept has an answer without ACK
	handler    Handler // in place of that of the server; may be nil
	ended      bool
	failed     bool // the handler panicked
	initiated  bool // by an INVITE of ours (RFC 7866 §6.2)
	// unconfirmed is that INVITE while its 2xx has no ACK.
	unconfirmed *initiation
	updates     bool // the SRC takes UPDATE

	offering     bool       // an offer of ours in a 200 waits for its answer in an ACK
	offeringCSeq uint32     // of that INVITE
	proposed     *agreement // that offer, when there is an agreement before it
	paused       map[int]bool
	wishes       wishes
	undertaking  *undertaking
	collisions   int
	backoff      Timer // runs after a request of ours met one of the SRC
	life         lifetime

	mu          sync.Mutex
	ack         *awaitedAck  // the 200 to an INVITE that no ACK came for yet
	provisional *provisional // the 180 that no PRACK came for yet
	open        openRequests
}

// handed is an event that was handed out and not answered yet.
type handed struct {
	event *Event
	req   *request // nil when no request is behind it
}

func (rs *RecordingSession) key() dialogKey { return dialogKey{rs.callID, rs.localTag} }

// CallID is the Call-ID of the dialog. It comes from the wire.
func (rs *RecordingSession) CallID() string { return rs.callID }

// SRC is the configured client that asked.
func (rs *RecordingSession) SRC() SRC { return rs.src }

// Origin is where the INVITE came from.
func (rs *RecordingSession) Origin() Origin { return rs.origin }

// From is the URI of the From header field of the INVITE. It names the SRC, not
// a recorded party (RFC 7866 §6.1.1).
func (rs *RecordingSession) From() string { return rs.remoteURI.String() }

// To is the URI of the To header field of the INVITE.
func (rs *RecordingSession) To() string { return rs.localURI.String() }

// RequestURI is the Request-URI of the INVITE.
func (rs *RecordingSession) RequestURI() string { return rs.requestURI.String() }

// UserAgent is the SRC's User-Agent header field.
func (rs *RecordingSession) UserAgent() string { return rs.userAgent }

// Next answers the event before, if that is still open, and waits for the next.
// After Ended it returns io.EOF. When ctx is done the recording session is ended
// with reason EndShutdown, and Next returns that event.
func (rs *RecordingSession) Next(ctx context.Context) (*Event, error) {
	if ev := rs.first; ev != nil {
		rs.first = nil
		return ev, nil
	}
	rs.settle()
	for !rs.ended {
		rs.forgetAnswered()
		rs.undertake()
		item, ok := rs.inbox.pop(ctx)
		if !ok {
			item = endNote{EndShutdown}
		}
		if ev := rs.step(item); ev != nil {
			return ev, nil
		}
	}
	return nil, io.EOF
}

// step does what one item of the inbox asks for; it returns an event when that
// concerns the handler.
func (rs *RecordingSession) step(item any) *Event {
	switch it := item.(type) {
	case *request:
		return rs.serve(it)
	case ackNote:
		return rs.serveAck(it)
	case endNote:
		if it.reason == EndLocal && rs.postpone(it) {
			return nil
		}
		return rs.giveUp(it.reason, rs.server.cfg.Clock.Now())
	case laterNote:
		it.do()
	case tickNote:
		rs.watch()
	case probeNote:
		return rs.probed(it)
	case answeredNote:
		return rs.answered(it)
	case againNote:
		rs.backoff = nil
	case refreshNote:
		rs.wishes.refresh = rs.wishes.refresh || it.generation == rs.life.generation
	case expireNote:
		if it.generation == rs.life.generation {
			return rs.expired()
		}
	case noPrackNote:
		if rs.hangUp(504, "no PRACK came") {
			return rs.end(EndNoPrack, rs.server.cfg.Clock.Now())
		}
	case cancelNote:
		if !it.again && rs.hangUp(487, "") {
			return rs.end(EndCancel, rs.server.cfg.Clock.Now())
		}
	}
	return nil
}

// settle accepts the event that Next gave last, if its handler did not answer.
func (rs *RecordingSession) settle() {
	if rs.pending != nil {
		rs.pending.event.Accept()
		rs.pending = nil
	}
}

// Attach gives the packets of a stream to a sink from now on; nil takes it away.
func (rs *RecordingSession) Attach(index int, sink media.Sink) {
	if r := rs.receiver(index); r != nil {
		r.Attach(sink)
	}
}

// Stats returns what was counted on a stream.
func (rs *RecordingSession) Stats(index int) media.Stats {
	if r := rs.receiver(index); r != nil {
		return r.Stats()
	}
	return media.Stats{}
}

// Contributors are the sources that a stream is said to be mixed of.
func (rs *RecordingSession) Contributors(index int) []media.Contributor {
	if r := rs.receiver(index); r != nil {
		return r.Contributors()
	}
	return nil
}

// Sources are the SSRCs of a stream, in the order in which they came.
func (rs *RecordingSession) Sources(index int) []media.Source {
	if r := rs.receiver(index); r != nil {
		return r.Sources()
	}
	return nil
}

// receiver is the receiver of an m-line as the present event has it.
func (rs *RecordingSession) receiver(index int) *media.Receiver {
	a := rs.media.now
	if rs.next != nil {
		a = rs.next
	}
	if a == nil || index < 0 || index >= len(a.slots) {
		return nil
	}
	return a.slots[index].recv
}

// Drain reads all that has reached the ports by now and closes them: when it
// returns, every packet that arrived before the call was given to its sink, and
// no further one will be.
func (rs *RecordingSession) Drain() { rs.media.close() }

// Held tells the recording session whether its participants are known to be
// silent by hold, from metadata: a held one is not taken for vanished.
func (rs *RecordingSession) Held(held bool) { rs.held = held }

// End sends BYE, once the ACK of the last INVITE has come (RFC 3261 §15). An
// Ended event follows. It may be called from any goroutine.
func (rs *RecordingSession) End() { rs.inbox.post(endNote{EndLocal}) }

// Later has a function called by the goroutine that calls Next, before the next event:
// so somebody else can have [RecordingSession.Pause] and the like done, which are for that
// goroutine alone. What they ask of the SRC is asked then. It may be called from any
// goroutine; after the end the function is not called.
func (rs *RecordingSession) Later(f func()) { rs.inbox.post(laterNote{f}) }

// A laterNote is something to be done between two events.
type laterNote struct{ do func() }

// An endNote asks for the end of the recording session.
type endNote struct{ reason EndReason }

// run is the life of a recording session.
func (rs *RecordingSession) run(begin func() bool) {
	defer rs.server.handlers.Done()
	defer rs.release()
	defer func() {
		if p := recover(); p != nil {
			rs.failed = true
			rs.log.Error("handler failed", zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
		}
	}()
	if !begin() {
		return
	}
	h := rs.server.cfg.Handler
	if rs.handler != nil {
		h = rs.handler
	}
	h.ServeRecording(context.Background(), rs)
	rs.settle()
}

// end makes the last event.
func (rs *RecordingSession) end(reason EndReason, at time.Time) *Event {
	rs.ended = true
	rs.hangUp(487, "")
	rs.stopTimers()
	rs.turnAway() // not only when the handler returns: that may take its time
	rs.log.Debug("recording session ended", zap.String("reason", string(reason)))
	ev := &Event{Kind: Ended, At: at, Reason: reason}
	if rs.media.now != nil {
		ev.Streams = rs.media.now.streams()
	}
	rs.pending = &handed{event: ev}
	return ev
}

// release gives back all that the recording session has, also when its handler
// returned early or panicked.
func (rs *RecordingSession) release() {
	if rs.unconfirmed != nil {
		rs.conclusion(500)
	}
	if rs.next != nil {
		rs.media.undo(rs.next)
	}
	rs.hangUp(500, "the recording server failed")
	rs.takeProvisional()
	if rs.pending != nil && rs.pending.req != nil && rs.pending.req.finalStatus() == 0 {
		rs.abandon(rs.pending.req)
	}
	if !rs.ended {
		reason := EndLocal
		if rs.failed {
			reason = EndFailed
		}
		rs.sendBye(reason)
	}
	rs.stopTimers()
	rs.media.close()
	rs.turnAway()
	rs.server.forget(rs)
}

// turnAway lets no further request in and answers those that wait.
func (rs *RecordingSession) turnAway() {
	for _, item := range rs.inbox.close() {
		if r, ok := item.(*request); ok {
			rs.server.answerLate(r)
		}
	}
}

// abandon answers a request that the handler left open when it failed.
func (rs *RecordingSession) abandon(r *request) {
	if r.method() == sip.BYE {
		rs.answerOK(r, nil, nil)
		return
	}
	rs.server.refuse(r, rs.localTag, refuse(500, "the recording server failed"))
}
