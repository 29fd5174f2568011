package front

import (
	"fmt"
	"strings"
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
		f.log.Debug("message dropped", h.about(fl, zap.String("why", flt.text))...)
		return
	}
	f.quiet.Info("request refused", h.about(fl, zap.Int("status", flt.status), zap.String("why", flt.text))...)
	if err := fl.respond(b, via); err != nil {
		f.count.dropped.Add(1)
		f.quiet.Info("refusing a request failed", h.about(fl, zap.Error(err))...)
		return
	}
	f.count.refused.Add(1)
}

// mostLogged bounds what comes from the wire for a log line, in octets.
const mostLogged = 128

// about is what a log line tells of a message that cannot be taken: where it came from
// and, where they can be read, its method and its Call-ID.
func (h *head) about(fl *Flow, more ...zap.Field) []zap.Field {
	fields := []zap.Field{zap.Stringer("source", fl.remote), zap.String("transport", fl.Network())}
	if names := fl.Names(); len(names) > 0 {
		fields = append(fields, zap.Strings("certificate", names))
	}
	method, _, _ := strings.Cut(h.start, " ")
	if isMethod(method) {
		fields = append(fields, zap.String("method", method))
	}
	if id := h.first("Call-ID"); id != "" {
		fields = append(fields, zap.String("call_id", Shortened(id)))
	}
	return append(fields, more...)
}

// isMethod reports whether a word may be the method of a request, and no response's
// version.
func isMethod(word string) bool {
	return word != "" && len(word) <= 32 && strings.IndexFunc(word, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') }) < 0
}

// Shortened bounds what comes from the wire for a log line.
func Shortened(s string) string {
	if len(s) > mostLogged {
		return s[:mostLogged] + "..."
	}
	return s
}
