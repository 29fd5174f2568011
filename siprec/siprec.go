// Package siprec is a Session Recording Server endpoint (RFC 7866): it owns
// SIP, SDP and RTP and calls one [Handler] for each recording session, as
// net/http calls one for each request.
//
// It hands metadata (RFC 7865) on as bytes and does not read them, and it
// decides nothing about what may be recorded.
package siprec

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/siprecd/siprecd/siprec/internal/sdp"
)

// A Handler serves one recording session. ServeRecording is called in a
// goroutine of its own when a recording session was requested and admitted,
// and before it is answered. It reads events with [RecordingSession.Next] until
// that returns io.EOF; the recording session's ports are closed when it returns.
type Handler interface {
	ServeRecording(ctx context.Context, rs *RecordingSession)
}

// HandlerFunc is a function as a Handler.
type HandlerFunc func(ctx context.Context, rs *RecordingSession)

// ServeRecording calls f.
func (f HandlerFunc) ServeRecording(ctx context.Context, rs *RecordingSession) { f(ctx, rs) }

// EventKind says what happened to a recording session.
type EventKind int

const (
	// Offered: the INVITE that opens the recording session. Its streams are
	// already bound to ports; nothing was answered yet.
	Offered EventKind = iota + 1
	// Changed: a re-INVITE, UPDATE or INFO that brought an offer, metadata or
	// other body parts.
	Changed
	// Resumed: another process had this recording session, and this one goes on with
	// it ([Server.Resume]). It comes first, in place of Offered. Streams is as the last
	// offer and answer left it.
	Resumed
	// Ended: nothing more comes. BYE, a vanished SRC, a missing ACK, CANCEL or
	// the server's own end.
	Ended
)

// EndReason says why a recording session ended.
type EndReason string

// The reasons.
const (
	EndBye      EndReason = "bye"       // BYE from the SRC (RFC 3261 §15)
	EndCancel   EndReason = "cancel"    // CANCEL before the answer (RFC 3261 §9)
	EndRejected EndReason = "rejected"  // the handler refused the INVITE
	EndNoAck    EndReason = "no-ack"    // no ACK within 64*T1 (RFC 3261 §13.3.1.4)
	EndVanished EndReason = "vanished"  // neither RTP nor SIP for the configured time
	EndGone     EndReason = "gone"      // the SRC answered 481 or 408 to a request of ours, or not at all
	EndExpired  EndReason = "expired"   // nobody refreshed it in time (RFC 4028 §10)
	EndNoPrack  EndReason = "no-prack"  // no PRACK within 64*T1 (RFC 3262 §3)
	EndNoAnswer EndReason = "no-answer" // the answer to an offer of ours cannot be taken (RFC 3264 §6), or did not come
	EndShutdown EndReason = "shutdown"  // the server is stopping
	EndLocal    EndReason = "local"     // the handler called End
	EndFailed   EndReason = "failed"    // the handler panicked; only the SRC is told
)

// An Event is one step of a recording session, in the order of arrival. The
// request behind it is answered by Accept or Reject, or by the next call of
// Next, which accepts.
type Event struct {
	Kind   EventKind
	At     time.Time // instant at which the message reached the server
	Method string    // SIP method; empty when no message caused the event
	CSeq   uint32

	// HasOffer says that Streams changed by an offer (or, for an offerless
	// INVITE, by the answer in the ACK).
	HasOffer bool
	// Streams is every m-line of the recording session after this event, in
	// the order of the SDP.
	Streams []Stream
	// Metadata holds the parts of type application/rs-metadata[+xml], as sent.
	Metadata [][]byte
	// Parts holds all other parts except SDP.
	Parts []Part
	// Headers are the header fields of the request, in order.
	Headers []Header
	// Evidence is set on Offered: why the INVITE is taken for a recording
	// session (RFC 7866 §6.2), in words.
	Evidence string
	// Reason is set on Ended.
	Reason EndReason
	// Oddities are deviations from the standards that were tolerated.
	Oddities []string

	reply    func(status int, warning string)
	warnings []string
}

// Accept lets the request be answered with 200. It does nothing when the event
// was answered already or needs no answer.
func (ev *Event) Accept() {
	if ev.reply != nil {
		ev.reply(200, "")
		ev.reply = nil
	}
}

