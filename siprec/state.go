package siprec

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/siprecd/siprecd/siprec/internal/sdp"
	"github.com/siprecd/siprecd/siprec/media"
)

// stateVersion is that of the form of a [state].
const stateVersion = 1

// A state is all that another process has to know of a dialog to go on with it
// (RFC 3261 §12), and of its offer and answer (RFC 3264).
type state struct {
	Version   int
	CallID    string
	LocalTag  string
	RemoteTag string
	InviteKey string
	UserAgent string
	SRC       string // its name
	Initiated bool
	Started   time.Time
	Origin    Origin
	Flow      way
	Heard     time.Time

	PeerCSeq, LocalCSeq uint32
	Branch              string // of the last request of the SRC that was taken
	Target              string
	LocalURI            string
	RemoteURI           string
	RequestURI          string
	NoContact           bool
	Routes              []string
	Updates             bool
	Told                []Header
	Paused              []int
	Reoffer             bool // the SRC was not told of it yet

	Interval  time.Duration // of the session timer; 0 without
	Ours      bool
	Refreshed time.Time

	Offering     bool // the answer to our offer comes in the ACK of this INVITE
	OfferingCSeq uint32
	Unconfirmed  *unconfirmed

	Media agreed
}

// A way is a flow, whose socket or connection another process does not have.
type way struct {
	Network       string
	Remote, Local netip.AddrPort
	Names         []string // of the certificate of the peer
}

// An unconfirmed is the 200 to an INVITE whose ACK was not seen.
type unconfirmed struct {
	CSeq     uint32
	Response string
	Until    time.Time
}

// An agreed is an agreement that is in force.
type agreed struct {
	Origin, Number uint64 // of the o= line: sess-id and sess-version
	Body           []byte
	Slots, Gone    []agreedSlot
}

// An agreedSlot is a slot, without its ports but with their numbers.
type agreedSlot struct {
	Stream   Stream
	Answer   sdp.Slot
	Open     bool
	Expected media.Expected
	Rollover uint32
}

// Keep has save called with the state of the recording session whenever that changed:
// before an answer leaves that the SRC will rely on, and after one to a request of
// ours. [Server.Resume] takes it, in another process too. It holds the keys of SRTP.
// save is called by the goroutine of ServeRecording, and not any more once the
// recording session has ended; nil ends it. When there is a state already, save is
// called at once.
func (rs *RecordingSession) Keep(save func(state []byte)) {
	rs.save = save
	if rs.confirmed {
		rs.changed()
	}
}

// changed hands the state on.
func (rs *RecordingSession) changed() {
	if rs.save == nil || rs.ended || rs.media.now == nil {
		return
	}
	b, err := json.Marshal(rs.state())
	if err != nil {
		// No field can fail.
		panic(fmt.Sprintf("siprec: state of a dialog: %v", err))
	}
	rs.save(b)
}

func (rs *RecordingSession) state() *state {
	st := &state{
		Version: stateVersion, CallID: rs.callID, LocalTag: rs.localTag, RemoteTag: rs.remoteTag, InviteKey: rs.inviteKey,
		UserAgent: rs.userAgent, SRC: rs.src.Name, Initiated: rs.initiated, Started: rs.started, Origin: rs.origin, Heard: rs.heard,
		Flow:     way{rs.flow.Network(), rs.flow.Remote(), rs.flow.Local(), rs.flow.Names()},
		PeerCSeq: rs.peerCSeq, LocalCSeq: rs.localCSeq, Branch: rs.branch,
		Target: rs.target.String(), LocalURI: rs.localURI.String(), RemoteURI: rs.remoteURI.String(), RequestURI: rs.requestURI.String(),
		NoContact: rs.noContact, Routes: rs.routes, Updates: rs.updates, Told: rs.told,
		Reoffer:  rs.wishes.reoffer || rs.undertaking != nil && rs.undertaking.wishes.reoffer,
		Interval: rs.life.interval, Ours: rs.life.ours, Refreshed: rs.life.since,
		Offering: rs.offering && rs.proposed == nil, OfferingCSeq: rs.offeringCSeq,
		Media: rs.media.agreed(),
	}
	for i := range rs.paused {
		st.Paused = append(st.Paused, i)
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.waits = rs.ack != nil
	if a := rs.ack; a != nil {
		st.Unconfirmed = &unconfirmed{a.cseq, a.res.String(), a.deadline}
	}
	return st
}

func (n *negotiator) agreed() agreed {
	now := n.now
	out := agreed{Origin: n.origin, Number: now.version, Body: now.body}
	for _, sl := range now.slots {
		out.Slots = append(out.Slots, sl.agreed())
	}
	for _, sl := range now.gone {
		out.Gone = append(out.Gone, sl.agreed())
	}
	return out
}

func (sl *slot) agreed() agreedSlot {
	out := agreedSlot{Stream: sl.stream, Answer: sl.answer, Open: sl.recv != nil, Expected: sl.expected}
	if sl.recv != nil {
		out.Rollover = sl.recv.Rollover()
	}
	return out
}

// readState reads what another process handed on.
func readState(b []byte) (*state, error) {
	var st state
	if err := json.Unmarshal(b, &st); err != nil {
		return nil, fmt.Errorf("state of a dialog: %w", err)
	}
	if st.Version != stateVersion {
		return nil, fmt.Errorf("state of a dialog: version %d is not known", st.Version)
	}
	if st.CallID == "" || st.LocalTag == "" || len(st.Media.Slots) > maxStreams*8 {
		return nil, fmt.Errorf("state of a dialog: no dialog")
	}
	return &st, nil
}

// uris reads the URIs of a state into a recording session.
func (st *state) uris(rs *RecordingSession) error {
	for _, u := range []struct {
		text string
		to   *sip.Uri
	}{{st.Target, &rs.target}, {st.LocalURI, &rs.localURI}, {st.RemoteURI, &rs.remoteURI}, {st.RequestURI, &rs.requestURI}} {
		if err := sip.ParseUri(u.text, u.to); err != nil {
			return fmt.Errorf("state of a dialog: URI: %w", err)
		}
	}
	return nil
}
