package siprec

import (
	"slices"
	"strconv"
	"time"
	"weak"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"
)

// A tickNote says that it is time to look whether the SRC still gives a sign.
type tickNote struct{}

// A probeNote is what came of asking the SRC: a status, or 0 for no answer.
type probeNote struct{ status int }

// watch asks the SRC by OPTIONS whether the recording session still exists, when
// neither RTP nor SIP came for the configured time. Silence alone ends nothing:
// hold and silence suppression look the same.
func (rs *RecordingSession) watch() {
	cfg := &rs.server.cfg
	if cfg.Vanish < 0 || rs.ended || rs.probing {
		return
	}
	if quiet := cfg.Clock.Now().Sub(rs.lastSign()); quiet < cfg.Vanish {
		rs.arm(cfg.Vanish - quiet)
		return
	}
	rs.probing = true
	rs.send(rs.newRequest(sip.OPTIONS), func(res *sip.Response) { rs.inbox.post(probeNote{statusOf(res)}) })
}

func (rs *RecordingSession) arm(d time.Duration) {
	rs.ticker = rs.after(d, func(rs *RecordingSession) { rs.inbox.post(tickNote{}) })
}

// after calls f after a time. The runtime may hold a timer long after it was stopped: it
// must not hold the recording session, which f is therefore given.
func (rs *RecordingSession) after(d time.Duration, f func(*RecordingSession)) Timer {
	w := weak.Make(rs)
	return rs.server.cfg.Clock.AfterFunc(d, func() {
		if rs := w.Value(); rs != nil {
			f(rs)
		}
	})
}

// lastSign is the last instant at which the SRC is known to have been there.
func (rs *RecordingSession) lastSign() time.Time {
	last := rs.heard
	for _, sl := range rs.media.now.slots {
		if sl.recv == nil {
			continue
		}
		if st := sl.recv.Stats(); st.Last.After(last) {
			last = st.Last
		}
	}
	return last
}

// probed judges what came of an OPTIONS. Any answer but 481 and 408 shows that
// the SRC lives. No answer ends the recording session, unless it is right that
// the SRC is silent: there are SRCs that never answer OPTIONS.
func (rs *RecordingSession) probed(n probeNote) *Event {
	rs.probing = false
	now := rs.server.cfg.Clock.Now()
	switch {
	case n.status == 481:
		return rs.end(EndGone, now)
	case n.status != 0 && n.status != 408:
		rs.heard, rs.unproven = now, false
	case now.Sub(rs.lastSign()) < rs.server.cfg.Vanish: // it came back meanwhile
	case rs.rightlySilent() && rs.proven():
		rs.log.Info("no answer to OPTIONS while nothing is to be heard; recording session kept")
		rs.heard = now
	default:
		rs.sendBye(EndVanished)
		return rs.end(EndVanished, now)
	}
	rs.watch()
	return nil
}

// proven reports whether the SRC gave any sign to this process. One that gave none
// since another was killed may have gone meanwhile.
func (rs *RecordingSession) proven() bool {
	if !rs.unproven {
		return true
	}
	return slices.ContainsFunc(rs.media.now.slots, func(sl *slot) bool { return sl.recv != nil && !sl.recv.Stats().Last.IsZero() })
}

// rightlySilent reports whether no RTP is what one should expect: hold by SDP or
// metadata, or silence suppression that was announced by comfort noise
// (RFC 3389) on every stream that may send.
func (rs *RecordingSession) rightlySilent() bool {
	if rs.held {
		return true
	}
	for i, sl := range rs.media.now.slots {
		if !sl.stream.Receiving || sl.recv == nil || rs.paused[i] {
			continue
		}
		st := sl.recv.Stats()
		if st.Packets == 0 || !isComfortNoise(sl.stream.Codecs, st.LastPayloadType) {
			return false
		}
	}
	return true
}

func isComfortNoise(codecs []Codec, payloadType uint8) bool {
	for _, c := range codecs {
		if c.PayloadType == payloadType {
			return c.Name == "CN"
		}
	}
	return payloadType == 13 // RFC 3551 §6, also when it was not negotiated
}

func (rs *RecordingSession) stopTimers() {
	if rs.ticker != nil {
		rs.ticker.Stop()
	}
	if rs.backoff != nil {
		rs.backoff.Stop()
	}
	rs.life.stop()
	rs.mu.Lock()
	rs.dropAck()
	rs.mu.Unlock()
}

// sendBye ends the dialog with the SRC, if there is one, and says why (RFC 3326).
func (rs *RecordingSession) sendBye(why EndReason) {
	if !rs.confirmed {
		return
	}
	req := rs.newRequest(sip.BYE)
	req.AppendHeader(sip.NewHeader("Reason", byeReason(why)))
	rs.send(req, func(res *sip.Response) {
		rs.log.Debug("bye answered", zap.Int("status", statusOf(res)))
	})
}

// byeReason writes a Reason value: the status that comes nearest and a text
// (RFC 3326 §2).
func byeReason(why EndReason) string {
	cause, text := 200, "recording ended"
	switch why {
	case EndNoAck:
		cause, text = 408, "no ACK"
	case EndVanished:
		cause, text = 408, "neither RTP nor SIP"
	case EndGone:
		cause, text = 408, "no answer"
	case EndExpired:
		cause, text = 408, "session timer expired"
	case EndShutdown:
		cause, text = 503, "the recording server is stopping"
	case EndNoAnswer:
		cause, text = 488, "no answer to the offer that can be taken"
	case EndRejected:
		cause, text = 488, "refused by the recording server"
	case EndFailed:
		cause, text = 500, "the recording server failed"
	}
	return `SIP;cause=` + strconv.Itoa(cause) + `;text="` + text + `"`
}
