package load

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
)

// suite is what SRTP is offered with (RFC 4568 §6.2.1).
const suite = "AES_CM_128_HMAC_SHA1_80"

// A call is one recording session. Its goroutine owns it until it has ended.
type call struct {
	number  int
	streams []*stream
	began   time.Time     // when the INVITE was sent
	setUp   time.Duration // from the INVITE to its final response; 0 without one
	bye     time.Time     // when BYE was sent; zero when the call was never up
	trouble trouble
	why     string

	end  chan struct{} // closed when it is to end
	mu   sync.Mutex    // for streams while it is up, and gone
	gone bool          // the server sent BYE
}

// trouble is what went wrong with a call.
type trouble int

const (
	fine       trouble = iota
	refused            // the INVITE was answered, but not with a stream for each m-line
	unanswered         // the INVITE got no final response
	broken             // something of ours failed
	dropped            // the server ended it
	unended            // the BYE was not answered with 200
)

// fail notes the first trouble.
func (c *call) fail(t trouble, format string, args ...any) {
	if c.trouble == fine {
		c.trouble, c.why = t, fmt.Sprintf(format, args...)
	}
}

// stop ends the streams, each at its next turn.
func (c *call) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, st := range c.streams {
		st.stop.Store(true)
	}
}

// heed ends a call that the server has ended.
func (c *call) heed(m *src.Message) {
	if m.Method != "BYE" {
		return
	}
	c.mu.Lock()
	c.gone = true
	c.mu.Unlock()
	c.stop()
}

// live is the life of a call. up is called once, when it is known whether it is up.
func (r *runner) live(ctx context.Context, c *call, up func()) {
	keys, err := r.keys()
	if err != nil {
		c.fail(broken, "%v", err)
		up()
		return
	}
	d := r.invite(ctx, c, keys)
	if d == nil {
		up()
		return
	}
	defer d.Close()
	d.Handle(func(m *src.Message) *src.Reply {
		c.heed(m)
		return src.AutoReply(m)
	})
	for _, m := range d.Requests() { // that were faster
		c.heed(m)
	}
	r.play(d, c, keys)
	defer context.AfterFunc(ctx, c.stop)()
	up()
	if r.cfg.Total == 0 {
		<-c.end
		c.stop()
	}
	for _, st := range c.streams {
		<-st.done
	}
	r.bye(ctx, d, c)
}

