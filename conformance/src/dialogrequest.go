package src

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Do sends a request in the dialog and returns its final response, whatever it
// is. An INVITE is acknowledged unless the request withholds it.
func (d *Dialog) Do(ctx context.Context, method string, r Request) (*Message, error) {
	tx, err := d.begin(ctx, method, r)
	if err != nil {
		return nil, err
	}
	return tx.wait(ctx)
}

// Reinvite sends an INVITE in the dialog (RFC 3261 §14).
func (d *Dialog) Reinvite(ctx context.Context, r Request) (*Message, error) {
	return d.Do(ctx, "INVITE", r)
}

// Update sends an UPDATE, with or without an offer (RFC 3311, RFC 7866 §9.1).
func (d *Dialog) Update(ctx context.Context, r Request) (*Message, error) {
	return d.Do(ctx, "UPDATE", r)
}

// Info sends an INFO (RFC 6086).
func (d *Dialog) Info(ctx context.Context, r Request) (*Message, error) {
	return d.Do(ctx, "INFO", r)
}

// Options sends an OPTIONS in the dialog.
func (d *Dialog) Options(ctx context.Context, r Request) (*Message, error) {
	return d.Do(ctx, "OPTIONS", r)
}

// Bye ends the recording session, with metadata when the request has some. The
// sockets stay open until Close.
func (d *Dialog) Bye(ctx context.Context, r Request) (*Message, error) {
	return d.Do(ctx, "BYE", r)
}

// Cancel cancels the INVITE of Start, answered or not (RFC 3261 §9.1), and
// returns the response to the CANCEL. The INVITE's own comes from Wait.
func (d *Dialog) Cancel(ctx context.Context) (*Message, error) {
	d.mu.Lock()
	e := envelope{
		method: "CANCEL", cseqMethod: "CANCEL", requestURI: d.inviteURI, branch: d.inviteBranch,
		cseq: d.inviteCSeq, from: tagged(d.from, d.localTag), to: "<" + d.to + ">", callID: d.callID,
	}
	d.mu.Unlock()
	raw := d.via().compose(e, Request{}, content{})
	tx, err := d.via().begin(ctx, "CANCEL", attempt{branch: e.branch, raw: raw})
	if err != nil {
		return nil, err
	}
	d.own(tx)
	return tx.wait(ctx)
}

// SendRaw writes text to the server as it is.
func (d *Dialog) SendRaw(raw []byte) error { return d.via().Send(raw) }

// Resend repeats the last INVITE byte by byte, as a retransmission.
func (d *Dialog) Resend() error {
	d.mu.Lock()
	tx := d.lastInvite
	d.mu.Unlock()
	tx.mu.Lock()
	raw := tx.raw
	tx.mu.Unlock()
	return d.via().Send(raw)
}

// Ack sends the ACK of the last INVITE that was answered, again or for the first time
// when it was withheld. A refusal has one to send only when it was.
func (d *Dialog) Ack() error {
	d.mu.Lock()
	var last uint32
	for n := range d.acks {
		last = max(last, n)
	}
	ack := d.acks[last]
	if ack != nil {
		ack.sent = true
	}
	d.mu.Unlock()
	if ack == nil {
		return errors.New("no INVITE was answered")
	}
	return d.via().Send(ack.raw)
}

func tagged(uri, tag string) string {
	if tag == "" {
		return "<" + uri + ">"
	}
	return "<" + uri + ">;tag=" + tag
}

// begin numbers, writes and sends one request.
func (d *Dialog) begin(ctx context.Context, method string, r Request) (*transaction, error) {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil, ErrClosed
	}
	offer, err := d.place(r)
	if err != nil {
		d.mu.Unlock()
		return nil, err
	}
	first := d.attempt(sending{
		request: r, content: r.content(offer), offered: offer != nil,
		envelope: d.envelope(method, r), login: d.via().login(method, d.remoteTarget, r),
	})
	d.mu.Unlock()
	tx, err := d.via().begin(ctx, method, first)
	if err != nil {
		return nil, err
	}
	d.own(tx)
	if method == "INVITE" {
		d.mu.Lock()
		d.lastInvite = tx
		d.mu.Unlock()
	}
	return tx, nil
}

// own remembers a transaction until the dialog closes.
func (d *Dialog) own(tx *transaction) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.txs = append(d.txs, tx)
}

// envelope takes the next CSeq; a number given by the request does not count.
// The caller holds mu.
func (d *Dialog) envelope(method string, r Request) envelope {
	e := envelope{
		method: method, cseqMethod: method, requestURI: d.remoteTarget,
		branch: r.Branch, cseq: r.CSeq, callID: d.callID, routes: slices.Clone(d.routes),
	}
	if e.branch == "" {
		e.branch = "z9hG4bK" + d.via().ids.token()
	}
	if e.cseq == 0 {
		d.cseq++
		e.cseq = d.cseq
	}
	local, remote := d.localTag, d.remoteTag
	if r.FromTag != "" {
		local = r.FromTag
	}
	if r.ToTag != "" {
		remote = r.ToTag
	}
	if r.NoToTag {
		remote = ""
	}
	e.from, e.to = tagged(d.from, local), tagged(d.to, remote)
	return e
}

