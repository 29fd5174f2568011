package src

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
)

// A Dialog is one recording session as the SRC sees it: the SIP dialog
// (RFC 3261 §12) with its streams. Its methods may be called by several
// goroutines, but requests are numbered in the order of the calls.
type Dialog struct {
	src      *SRC
	moved    atomic.Pointer[SRC] // where signalling goes since Move; nil before
	callID   string
	localTag string
	from, to string // URIs

	mu           sync.Mutex
	remoteTag    string
	remoteTarget string
	routes       []string
	cseq         uint32
	sdpID        uint64
	sdpVersion   uint64
	lastOffer    string
	offers       []StreamOffer
	streams      []*Stream
	invite       *transaction // of the INVITE that opened the dialog
	lastInvite   *transaction // of the last INVITE
	inviteURI    string
	inviteBranch string
	inviteCSeq   uint32
	acks         map[uint32]*pendingACK
	answer       *SDP
	answerErr    error
	txs          []*transaction
	closed       bool

	inbox inbox
	sched *scheduler
}

// pendingACK is the ACK of one INVITE, by its CSeq.
type pendingACK struct {
	raw  []byte
	sent bool
}

func (s *SRC) newDialog(r Request) *Dialog {
	target := r.RequestURI
	if target == "" {
		target = "sip:srs@" + s.conn.target.String()
		if s.conn.reliable() {
			target += ";transport=" + strings.ToLower(s.conn.transport)
		}
	}
	d := &Dialog{
		src: s, callID: r.CallID, localTag: s.ids.token(),
		from: r.From, to: r.To, remoteTarget: target,
		sdpID: uint64(s.ids.uint32()), acks: make(map[uint32]*pendingACK),
		inbox: newInbox(),
	}
	if d.callID == "" {
		d.callID = s.ids.token() + "@" + s.conn.local.Addr().String()
	}
	if d.from == "" {
		d.from = "sip:src@" + s.conn.local.String()
	}
	if d.to == "" {
		d.to = target
	}
	if r.SameURI {
		d.from, d.to = target, target
	}
	if r.FromTag != "" {
		d.localTag = r.FromTag
	}
	d.sched = newScheduler(s.cfg.Now)
	return d
}

// Start sends an INVITE and returns at once; Wait has the answer. The context
// bounds the whole transaction.
func (s *SRC) Start(ctx context.Context, r Request) (*Dialog, error) {
	d := s.newDialog(r)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, ErrClosed
	}
	s.dialogs[d.callID] = d
	s.mu.Unlock()
	tx, err := d.begin(ctx, "INVITE", r)
	if err != nil {
		d.Close()
		return nil, err
	}
	d.mu.Lock()
	d.invite, d.lastInvite = tx, tx
	d.mu.Unlock()
	return d, nil
}

// Invite opens a recording session and waits for the final response, which may
// be a refusal: see Dialog.Final. The ACK is sent unless it is withheld. On an
// error the dialog is closed.
func (s *SRC) Invite(ctx context.Context, r Request) (*Dialog, error) {
	d, err := s.Start(ctx, r)
	if err != nil {
		return nil, err
	}
	if _, err := d.Wait(ctx); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// Do sends a request outside any dialog and returns its final response.
func (s *SRC) Do(ctx context.Context, method string, r Request) (*Message, error) {
	d := s.newDialog(r)
	defer d.Close()
	return d.Do(ctx, method, r)
}

// Options asks the server for its capabilities (RFC 3261 §11).
func (s *SRC) Options(ctx context.Context, r Request) (*Message, error) {
	return s.Do(ctx, "OPTIONS", r)
}

// Wait returns the final response to the INVITE that opened the dialog.
func (d *Dialog) Wait(ctx context.Context) (*Message, error) {
	d.mu.Lock()
	tx := d.invite
	d.mu.Unlock()
	return tx.wait(ctx)
}

// Final is the final response to the first INVITE; nil before it came.
func (d *Dialog) Final() *Message {
	d.mu.Lock()
	tx := d.invite
	d.mu.Unlock()
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return tx.final
}

// Provisional holds the 1xx responses to the first INVITE.
func (d *Dialog) Provisional() []*Message {
	d.mu.Lock()
	tx := d.invite
	d.mu.Unlock()
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return append([]*Message(nil), tx.provisional...)
}

// AwaitProvisional waits for a response of 101 to 199 to the first INVITE; it is nil
// when the final response came without one.
func (d *Dialog) AwaitProvisional(ctx context.Context) (*Message, error) {
	d.mu.Lock()
	tx := d.invite
	d.mu.Unlock()
	return tx.ringing(ctx)
}

// AwaitRinging waits until n responses of 101 to 199 came to the first INVITE,
// repetitions included, and returns how many did.
func (d *Dialog) AwaitRinging(ctx context.Context, n int) (int, error) {
	d.mu.Lock()
	tx := d.invite
	d.mu.Unlock()
	return tx.rang(ctx, n)
}

// AwaitRepeats waits until the final response to the last INVITE came again n
// times, and returns how often it did.
func (d *Dialog) AwaitRepeats(ctx context.Context, n int) (int, error) {
	d.mu.Lock()
	tx := d.lastInvite
	d.mu.Unlock()
	return tx.repeated(ctx, n)
}

// Repeated holds the repetitions of the final response to the last INVITE.
func (d *Dialog) Repeated() []*Message {
	d.mu.Lock()
	tx := d.lastInvite
	d.mu.Unlock()
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return append([]*Message(nil), tx.repeats...)
}

// Answer is the latest session description of the server: its answer, or its
// offer in the 2xx to an INVITE without one. Both are nil when it sent none.
func (d *Dialog) Answer() (*SDP, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.answer, d.answerErr
}

// CallID is the Call-ID of the dialog.
func (d *Dialog) CallID() string { return d.callID }

// Tags are the tags of this side and of the server; the second is empty before
// a 2xx.
func (d *Dialog) Tags() (local, remote string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.localTag, d.remoteTag
}

// LastCSeq is the number of the last request that was sent.
func (d *Dialog) LastCSeq() uint32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.cseq
}