// keys are one for each m-line, with SRTP.
func (r *runner) keys() ([]src.SRTPKey, error) {
	if !r.cfg.SRTP {
		return nil, nil
	}
	var out []src.SRTPKey
	for range r.cfg.Streams {
		k, err := r.src.IDs().SRTPKey(suite)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, nil
}

// invite sends the INVITE; nil says that there is no recording session.
func (r *runner) invite(ctx context.Context, c *call, keys []src.SRTPKey) *src.Dialog {
	var parties []src.Party
	for i := range r.cfg.Streams {
		parties = append(parties, src.Party{
			AOR: fmt.Sprintf("sip:party%d-of-%d@load.invalid", i+1, c.number), Name: fmt.Sprintf("Party %d of %d", i+1, c.number),
			Label: fmt.Sprint(i + 1),
		})
	}
	began := time.Now()
	c.began = began
	d, err := r.src.Invite(ctx, src.Request{
		RequestURI: r.cfg.Target.RequestURI,
		SDP:        r.offer(c, keys),
		Metadata:   src.NewConversation(r.src.IDs(), began, parties...).Complete(),
	})
	switch {
	case errors.Is(err, src.ErrNoResponse) && ctx.Err() == nil:
		c.fail(unanswered, "%v", err)
		return nil
	case err != nil:
		c.fail(broken, "%v", err)
		return nil
	}
	final := d.Final()
	c.setUp = final.At.Sub(began)
	if why := r.acceptable(d, final); why != "" {
		c.fail(refused, "%s", why)
		if final.Status < 300 {
			r.bye(ctx, d, c)
		}
		d.Close()
		return nil
	}
	return d
}

// acceptable says what is wrong with the answer to an INVITE; empty is nothing.
func (r *runner) acceptable(d *src.Dialog, final *src.Message) string {
	if final.Status == 401 || final.Status == 407 {
		return fmt.Sprintf("%d %s: the server asks for a password, check --user and --password-file", final.Status, final.Reason)
	}
	if final.Status != 200 {
		return strings.TrimSpace(fmt.Sprintf("%d %s %s", final.Status, final.Reason, final.Get("Warning")))
	}
	sdp, err := d.Answer()
	if err != nil || sdp == nil {
		return fmt.Sprintf("200 without an answer: %v", err)
	}
	if len(sdp.Media) != r.cfg.Streams {
		return fmt.Sprintf("%d m-lines in the answer to %d", len(sdp.Media), r.cfg.Streams)
	}
	for i, m := range sdp.Media {
		if !sdp.AddressOf(i).IsValid() {
			return fmt.Sprintf("m-line %d has no address", i+1)
		}
		if dir := sdp.DirectionOf(i); dir != src.RecvOnly && dir != src.SendRecv {
			return fmt.Sprintf("m-line %d is %s", i+1, dir)
		}
		if _, found := m.Attribute("crypto"); found != r.cfg.SRTP {
			return fmt.Sprintf("m-line %d: a=crypto in the answer is %t, asked for is %t", i+1, found, r.cfg.SRTP)
		}
	}
	return ""
}

// offer is the description with one m-line for each stream (RFC 7866 §7.1.1).
func (r *runner) offer(c *call, keys []src.SRTPKey) string {
	local := r.src.Local().Addr()
	family, profile := "IP4", "RTP/AVP"
	if local.Is6() {
		family = "IP6"
	}
	if keys != nil {
		profile = "RTP/SAVP"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "v=0\r\no=load %d 1 IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n", c.number+1, family, local, family, local)
	for i := range r.cfg.Streams {
		fmt.Fprintf(&b, "m=audio %d %s 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:%d\r\na=label:%d\r\na=sendonly\r\n",
			portOf(r.senderOf(c, i).lanes[i].conn), profile, r.cfg.Ptime.Milliseconds(), i+1)
		if keys != nil {
			fmt.Fprintf(&b, "a=crypto:%s\r\n", keys[i].Attribute(1))
		}
	}
	return b.String()
}

// senderOf is the thread that sends a stream of a call.
func (r *runner) senderOf(c *call, line int) *sender {
	return r.senders[(c.number*r.cfg.Streams+line)%len(r.senders)]
}

// play gives the streams to their senders.
func (r *runner) play(d *src.Dialog, c *call, keys []src.SRTPKey) {
	sdp, err := d.Answer()
	if err != nil { // never: it was acceptable
		c.fail(broken, "%v", err)
		return
	}
	var list []*stream
	for i := range r.cfg.Streams {
		st := r.newStream(c, i)
		st.to = newAddress(sdp.AddressOf(i))
		if keys != nil {
			if st.protect, err = src.NewProtector(keys[i]); err != nil {
				c.fail(broken, "%v", err)
				return
			}
		}
		if r.cfg.Total > 0 {
			st.limit = int(r.cfg.Duration / r.cfg.Ptime)
		}
		list = append(list, st)
	}
	r.mu.Lock()
	for i, st := range list {
		r.streams[st.number] = st
		r.ports[sdp.AddressOf(i).Port()] = true
	}
	r.mu.Unlock()
	c.mu.Lock()
	c.streams = list
	gone := c.gone
	c.mu.Unlock()
	for i, st := range list {
		st.stop.Store(gone)
		r.senderOf(c, i).add(i, st)
	}
}

func (r *runner) newStream(c *call, line int) *stream {
	number := c.number*r.cfg.Streams + line
	// Different for each stream of a run: an odd factor loses nothing.
	ssrc := uint32(number)*0x9e3779b1 + uint32(r.code.run)
	return &stream{number: number, call: c, ssrc: ssrc, done: make(chan struct{})}
}

// bye ends the recording session, unless the server did.
func (r *runner) bye(ctx context.Context, d *src.Dialog, c *call) {
	c.mu.Lock()
	gone := c.gone
	c.mu.Unlock()
	c.bye = time.Now().Round(0)
	if gone {
		c.fail(dropped, "the server sent BYE")
		return
	}
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
	}
	m, err := d.Bye(ctx, src.Request{})
	switch {
	case err != nil:
		c.fail(unended, "BYE: %v", err)
	case m.Status != 200:
		c.fail(unended, "BYE: %d %s", m.Status, m.Reason)
	}
}