// Warn puts a Warning header field with a text into the 200 that accepts the request
// (RFC 3261 §20.43): what could not be made use of in it. At most 128 octets of the text
// are sent; after the answer it does nothing.
func (ev *Event) Warn(text string) { ev.warnings = append(ev.warnings, shortened(text)) }

// Reject lets the request be answered with a status of 300 or above and a
// Warning header field with the given text (RFC 3261 §20.43).
func (ev *Event) Reject(status int, warning string) {
	if ev.reply != nil {
		ev.reply(status, warning)
		ev.reply = nil
	}
}

// Header returns the values of the header fields of that name, without case.
func (ev *Event) Header(name string) []string { return headerValues(ev.Headers, name) }

// A Header is one SIP header field.
type Header struct{ Name, Value string }

// A Part is one body part (RFC 2046, RFC 5621).
type Part struct {
	Type        string // media type in lower case without parameters
	Disposition string // Content-Disposition in lower case without parameters
	Headers     []Header
	Body        []byte
}

// Direction is the direction attribute of an offered m-line, from the SRC's
// point of view (RFC 3264 section 5.1). Absent is SendRecv.
type Direction string

// The directions.
const (
	SendRecv Direction = "sendrecv"
	SendOnly Direction = "sendonly"
	RecvOnly Direction = "recvonly"
	Inactive Direction = "inactive"
)

// A Codec is one negotiated format of a stream.
type Codec struct {
	PayloadType uint8
	Name        string // encoding name in upper case: PCMU, PCMA, G722, OPUS ...
	ClockRate   int    // Hz, of the RTP timestamp (RFC 3551: 8000 for G722)
	Channels    int    // 1 or more
	Params      string // a=fmtp, as sent
}

// A Stream is one m-line of a recording session, a recorded stream of RFC 7866,
// as the last offer and answer left it.
type Stream struct {
	Index int    // place of the m-line in the SDP, from 0
	Label string // a=label (RFC 4574), exactly as sent; may be empty
	// Generation rises when an m-line slot is used again for another stream
	// (RFC 3264 section 8.1): a stream is its Index and its Generation.
	Generation int
	Media      string    // audio, video, text, ...
	Direction  Direction // what the SRC offered
	// Receiving says that the SRC may send and that we take it: the answer was
	// recvonly. It is false for inactive, c=0.0.0.0, port 0 and media that is
	// not recorded.
	Receiving bool
	// Recordable says that this is RTP audio with at least one known format.
	Recordable bool
	// Closed says that the m-line has port 0.
	Closed bool
	Codecs []Codec       // answered formats, telephone-event and CN included
	Ptime  time.Duration // a=ptime; 0 when absent
	// SRTP is the crypto-suite in force (RFC 4568 §6.2); empty for plain RTP, and for
	// SRTP that does not encrypt (UNENCRYPTED_SRTP).
	SRTP    string
	Content string // a=content as sent (RFC 4796); empty when absent
	// Refusal says why the m-line was answered with port 0; empty when it was not,
	// or was offered so.
	Refusal string
	// Local is where we receive, Remote where the SDP says that the SRC sends
	// from; Remote is invalid when unknown.
	Local, Remote netip.AddrPort
}

// An Origin is where a request came from.
type Origin struct {
	Transport string // UDP, TCP or TLS
	Source    netip.AddrPort
	Local     netip.AddrPort
	Listener  string // name of the Endpoint; empty when it has none
	// Certificate holds the names of the verified certificate of the SRC: its common
	// name, then its DNS and URI names. Empty without one.
	Certificate []string
}

