package siprec

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"github.com/emiago/sipgo/sip"

	"github.com/siprecd/siprecd/siprec/internal/front"
	"github.com/siprecd/siprecd/siprec/internal/locate"
)

// Errors of [Server.Initiate], beside those of the DNS and the network.
var (
	ErrNoAnswer = errors.New("siprec: the SRC gave no final response")
	ErrNoOffer  = errors.New("siprec: the SRC made no offer that can be answered")
)

// A RefusedError is the status, 300 to 699, with which an SRC refused an INVITE of
// ours (RFC 3261 §21.3 to §21.6).
type RefusedError struct{ Status int }

func (e *RefusedError) Error() string {
	return "siprec: the SRC answered " + strconv.Itoa(e.Status)
}

// An initiation is an INVITE of ours that was accepted and is not acknowledged.
type initiation struct {
	req *sip.Request
	res *sip.Response
	tx  *sip.ClientTx
	way *front.Flow
}

// Initiate opens a recording session with an SRC, by an INVITE without an offer
// (RFC 7866 §6.2, §7.2). The target is a sip or sips URI; the places that it leads to
// (RFC 3263) are tried one after another until one answers. The offer of the SRC and
// its metadata come in the 2xx and are the Offered event of the handler; the answer
// goes with the ACK. src says as which SRC it is configured.
//
// It returns nil when the SRC has accepted. The error is a [RefusedError],
// [ErrNoAnswer], [ErrNoOffer], one of the URI, the DNS or the network, or what
// Config.Unavailable says. When ctx is done before the answer, the INVITE is cancelled.
// The server must be serving.
func (s *Server) Initiate(ctx context.Context, target string, src SRC) error {
	if why := s.cfg.Unavailable(); why != "" {
		return errors.New("siprec: " + why)
	}
	var uri sip.Uri
	if err := sip.ParseUri(target, &uri); err != nil {
		return fmt.Errorf("siprec: target %q: %w", target, err)
	}
	places, err := locate.Resolve(ctx, net.DefaultResolver, uri)
	if err != nil {
		return fmt.Errorf("siprec: %w", err)
	}
	for _, place := range places {
		var flow *front.Flow
		flow, err = s.front.Reach(ctx, place.Network, place.Addr, netip.AddrPort{}, place.Name)
		if err != nil {
			err = fmt.Errorf("siprec: %w", err)
			continue
		}
		if err = s.initiate(ctx, uri, flow, src); !errors.Is(err, ErrNoAnswer) || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// initiate opens a recording session over one way.
func (s *Server) initiate(ctx context.Context, uri sip.Uri, flow *front.Flow, src SRC) error {
	rs := s.initiated(uri, flow, src)
	in, err := rs.invite(ctx)
	if err != nil {
		return err
	}
	rs.adopt(in)
	if err := rs.take(in); err != nil {
		rs.decline(in)
		return err
	}
	if ref := s.register(rs, rs.inviteKey); ref != nil {
		rs.media.undo(rs.next)
		rs.decline(in)
		return errors.New("siprec: " + ref.warning)
	}
	go rs.run(func() bool { return true })
	return nil
}

// initiated is a recording session that is to be opened by us.
func (s *Server) initiated(uri sip.Uri, flow *front.Flow, src SRC) *RecordingSession {
	host, port := flow.SentBy()
	rs := &RecordingSession{
		server: s, initiated: true, origin: s.origin(flow), src: src,
		callID: s.random(12) + "@" + host, localTag: s.newTag(),
		localURI:  sip.Uri{Scheme: "sip", User: "siprecd", Host: host, Port: port},
		remoteURI: uri, requestURI: uri, target: uri,
		inbox: newInbox(), flow: flow, started: s.cfg.Clock.Now(),
	}
	rs.inviteKey = rs.callID
	rs.way.Store(flow)
	rs.log = s.log.With(rs.logFields()...)
	return rs
}

// invite sends the INVITE and waits until it is accepted.
func (rs *RecordingSession) invite(ctx context.Context) (*initiation, error) {
	s := rs.server
	in := &initiation{req: rs.newRequest(sip.INVITE), way: rs.flow}
	in.req.AppendHeader(sip.NewHeader("Require", "siprec"))
	var err error
	if in.tx, err = s.tx.request(in.req, in.way); err != nil {
		return nil, fmt.Errorf("siprec: %w", err)
	}
	limited, stop := context.WithCancel(ctx)
	defer stop()
	defer s.cfg.Clock.AfterFunc(64*s.cfg.T1, stop).Stop()
	res, working := finalResponse(limited, in.tx)
	if res == nil && working {
		res = s.cancelInvite(in.req, in.tx, in.way)
	}
	switch {
	case res == nil:
		in.tx.Terminate()
		return nil, ErrNoAnswer
	case !res.IsSuccess():
		return nil, &RefusedError{res.StatusCode}
	}
	in.res = res
	return in, nil
}

// adopt learns from the 2xx what makes the dialog (RFC 3261 §12.1.2).
func (rs *RecordingSession) adopt(in *initiation) {
	rs.remoteTag = toTag(in.res)
	rs.userAgent = front.Header(in.res, "Server")
	rs.heard = rs.server.cfg.Clock.Now()
	rs.learnTarget(in.res)
	rs.learnMethods(in.res)
	rs.learnRoutes(routesOf(in.res))
	switch w, t := readInterval(in.res), rs.src.SessionTimer; {
	case w.interval > 0:
		rs.life.interval = max(w.interval, leastGranted)
		rs.life.ours = w.refresher != "uas"
	case t.Interval > 0 && !t.Off:
		// It states none, but each request of ours may ask for one (RFC 4028 §7.2).
		rs.life.interval, rs.life.ours = t.Interval, true
	}
}

// take makes the Offered event of the 2xx.
func (rs *RecordingSession) take(in *initiation) error {
	c, ref := readBody(in.res, sip.INVITE)
	if ref != nil {
		return fmt.Errorf("%w: %s", ErrNoOffer, ref.warning)
	}
	if c.offer == nil {
		return ErrNoOffer
	}
	r := loose(&front.Message{Request: in.req, Flow: in.way, At: rs.heard})
	rs.media = rs.newNegotiator(in.way)
	if ref := rs.propose(r, c); ref != nil {
		return fmt.Errorf("%w: %s", ErrNoOffer, ref.warning)
	}
	rs.unconfirmed = in
	rs.first = rs.event(Offered, r, c)
	rs.pending.req = nil // there is no request to answer
	rs.first.Headers = headersOf(in.res)
	rs.first.Evidence = "INVITE of the recording server"
	rs.first.reply = func(status int, _ string) { rs.conclusion(status) }
	return nil
}

// conclusion acknowledges the 2xx with the answer to its offer. What the handler
// refuses is ended by BYE, since a 2xx cannot be refused (RFC 3261 §13.2.2.4).
func (rs *RecordingSession) conclusion(status int) {
	in, next := rs.unconfirmed, rs.next
	rs.unconfirmed, rs.next = nil, nil
	rs.confirmed = true
	ack := rs.server.newAck(in.req, in.res, next.body)
	if status >= 300 {
		rs.server.confirm(in.tx, in.way, in.req, ack)
		rs.media.undo(next)
		rs.inbox.post(endNote{EndRejected})
		return
	}
	rs.media.commit(next, rs.log)
	if rs.life.interval > 0 {
		rs.startLife()
	}
	rs.changed()
	rs.server.confirm(in.tx, in.way, in.req, ack)
	rs.watch()
}

// decline ends what an SRC has accepted and we cannot take.
func (rs *RecordingSession) decline(in *initiation) {
	rs.server.confirm(in.tx, in.way, in.req, rs.server.newAck(in.req, in.res, nil))
	rs.confirmed = true
	rs.sendBye(EndRejected)
}
