package front

import (
	"fmt"
	"time"

	"go.uber.org/zap"
)

// deliver hands a framed message on, or answers it.
func (f *Front) deliver(fl *Flow, at time.Time, h head, body []byte, flt *fault) {
	f.count.messages.Add(1)
	var p parsed
	if flt == nil {
		p, flt = f.parse(&h, body)
	}
	if flt != nil {
		f.refuse(fl, &h, flt)
		return
	}
	if len(p.oddities) > 0 {
		f.count.repaired.Add(1)
	}
	m := &Message{Request: p.request, Response: p.response, Flow: fl, At: at, Oddities: p.oddities}
	source := fl.remote.String()
	if m.Request != nil {
		completeVia(m.Request.Via(), fl.remote)
		m.Request.SetTransport(fl.Network())
		m.Request.SetSource(source)
	} else {
		m.Response.SetTransport(fl.Network())
		m.Response.SetSource(source)
	}
	f.cfg.Handle(m)
}

// parse turns a panic over a hostile message, in a parser that is not ours, into
// a refusal of that message.
func (f *Front) parse(h *head, body []byte) (p parsed, flt *fault) {
	defer func() {
		if r := recover(); r != nil {
			f.log.Error("parsing a message panicked", zap.String("kind", fmt.Sprintf("%T", r)), zap.Stack("stack"))
			p, flt = parsed{}, badRequest("unreadable message")
		}
	}()
	return parse(h, body, f.cfg.Limits)
}

// refuse answers a message that cannot be taken.
func (f *Front) refuse(fl *Flow, h *head, flt *fault) {
	b, via, ok := refusal(h, flt, fl.remote)
	if !ok {
		f.count.dropped.Add(1)
		f.log.Debug("message dropped", zap.Stringer("source", fl.remote), zap.String("why", flt.text))
		return
	}
	f.quiet.Info("request refused", zap.Stringer("source", fl.remote), zap.String("transport", fl.Network()),
		zap.Int("status", flt.status), zap.String("why", flt.text))
	if err := fl.respond(b, via); err != nil {
		f.count.dropped.Add(1)
		f.quiet.Info("refusing a request failed", zap.Error(err))
		return
	}
	f.count.refused.Add(1)
}