// finalResponse learns from a final response and acknowledges it. It runs in
// the goroutine of the reader.
func (d *Dialog) finalResponse(e envelope, r Request, offered bool, m *Message, repeated bool) {
	if m.Status >= 300 {
		if e.method == "INVITE" {
			d.acknowledgeRefusal(e, r, m)
		}
		return
	}
	d.mu.Lock()
	if !repeated {
		d.learn(e.method, m)
	}
	if e.method != "INVITE" {
		d.mu.Unlock()
		return
	}
	ack := d.acks[e.cseq]
	if ack == nil {
		ack = &pendingACK{raw: d.composeACK(e, offered), sent: !r.WithholdACK}
		d.acks[e.cseq] = ack
	}
	raw, send := ack.raw, ack.sent
	d.mu.Unlock()
	if send {
		d.acknowledge(raw)
	}
}

// acknowledgeRefusal sends the ACK of a refusal, which belongs to the transaction
// (RFC 3261 §17.1.1.3), or keeps it.
func (d *Dialog) acknowledgeRefusal(e envelope, r Request, m *Message) {
	raw := d.refusalACK(e, m)
	d.mu.Lock()
	ack := d.acks[e.cseq]
	send := !r.WithholdACK || ack != nil && ack.sent
	if ack == nil && !send {
		d.acks[e.cseq] = &pendingACK{raw: raw}
	}
	d.mu.Unlock()
	if send {
		d.acknowledge(raw)
	}
}

// refusalACK writes the ACK of a refusal.
func (d *Dialog) refusalACK(e envelope, m *Message) []byte {
	e.method, e.cseqMethod, e.to = "ACK", "ACK", m.Get("To")
	return d.via().compose(e, Request{}, content{})
}

// acknowledge sends an ACK. A failure shows in the next request on the same
// socket, and as a repeated response.
func (d *Dialog) acknowledge(raw []byte) {
	if err := d.via().Send(raw); err != nil {
		d.via().keep(&Message{Raw: raw, Reason: err.Error()})
	}
}

// learn takes the tag, the target, the route set and the description from a 2xx
// (RFC 3261 §12.1.2, §12.2.1.2). The caller holds mu.
func (d *Dialog) learn(method string, m *Message) {
	if d.remoteTag == "" {
		if a, err := ParseAddr(m.Get("To")); err == nil {
			d.remoteTag, _ = a.Param("tag")
		}
		d.routes = m.List("Record-Route")
		slices.Reverse(d.routes)
	}
	if method == "INVITE" || method == "UPDATE" {
		if contacts := m.List("Contact"); len(contacts) == 1 {
			if a, err := ParseAddr(contacts[0]); err == nil {
				d.remoteTarget = a.URI
			}
		}
		d.adopt(m)
	}
}

// composeACK writes the ACK of a 2xx, a request of its own with a new branch
// (RFC 3261 §13.2.2.4). When the offer came in the 2xx, it carries the answer
// (RFC 3264 §5). The caller holds mu.
func (d *Dialog) composeACK(e envelope, offered bool) []byte {
	e.method, e.cseqMethod = "ACK", "ACK"
	e.branch = "z9hG4bK" + d.via().ids.token()
	e.requestURI, e.routes = d.remoteTarget, slices.Clone(d.routes)
	if d.remoteTag != "" {
		e.to = tagged(d.to, d.remoteTag)
	}
	var c content
	if !offered && d.answer != nil {
		c = Quirks{}.write([]Part{{Type: typeSDP, Body: d.answerTo(d.answer)}})
	}
	return d.via().compose(e, Request{}, c)
}

// answerTo answers an offer of the server with the streams of the dialog: same
// m-lines, directions reversed, port 0 where there is no stream (RFC 3264 §6).
// The caller holds mu.
func (d *Dialog) answerTo(offer *SDP) []byte {
	var lines []StreamOffer
	var ports []int
	for i, m := range offer.Media {
		o := StreamOffer{
			Media: m.Kind, Proto: m.Proto, Formats: strings.Join(m.Formats, " "),
			Label: m.Label, Direction: reversed(offer.DirectionOf(i)), Port: PortZero,
		}
		port := 0
		if i < len(d.streams) && m.Port != 0 {
			if port = d.streams[i].port(); port != 0 {
				o.Port = 0
			}
		}
		if i < len(d.offers) {
			o.Codecs, o.Formats = d.offers[i].Codecs, d.offers[i].Formats
		}
		lines, ports = append(lines, o), append(ports, port)
	}
	d.sdpVersion++
	return description{d.sdpID, d.sdpVersion, d.via().conn.local.Addr(), lines, ports}.write()
}

// substitute fills the ports and the address into a text of the caller.
func (d *Dialog) substitute(text string) string {
	for i, port := range d.ports() {
		text = strings.ReplaceAll(text, fmt.Sprintf("{port%d}", i), fmt.Sprint(port))
	}
	return strings.ReplaceAll(text, "{address}", d.via().conn.local.Addr().String())
}
