package src

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// A Reply answers a request of the server. A 200 to an INVITE or UPDATE with an
// offer gets the answer by itself when Body is nil.
type Reply struct {
	Status      int
	Headers     []Header
	ContentType string
	Body        []byte
}

// A Handler answers requests of the server; nil sends no response. It is called
// by the reader of the socket and must not block.
type Handler func(req *Message) *Reply

// AutoReply is the behaviour of a well-meaning SRC: 200 to everything it lists
// in Allow, 405 otherwise (RFC 3261 §8.2.1).
func AutoReply(req *Message) *Reply {
	if slices.Contains(strings.Split(allowed, ", "), req.Method) {
		return &Reply{Status: 200}
	}
	return &Reply{Status: 405, Headers: []Header{{"Allow", allowed}}}
}

// Handle replaces the handler of the dialog; nil restores that of the SRC.
func (d *Dialog) Handle(h Handler) {
	d.inbox.mu.Lock()
	defer d.inbox.mu.Unlock()
	d.inbox.handler = h
}

// request takes one request from the reader.
func (s *SRC) request(m *Message) {
	s.mu.Lock()
	d := s.dialogs[m.Get("Call-ID")]
	s.mu.Unlock()
	if d == nil {
		s.outside(m)
		return
	}
	if raw := d.inbox.stored(m); raw != nil {
		d.acknowledge(raw)
		return
	}
	// Who waits for the request may count on its response having been sent.
	defer d.inbox.put(m)
	if m.Method == "ACK" {
		return
	}
	handler := d.inbox.answerer()
	if handler == nil {
		handler = s.cfg.Handler
	}
	reply := handler(m)
	if reply == nil {
		return
	}
	raw := d.respond(m, reply)
	d.inbox.store(m, raw)
	d.acknowledge(raw)
}

// outside answers a request that names no dialog of ours: 481 when it claims
// one (RFC 3261 §12.2.2).
func (s *SRC) outside(m *Message) {
	s.keep(m)
	s.mu.Lock()
	raw := s.answered[m.Branch()+" "+m.Method]
	s.mu.Unlock()
	if raw == nil {
		if m.Method == "ACK" {
			return
		}
		reply := s.cfg.Handler(m)
		if to, err := ParseAddr(m.Get("To")); err == nil {
			if _, tagged := to.Param("tag"); tagged {
				reply = &Reply{Status: 481}
			}
		}
		if reply == nil {
			return
		}
		raw = s.composeReply(m, reply, s.ids.token(), content{})
	}
	s.mu.Lock()
	if len(s.answered) < maxKept {
		s.answered[m.Branch()+" "+m.Method] = raw
	}
	s.mu.Unlock()
	if err := s.Send(raw); err != nil {
		s.keep(&Message{Raw: raw, Reason: err.Error()})
	}
}

// respond writes the response, with an answer to the offer of the request.
func (d *Dialog) respond(m *Message, reply *Reply) []byte {
	var c content
	d.mu.Lock()
	if reply.Body == nil && reply.Status == 200 && (m.Method == "INVITE" || m.Method == "UPDATE") {
		if offer, err := m.SDP(); offer != nil && err == nil {
			d.adopt(m)
			c = Quirks{}.write([]Part{{Type: typeSDP, Body: d.answerTo(offer)}})
		}
	}
	tag := d.localTag
	d.mu.Unlock()
	return d.via().composeReply(m, reply, tag, c)
}

func (s *SRC) composeReply(m *Message, reply *Reply, tag string, c content) []byte {
	var h []Header
	for _, via := range m.All("Via") {
		h = append(h, Header{"Via", via})
	}
	to := m.Get("To")
	if a, err := ParseAddr(to); err == nil {
		if _, has := a.Param("tag"); !has {
			to += ";tag=" + tag
		}
	}
	h = append(h, Header{"From", m.Get("From")}, Header{"To", to},
		Header{"Call-ID", m.Get("Call-ID")}, Header{"CSeq", m.Get("CSeq")})
	for _, route := range m.All("Record-Route") {
		h = append(h, Header{"Record-Route", route})
	}
	if reply.Status < 300 {
		h = append(h, Header{"Contact", s.contact(Request{}, m.RequestURI)}, Header{"Allow", allowed})
	}
	h = append(h, reply.Headers...)
	if reply.Body != nil {
		c = content{[]Header{{"Content-Type", reply.ContentType}}, reply.Body}
	}
	h = append(h, c.headers...)
	return serialise(fmt.Sprintf("SIP/2.0 %d %s", reply.Status, reason(reply.Status)), h, c.body, Quirks{}, nil)
}

// reason is the phrase of the few statuses an SRC sends.
func reason(status int) string {
	switch status {
	case 200:
		return "OK"
	case 405:
		return "Method Not Allowed"
	case 481:
		return "Call/Transaction Does Not Exist"
	case 488:
		return "Not Acceptable Here"
	case 491:
		return "Request Pending"
	}
	return "Response"
}

// inbox holds the requests of the server in one dialog.
type inbox struct {
	mu        sync.Mutex
	handler   Handler
	messages  []*Message
	read      int
	news      chan struct{} // closed and renewed by each message
	ended     bool
	responses map[string][]byte // by branch and method
}

func newInbox() inbox {
	return inbox{news: make(chan struct{}), responses: make(map[string][]byte)}
}

// stored is the response already given to a retransmitted request.
func (b *inbox) stored(m *Message) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.responses[m.Branch()+" "+m.Method]
}

func (b *inbox) store(m *Message, raw []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.responses[m.Branch()+" "+m.Method] = raw
}

func (b *inbox) answerer() Handler {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.handler
}

func (b *inbox) put(m *Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.messages) < maxKept {
		b.messages = append(b.messages, m)
	}
	close(b.news)
	b.news = make(chan struct{})
}

func (b *inbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	close(b.news)
	b.news = make(chan struct{})
}

// Requests holds all requests of the server in this dialog that were answered, ACK
// included, at most the first 1024; retransmissions are answered and not listed.
func (d *Dialog) Requests() []*Message {
	d.inbox.mu.Lock()
	defer d.inbox.mu.Unlock()
	return append([]*Message(nil), d.inbox.messages...)
}

// NextRequest waits until the next request of the server with that method is answered,
// after those NextRequest returned or passed over before. An empty method is any.
func (d *Dialog) NextRequest(ctx context.Context, method string) (*Message, error) {
	b := &d.inbox
	for {
		b.mu.Lock()
		for b.read < len(b.messages) {
			m := b.messages[b.read]
			b.read++
			if method == "" || m.Method == method {
				b.mu.Unlock()
				return m, nil
			}
		}
		news, ended := b.news, b.ended
		b.mu.Unlock()
		if ended {
			return nil, fmt.Errorf("wait for %s: %w", method, ErrClosed)
		}
		select {
		case <-news:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for %s of the server: %w", method, ctx.Err())
		}
	}
}