// Offers are the m-lines of the last offer, to be changed and sent again.
func (d *Dialog) Offers() []StreamOffer {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make([]StreamOffer, len(d.offers))
	for i, o := range d.offers {
		out[i] = o.clone()
	}
	return out
}

// WithDirection is Offers with one direction for all m-lines.
func (d *Dialog) WithDirection(direction string) []StreamOffer {
	out := d.Offers()
	for i := range out {
		out[i].Direction = direction
	}
	return out
}

// Streams are the streams of the dialog in the order of their m-lines.
func (d *Dialog) Streams() []*Stream {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]*Stream(nil), d.streams...)
}

// Stream is the stream of m-line i; it panics when there is none.
func (d *Dialog) Stream(i int) *Stream { return d.Streams()[i] }

// Move has the signalling of the dialog go on over the socket or connection of another
// SRC, as that of a client does whose connection was lost. No request may be under way.
// Media stay where they are. An SRC to which it moved has to be closed after the dialog.
func (d *Dialog) Move(to *SRC) {
	d.via().release(d)
	to.mu.Lock()
	to.dialogs[d.callID] = d
	to.mu.Unlock()
	d.moved.Store(to)
}

// via is the SRC over which the dialog is signalled.
func (d *Dialog) via() *SRC {
	if s := d.moved.Load(); s != nil {
		return s
	}
	return d.src
}

// release forgets a dialog, if it is known.
func (s *SRC) release(d *Dialog) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dialogs[d.callID] == d {
		delete(s.dialogs, d.callID)
	}
}

// Close stops playing, closes the sockets of the streams and forgets the
// dialog. It sends nothing, and returns when its goroutines ended.
func (d *Dialog) Close() {
	d.mu.Lock()
	already := d.closed
	d.closed = true
	txs, streams := d.txs, d.streams
	d.mu.Unlock()
	if already {
		return
	}
	d.src.release(d)
	if s := d.moved.Load(); s != nil {
		s.release(d)
	}
	for _, tx := range txs {
		tx.finish(fmt.Errorf("dialog: %w", ErrClosed))
		tx.src.forget(tx)
	}
	d.sched.close()
	d.inbox.close()
	for _, st := range streams {
		st.close()
	}
}

// place binds the ports of an offer and returns the text to send; nil when the
// request has no offer. The caller holds mu.
func (d *Dialog) place(r Request) ([]byte, error) {
	if r.Streams == nil && r.SDP == "" {
		return nil, nil
	}
	for i, o := range r.Streams {
		if i < len(d.streams) {
			d.streams[i].reoffer(o)
			continue
		}
		st, err := newStream(d, i, o)
		if err != nil {
			return nil, fmt.Errorf("bind ports of stream %d: %w", i, err)
		}
		d.streams = append(d.streams, st)
	}
	if r.Streams != nil {
		d.offers = nil
		for _, o := range r.Streams {
			d.offers = append(d.offers, o.clone())
		}
	}
	return d.describe(r), nil
}

// describe writes the offer; its version rises when the text changed
// (RFC 3264 §8).
func (d *Dialog) describe(r Request) []byte {
	text := func(version uint64) []byte {
		if r.SDP != "" {
			return []byte(d.substitute(r.SDP))
		}
		return description{d.sdpID, version, d.src.conn.local.Addr(), r.Streams, d.ports()}.write()
	}
	if now := string(text(0)); now != d.lastOffer && !r.FixedVersion || d.sdpVersion == 0 {
		d.sdpVersion++
		d.lastOffer = now
	}
	return text(d.sdpVersion)
}

func (d *Dialog) ports() []int {
	out := make([]int, len(d.streams))
	for i, st := range d.streams {
		out[i] = st.port()
	}
	return out
}

// adopt takes a description of the server: each stream learns where to send.
// The caller holds mu.
func (d *Dialog) adopt(m *Message) {
	sdp, err := m.SDP()
	if sdp == nil && err == nil {
		return
	}
	d.answer, d.answerErr = sdp, err
	if err != nil {
		return
	}
	for i, st := range d.streams {
		if i < len(sdp.Media) {
			st.direct(sdp.AddressOf(i), sdp.Media[i])
		} else {
			st.direct(netip.AddrPort{}, MediaLine{})
		}
	}
}
