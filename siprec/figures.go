package siprec

import (
	"maps"
	"sync"

	"github.com/emiago/sipgo/sip"
)

// Figures are what a [Server] has counted since it was made.
type Figures struct {
	Up int // recording sessions, as [Server.Up]
	// Accepted are the initial INVITEs that were answered 200, by [SRC.Name].
	Accepted map[string]uint64
	// Refused are those that were answered otherwise. One of an address that is no
	// SRC counts each time it comes.
	Refused map[Refusal]uint64
}

// A Refusal is how an initial INVITE was refused.
type Refusal struct {
	Status int // of the response (RFC 3261 §21), 300 to 699
	Reason RefusalReason
}

// A RefusalReason is why an initial INVITE was refused, in a word.
type RefusalReason string

// The reasons.
const (
	RefusedStranger     RefusalReason = "stranger"     // of an address that is no SRC
	RefusedChallenged   RefusalReason = "challenged"   // a first challenge, as usual (RFC 3261 §22)
	RefusedCredentials  RefusalReason = "credentials"  // wrong ones
	RefusedForbidden    RefusalReason = "forbidden"    // not a recording session, or not what this SRC may
	RefusedMalformed    RefusalReason = "malformed"    // 400
	RefusedUnsupported  RefusalReason = "unsupported"  // a body or an extension that is not understood
	RefusedUnacceptable RefusalReason = "unacceptable" // nothing of the offer can be received
	RefusedCancelled    RefusalReason = "cancelled"    // by the SRC
	RefusedFull         RefusalReason = "full"         // as many recording sessions as there may be
	RefusedLimit        RefusalReason = "client-limit" // more than this SRC may have, at a time or in a second
	RefusedStopping     RefusalReason = "stopping"     // the server is
	RefusedPorts        RefusalReason = "no-ports"     // none are free
	RefusedUnavailable  RefusalReason = "unavailable"  // no room on disk, or the recorder cannot record now
	RefusedOther        RefusalReason = "other"        // none of these
)

// because says why in a word, where the status does not.
func (r *refusal) because(reason RefusalReason) *refusal {
	r.reason = reason
	return r
}

// why is the reason in a word.
func (r *refusal) why() RefusalReason {
	if r.reason != "" {
		return r.reason
	}
	switch r.status {
	case 400:
		return RefusedMalformed
	case 401:
		if r.usual {
			return RefusedChallenged
		}
		return RefusedCredentials
	case 403:
		return RefusedForbidden
	case 415, 420:
		return RefusedUnsupported
	case 422, 488:
		return RefusedUnacceptable
	case 487:
		return RefusedCancelled
	case 302, 503:
		return RefusedUnavailable
	}
	return RefusedOther
}

// inviteCounts are what becomes of initial INVITEs.
type inviteCounts struct {
	mu       sync.Mutex
	accepted map[string]uint64
	refused  map[Refusal]uint64
}

func newInviteCounts() *inviteCounts {
	return &inviteCounts{accepted: make(map[string]uint64), refused: make(map[Refusal]uint64)}
}

func (c *inviteCounts) accept(src string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.accepted[src]++
}

// refuse counts the refusal of a request if that is an initial INVITE.
func (c *inviteCounts) refuse(r *request, ref *refusal) {
	if r.method() != sip.INVITE || toTag(r.Request) != "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused[Refusal{ref.status, ref.why()}]++
}

// Figures are what was counted until now. They may be asked for at any time.
func (s *Server) Figures() Figures {
	f := Figures{Up: s.Up()}
	s.counts.mu.Lock()
	defer s.counts.mu.Unlock()
	f.Accepted, f.Refused = maps.Clone(s.counts.accepted), maps.Clone(s.counts.refused)
	return f
}
