package siprec

import "maps"

// Pause asks the SRC, by a re-INVITE, to send nothing on these streams: they
// become inactive in our SDP, also in answers to later offers (RFC 7866 §7.2).
// Streams that are not named are resumed. It promises nothing: an SRC may refuse or
// go on sending, and packets still reach the sinks. What [Stream] says of paused
// streams is what the SRC wants. It is for the goroutine of ServeRecording.
func (rs *RecordingSession) Pause(streams ...int) {
	paused := make(map[int]bool, len(streams))
	for _, i := range streams {
		paused[i] = true
	}
	if !maps.Equal(paused, rs.paused) {
		rs.paused = paused
		rs.wishes.reoffer = true
	}
}

// Resume asks the SRC to send again on all streams, if any was paused.
func (rs *RecordingSession) Resume() { rs.Pause() }

// withhold makes the paused streams inactive in an agreement of ours.
func (rs *RecordingSession) withhold(a *agreement) {
	if len(rs.paused) == 0 {
		return
	}
	for i, sl := range a.slots {
		if rs.paused[i] && !sl.stream.Closed {
			sl.answer.Direction = "inactive"
		}
	}
	rs.media.write(a)
}

// proposal is the offer of a re-INVITE of ours: the present m-lines (RFC 7866
// §7.2), recvonly for what may be sent, inactive otherwise. When nothing is paused
// or resumed it is what we said before, under the same version.
func (rs *RecordingSession) proposal() *agreement {
	now := rs.media.now
	next := &agreement{gone: now.gone}
	for _, before := range now.slots {
		sl := *before
		if sl.stream.Receiving {
			sl.answer.Direction = "recvonly"
		}
		next.slots = append(next.slots, &sl)
	}
	rs.media.write(next)
	rs.withhold(next)
	return next
}
