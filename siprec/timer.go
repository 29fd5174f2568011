package siprec

import (
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"github.com/siprecd/siprecd/siprec/internal/front"
)

const (
	// leastInterval is our Min-SE: what RFC 4028 §4 has as the least.
	leastInterval = 90 * time.Second
	// leastGranted bounds what an SRC may make of a refresh of ours.
	leastGranted = 10 * time.Second
	// lastMoments is how long before the interval is over the BYE is sent, if that
	// is less than a third of it (RFC 4028 §10).
	lastMoments = 32 * time.Second
)

// A lifetime is the session timer of a dialog (RFC 4028). Without one, interval
// is 0. It belongs to the goroutine of the recording session.
type lifetime struct {
	interval   time.Duration
	since      time.Time // when it began
	ours       bool      // this server is the refresher
	generation int       // of the timers
	refresh    Timer
	expire     Timer
}

// A refreshNote says that it is time to refresh, an expireNote that nobody did.
type (
	refreshNote struct{ generation int }
	expireNote  struct{ generation int }
)

func (l *lifetime) stop() {
	l.generation++
	for _, t := range []Timer{l.refresh, l.expire} {
		if t != nil {
			t.Stop()
		}
	}
	l.refresh, l.expire = nil, nil
}

// An intervalWish is what a message says of session timers.
type intervalWish struct {
	present   bool
	interval  time.Duration
	refresher string        // uac, uas or empty
	timer     bool          // its sender knows RFC 4028
	required  bool          // and has to have it
	minimum   time.Duration // its Min-SE; 0 without
}

func readInterval(m sip.Message) intervalWish {
	w := intervalWish{required: lists(m, "Require", "timer"), minimum: minSE(m)}
	w.timer = w.required || lists(m, "Supported", "timer")
	value, params, _ := strings.Cut(front.Header(m, "Session-Expires"), ";")
	seconds, err := strconv.ParseUint(strings.TrimSpace(value), 10, 32)
	if err != nil {
		return w
	}
	w.present, w.interval = true, time.Duration(seconds)*time.Second
	for _, p := range strings.Split(params, ";") {
		if name, v, _ := strings.Cut(p, "="); strings.EqualFold(strings.TrimSpace(name), "refresher") {
			w.refresher = strings.ToLower(strings.Trim(v, "\" \t"))
		}
	}
	return w
}

// lists reports whether a header field lists an option tag or method.
func lists(m sip.Message, name, token string) bool {
	for _, value := range front.Values(m, name) {
		for _, one := range strings.Fields(value) {
			if strings.EqualFold(one, token) {
				return true
			}
		}
	}
	return false
}

// minSE reads the Min-SE of a message (RFC 4028 §5); 0 without one that is readable.
func minSE(m sip.Message) time.Duration {
	value, _, _ := strings.Cut(front.Header(m, "Min-SE"), ";")
	least, err := strconv.ParseUint(strings.TrimSpace(value), 10, 32)
	if err != nil {
		return 0
	}
	return time.Duration(least) * time.Second
}

// least is our Min-SE.
func (t SessionTimer) least() time.Duration { return max(t.Minimum, leastInterval) }

// declines says that a wish for a session timer is passed over.
func (t SessionTimer) declines(w intervalWish) bool { return t.Off && !w.required }

// grants is the interval that a wish gets; 0 for none. It is never shorter than the
// Min-SE of the SRC, nor longer than asked for, unless that is below this Min-SE
// (RFC 4028 §9).
func (t SessionTimer) grants(w intervalWish) time.Duration {
	switch {
	case t.declines(w):
		return 0
	case w.interval >= leastInterval && t.Interval > 0:
		return max(min(w.interval, t.Interval), w.minimum)
	case w.interval >= leastInterval:
		return max(w.interval, w.minimum)
	case t.Interval > 0:
		return max(t.Interval, w.minimum)
	}
	return 0
}

// checkInterval refuses an interval that is too short, if the SRC can ask again
// with a longer one (RFC 4028 §9).
func checkInterval(req *sip.Request, t SessionTimer) *refusal {
	if req.Method != sip.INVITE && req.Method != sip.UPDATE {
		return nil
	}
	if w := readInterval(req); w.present && w.timer && w.interval < t.least() && !t.declines(w) {
		least := seconds(t.least())
		return refuse(422, "the session interval is below "+least+" seconds", sip.NewHeader("Min-SE", least))
	}
	return nil
}