// An SRC is a Session Recording Client as it is configured.
type SRC struct {
	// Name is its name in logs, and who it is: a request within a dialog is taken from
	// the SRC of the name that opened the dialog.
	Name string
	// Cluster is what several SRCs are together: each may send requests within the
	// dialogs of the others. Empty is none.
	Cluster string
	// PlainInvite lets an INVITE without any evidence of RFC 7866 open a
	// recording session.
	PlainInvite bool
	// Strict asks for both marks of RFC 7866 §6.2, +sip.src and siprec in Require;
	// else any evidence is enough.
	Strict bool
	// RequireTLS refuses it with 403 over UDP and TCP, for what it says of people
	// (RFC 7866 §12.3).
	RequireTLS bool
	// MaxRecordingSessions is how many of its recording sessions may be up at once;
	// one more is answered 503. 0 is no limit but that of the server.
	MaxRecordingSessions int
	// MaxStreams is how many streams with ports all of its recording sessions may have
	// at once. An offer of more is answered 503, or 488 when it alone has too many. 0 is
	// no limit but the ports there are.
	MaxStreams int
	// InvitesPerSecond is how many recording sessions it may ask for in a second; a
	// further INVITE is answered 503. 0 is no limit.
	InvitesPerSecond float64
	// Digest, when set, asks it for a password (RFC 3261 §22).
	Digest *Digest
	// MediaNetworks are further networks its RTP may come from.
	MediaNetworks []netip.Prefix

	SRTP SRTPPolicy
	// SRTPSuites are the crypto-suites that are accepted, by their registered names
	// and the preferred first (RFC 4568 §6.2, RFC 7714 §14.2); nil means all of
	// SRTPSuites().
	SRTPSuites []string
	// Codecs are the encoding names that come first in answers, in this order; they
	// exclude none.
	Codecs []string
	// RefuseUnrecorded answers media that is not recorded with port 0 instead of a
	// bound port and a=inactive.
	RefuseUnrecorded bool
	// SessionTimer is how session timers are agreed with it (RFC 4028).
	SessionTimer SessionTimer
	// AnswerDelay is how long after an INVITE its 200 leaves at the earliest, unless
	// the SRC goes on before: a BYE or CANCEL is served at once, and what it asks for
	// by INFO or UPDATE is not kept waiting.
	AnswerDelay time.Duration
	// EnforceAtSource lets the handler ask the SRC, by re-INVITE, to send nothing
	// while nothing may be kept ([RecordingSession.Pause]). Packets are withheld
	// whether it obeys or not.
	EnforceAtSource bool
}

// A SessionTimer is how the session timer of a dialog is agreed with an SRC (RFC 4028).
// The zero value agrees to what the SRC asks for, from 90 s, and asks for none itself.
type SessionTimer struct {
	// Off agrees to none, unless the SRC requires it.
	Off bool
	// Minimum is the least interval that an SRC may ask for, our Min-SE (§5). Below it
	// the answer is 422; an SRC that does not know of timers could not ask again, and
	// gets what a proxy asked for, from 90 s (§9). What is less than 90 s is 90 s.
	Minimum time.Duration
	// Interval, when not 0, is asked of an SRC that asks for none, and is the longest
	// that is agreed to, unless the SRC has a longer Min-SE. It is at least Minimum.
	Interval time.Duration
}

// An SRTPPolicy says what becomes of SRTP and of plain RTP (RFC 7866 §12.2). Empty
// is SRTPPreferred.
type SRTPPolicy string

// The policies.
const (
	SRTPPreferred SRTPPolicy = "preferred" // SRTP where it is offered, plain RTP too
	SRTPRequired  SRTPPolicy = "required"  // streams without SRTP, or not encrypted by it, are refused
	SRTPOff       SRTPPolicy = "off"       // SRTP is refused
)

// SRTPSuites are the crypto-suites that are understood, the preferred first.
func SRTPSuites() []string {
	var names []string
	for _, s := range sdp.DefaultSuites() {
		names = append(names, string(s))
	}
	return names
}

// Codecs are the encoding names that SRC.Codecs may be expected to hold, in upper
// case (RFC 3551, RFC 4855). They are compared without case.
func Codecs() []string { return sdp.AudioNames() }

// terms is what an SRC's profile means for its offers.
func (s *SRC) terms() sdp.Terms {
	t := sdp.Terms{RefuseUnrecorded: s.RefuseUnrecorded}
	switch s.SRTP {
	case SRTPRequired:
		t.SRTP = sdp.RequireSRTP
	case SRTPOff:
		t.SRTP = sdp.NoSRTP
	}
	for _, name := range s.SRTPSuites {
		t.Suites = append(t.Suites, sdp.Suite(strings.ToUpper(name)))
	}
	for _, name := range s.Codecs {
		t.Codecs = append(t.Codecs, strings.ToUpper(name))
	}
	return t
}

func headerValues(hs []Header, name string) []string {
	var out []string
	for _, h := range hs {
		if equalFold(h.Name, name) {
			out = append(out, h.Value)
		}
	}
	return out
}

func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		x, y := a[i], b[i]
		if 'A' <= x && x <= 'Z' {
			x += 'a' - 'A'
		}
		if 'A' <= y && y <= 'Z' {
			y += 'a' - 'A'
		}
		if x != y {
			return false
		}
	}
	return true
}
