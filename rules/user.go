package rules

import (
	"fmt"
	"time"
)

// userRecording is what one user records for himself: what he hears.
type userRecording struct {
	id      RecordingID
	maker   PartyID
	over    bool
	ledgers []*ledger // of the stream with the same index
}

// userCommand starts or stops a user recording. Each user makes one at a time.
func (c *Case) userCommand(ev *Event) (refused string) {
	m, running := c.on(ev.Party), c.running(ev.Party)
	if ev.Kind == UserRecordingStopped {
		if running == nil {
			return "records nothing"
		}
		c.stopUser(ev.Party)
		return ""
	}
	switch {
	case m == nil:
		return "is not on the call"
	case !m.internal():
		return "is none of the own people"
	case !m.among(c.flags.UserRecordings):
		return "may not make recordings"
	case !c.started || c.barred || c.forbidden:
		return "asks for a call that is never recorded"
	case c.asking() || c.consent == consentNo || c.withdrawn:
		return "has no consent of the caller"
	case running == nil:
		id := fmt.Sprintf("%s/user/%s/%d", c.recording, ev.Party, len(c.users))
		c.users = append(c.users, &userRecording{id: RecordingID(id), maker: ev.Party})
	}
	return ""
}

// stopUser ends what a user records: two recordings where he began one in each of two
// cases that were merged.
func (c *Case) stopUser(maker PartyID) {
	for _, u := range c.users {
		if u.maker == maker {
			u.over = true
		}
	}
}

func (c *Case) running(maker PartyID) *userRecording {
	for _, u := range c.users {
		if u.maker == maker && !u.over {
			return u
		}
	}
	return nil
}

// spares reports whether a cause is about the policy recording only.
func spares(cause Cause) bool {
	switch cause {
	case NoAgent, Stopped, InternalOnly, ConsultLeg:
		return true
	default:
		return false
	}
}

// applyUser decides every stream for a user recording.
func (c *Case) applyUser(out []Decision, u *userRecording, at time.Time) []Decision {
	for len(u.ledgers) < len(c.streams) {
		u.ledgers = append(u.ledgers, &ledger{})
	}
	unknown := c.rolesUnknown()
	for i, s := range c.streams {
		c.causes = c.causes[:0]
		for _, a := range c.pairs {
			if !spares(a.Cause) {
				c.causes = append(c.causes, a)
			}
		}
		for _, a := range s.causes {
			if !spares(a.Cause) {
				c.causes = append(c.causes, a)
			}
		}
		if u.over || !c.hears(u.maker, s) {
			since := at
			for _, a := range u.ledgers[i].last.Causes {
				if a.Owner == string(u.id) {
					since = a.Since
				}
			}
			c.causes = append(c.causes, ActiveCause{Cause: NotLive, Owner: string(u.id), Since: since, Flag: NotLive.flag()})
		}
		out = c.enter(out, u.ledgers[i], subject{stream: s.id, recording: u.id, maker: u.maker, at: at, unknown: unknown})
	}
	return out
}

// hears reports whether all whose voice a stream carries and who are on the call are in
// the bridge of the maker. One that nobody sends on for a while, since somebody is held,
// is still theirs.
func (c *Case) hears(maker PartyID, s *stream) bool {
	m := c.member(maker) // on the call: the recording is over when its maker leaves
	voices := s.voices()
	for _, id := range voices {
		if x := c.on(id); x != nil && (x.consult != m.consult || x.astride != m.astride) {
			return false
		}
	}
	return len(voices) > 0
}