// agreeInterval puts the session timer that a request asks for into its 2xx
// (RFC 4028 §9, table 2). An SRC that does not ask gets none, unless it is configured to
// have one; it refreshes if it knows of timers, else this server does. One that leaves it
// out of a later request keeps what was agreed if it knows of timers; if it does
// not, and has to refresh, it would not: then the timer is given up, and if this
// server refreshes it goes on to.
func (rs *RecordingSession) agreeInterval(req *sip.Request, res *sip.Response) {
	w := readInterval(req)
	granted := rs.src.SessionTimer.grants(w)
	switch {
	case granted > 0 && (w.interval >= leastInterval || rs.life.interval == 0):
		rs.life.interval = granted
		rs.life.ours = w.refresher == "uas" || !w.timer
	case rs.life.interval == 0:
		return
	case w.timer:
	case rs.life.ours:
		rs.startLife()
		return
	default:
		rs.life.stop()
		rs.life.interval = 0
		return
	}
	refresher := "uac"
	if rs.life.ours {
		refresher = "uas"
	}
	res.AppendHeader(sip.NewHeader("Session-Expires", seconds(rs.life.interval)+";refresher="+refresher))
	if w.timer {
		res.AppendHeader(sip.NewHeader("Require", "timer"))
	}
	rs.startLife()
}

// keepInterval states the session timer in force in a request of ours; without
// that the request would end it (RFC 4028 §7.4).
func (rs *RecordingSession) keepInterval(req *sip.Request) {
	if rs.life.interval == 0 {
		return
	}
	refresher := "uas"
	if rs.life.ours {
		refresher = "uac"
	}
	req.AppendHeader(sip.NewHeader("Session-Expires", seconds(rs.life.interval)+";refresher="+refresher))
}

// granted takes the session timer that a 2xx to a request of ours states. An SRC
// that states none is refreshed as before: it had asked for it.
func (rs *RecordingSession) granted(res *sip.Response) {
	if rs.life.interval == 0 {
		return
	}
	if w := readInterval(res); w.interval > 0 {
		rs.life.interval = max(w.interval, leastGranted)
		rs.life.ours = w.refresher != "uas"
	}
	rs.startLife()
}

// startLife begins the interval anew: refreshed at its half if that is ours to
// do, ended shortly before it is over (RFC 4028 §10).
func (rs *RecordingSession) startLife() {
	l := &rs.life
	l.stop()
	l.since = rs.server.cfg.Clock.Now()
	generation := l.generation
	l.expire = rs.after(l.interval-min(lastMoments, l.interval/3), func(rs *RecordingSession) { rs.inbox.post(expireNote{generation}) })
	if l.ours {
		rs.refreshIn(l.interval / 2)
	}
}

func (rs *RecordingSession) refreshIn(d time.Duration) {
	generation := rs.life.generation
	rs.life.refresh = rs.after(d, func(rs *RecordingSession) { rs.inbox.post(refreshNote{generation}) })
}

// expired ends a recording session that nobody refreshed; what was recorded is
// kept.
func (rs *RecordingSession) expired() *Event {
	rs.log.Warn("session timer expired", zap.Duration("interval", rs.life.interval), zap.Bool("ours", rs.life.ours))
	return rs.giveUp(EndExpired, rs.server.cfg.Clock.Now())
}

// notRefreshed deals with a refresh that was refused, or never answered: it is
// tried again with the interval that the SRC wants, in another way, or later. The
// end comes when the interval is over.
func (rs *RecordingSession) notRefreshed(u *undertaking, res *sip.Response) {
	status := statusOf(res)
	switch {
	case status == 422 && rs.wantsLonger(res):
		rs.wishes.refresh = true
	case u.req.Method == sip.UPDATE && (status == 405 || status == 501):
		rs.wishes.refresh = true // by INVITE: that it knows no UPDATE was noted
	default:
		rs.refreshIn(max(rs.life.interval/8, 5*time.Second))
	}
}

// wantsLonger takes the Min-SE of a 422 (RFC 4028 §7.3).
func (rs *RecordingSession) wantsLonger(res *sip.Response) bool {
	longer := minSE(res)
	if longer <= rs.life.interval {
		return false
	}
	rs.life.interval = longer
	return true
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
