package siprec

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"github.com/siprecd/siprecd/siprec/internal/body"
	"github.com/siprecd/siprecd/siprec/internal/front"
	"github.com/siprecd/siprecd/siprec/internal/sdp"
)

// content is what the body of a request holds.
type content struct {
	offer    *sdp.Description // nil without SDP
	metadata [][]byte
	parts    []Part
	oddities []string
	// marked says that a part has the disposition recording-session.
	marked bool
	// warnings are what the handler has to say of it in the 200.
	warnings []string
	// demanded is the type of a part that is not understood and has to be; empty when
	// there is none.
	demanded string
}

// carriesOffer says whether SDP in a request of that method is an offer or an
// answer (RFC 3264, RFC 3311). In an OPTIONS or INFO it is only a body part.
func carriesOffer(m sip.RequestMethod) bool {
	return m == sip.INVITE || m == sip.UPDATE || m == sip.ACK
}

// readContent splits the body of a request (RFC 5621).
func readContent(req *sip.Request) (*content, *refusal) {
	c, ref := readBody(req, req.Method)
	if ref == nil && c.demanded != "" && (req.Method == sip.INVITE || req.Method == sip.UPDATE) {
		// RFC 5621 §8.3. A part that does not say so is kept and not understood.
		return nil, refuse(415, "media type "+c.demanded+" is required and not understood", sip.NewHeader("Accept", acceptedTypes))
	}
	return c, ref
}

// readBody splits the body of a request or response of that method.
func readBody(m sip.Message, method sip.RequestMethod) (*content, *refusal) {
	c := &content{}
	raw := m.Body()
	if len(raw) == 0 {
		return c, nil
	}
	if enc := front.Header(m, "Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return nil, refuse(415, "Content-Encoding "+enc+" is not understood", sip.NewHeader("Accept-Encoding", "identity"))
	}
	parts, oddities, err := body.Split(front.Header(m, "Content-Type"), front.Header(m, "Content-Disposition"), raw)
	if err != nil {
		return nil, refuse(400, "body: "+err.Error())
	}
	c.oddities = oddities
	for _, p := range parts {
		switch {
		case p.IsSDP() && c.offer == nil && carriesOffer(method):
			if c.offer, err = sdp.Parse(p.Body); err != nil {
				return nil, refuse(400, "SDP: "+err.Error())
			}
		case p.IsMetadata():
			c.metadata = append(c.metadata, p.Body)
		default:
			if p.Handling == "required" && p.Type != body.TypeSDP {
				c.demanded = p.Type
			}
			c.parts = append(c.parts, exportPart(p))
		}
		c.marked = c.marked || p.Disposition == "recording-session"
	}
	if len(parts) == 1 && len(c.parts) == 1 && carriesOffer(method) && c.parts[0].Disposition == "" && !strings.EqualFold(parts[0].Handling, "optional") {
		// RFC 3261 §8.2.3. Within multipart, an unknown part is only kept: SRCs
		// send parts of their own and do not say that they are optional.
		return nil, refuse(415, "media type "+c.parts[0].Type+" is not understood", sip.NewHeader("Accept", acceptedTypes))
	}
	return c, nil
}

func exportPart(p body.Part) Part {
	out := Part{Type: p.Type, Disposition: p.Disposition, Body: p.Body}
	for _, h := range p.Headers {
		out.Headers = append(out.Headers, Header{h.Name, h.Value})
	}
	return out
}

// checkRequire refuses option tags that are not understood (RFC 3261 §8.2.2.3).
// Some SRCs run their tags together, so a tag is known by its beginning too.
func checkRequire(req *sip.Request) *refusal {
	var unknown []string
	for _, value := range front.Values(req, "Require") {
		for _, tag := range strings.Fields(value) {
			if !understood[strings.ToLower(tag)] && !strings.HasPrefix(strings.ToLower(tag), "siprec") {
				unknown = append(unknown, tag)
			}
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	list := strings.Join(unknown, ", ")
	return refuse(420, "required and not understood: "+list, sip.NewHeader("Unsupported", list))
}

// evidence says why an INVITE is taken for a recording session (RFC 7866 §6.2,
// which asks for siprec in Require and +sip.src in Contact; devices leave one or
// the other out), or is empty.
func evidence(req *sip.Request, c *content) string {
	for _, tag := range append(front.Values(req, "Require"), front.Values(req, "Supported")...) {
		if strings.HasPrefix(strings.ToLower(tag), "siprec") {
			return "option tag siprec"
		}
	}
	if isSourceTag(front.Header(req, "Contact")) {
		return "feature tag sip.src"
	}
	switch {
	case len(c.metadata) > 0:
		return "rs-metadata part"
	case c.marked:
		return "disposition recording-session"
	}
	return ""
}

// isSourceTag finds the feature tag sip.src in a Contact (RFC 7866 §11.2), also
// as ;src, with other punctuation, or within the angle brackets.
func isSourceTag(contact string) bool {
	for _, param := range strings.FieldsFunc(strings.ToLower(contact), func(r rune) bool { return r == ';' || r == '>' || r == ',' }) {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		if strings.Trim(value, `" `) == "false" {
			continue
		}
		switch strings.Trim(name, "+. \t") {
		case "sip.src", "src", "sip-src", "sip_src", "sipsrc":
			return true
		}
	}
	return false
}

// begin judges the INVITE that opens the recording session and makes its Offered
// event. When it is refused, begin has answered it.
func (rs *RecordingSession) begin(r *request) bool {
	ev, ref := rs.offered(r)
	if ref != nil {
		ref = rs.server.elsewhere(r, ref)
		rs.server.busyLog.Warn("invite refused", append(rs.logFields(), zap.Int("status", ref.status), zap.String("why", ref.warning))...)
		rs.server.refuse(r, rs.localTag, ref)
		rs.server.tx.retire(r)
		return false
	}
	rs.first = ev
	if ev.HasOffer && lists(r.Request, "Require", "100rel") {
		rs.ring(r)
	}
	return true
}

func (rs *RecordingSession) offered(r *request) (*Event, *refusal) {
	if ref := checkRequire(r.Request); ref != nil {
		return nil, ref
	}
	if ref := checkInterval(r.Request, rs.src.SessionTimer); ref != nil {
		return nil, ref
	}
	c, ref := readContent(r.Request)
	if ref != nil {
		return nil, ref
	}
	why := evidence(r.Request, c)
	if why == "" {
		if !rs.src.PlainInvite {
			return nil, refuse(403, "not a recording session (no option tag siprec, no sip.src, no rs-metadata), and plain INVITEs are not accepted from this source")
		}
		why = "plain INVITE from a configured source"
	}
	if rs.src.Strict && !bothMarks(r.Request) {
		return nil, refuse(403, "this client has to mark a recording session with +sip.src in its Contact and siprec in Require (RFC 7866 section 6)")
	}
	rs.media = rs.newNegotiator(r.Flow)
	rs.peerCSeq, rs.branch = r.Request.CSeq().SeqNo, branchOf(r)
	rs.touch(r)
	if rs.noContact {
		c.oddities = append(c.oddities, "no Contact that can be used: requests go to where the INVITE came from")
	}
	rs.learnRoutes(front.Values(r.Request, "Record-Route"))
	if ref := rs.propose(r, c); ref != nil {
		return nil, ref
	}
	rs.told = telling(r.Request)
	ev := rs.event(Offered, r, c)
	ev.Evidence = why
	return ev, nil
}

func (rs *RecordingSession) newNegotiator(flow *front.Flow) negotiator {
	return negotiator{
		plane: rs.server.plane, origin: rs.server.originID(), peer: flow.Remote(),
		local: flow.Local().Addr(), nets: rs.src.MediaNetworks,
		share: share{rs.server.ports, rs.src.Name, rs.src.MaxStreams},
		terms: rs.src.terms(), random: rs.server.cfg.Random,
		said: rs.server.mediaAddress(flow), cname: cnameOf(rs.callID, rs.localTag),
	}
}

// cnameOf is what this server is called in the RTCP of a recording session: the same for
// all of its streams (RFC 3550 §6.5.1) and after a restart, another for each recording
// session, and made of a random tag, so that it tells nothing of this machine (RFC 7022 §4.2).
func cnameOf(callID, localTag string) string {
	sum := sha256.Sum256([]byte(callID + "\x00" + localTag))
	return base64.StdEncoding.EncodeToString(sum[:12])
}

func refuseEmptyOffer() *refusal { return refuse(488, "the offer has no m-line") }

// propose makes the agreement that a request leads to, if it brings an offer or
// asks for one.
func (rs *RecordingSession) propose(r *request, c *content) *refusal {
	var err error
	switch {
	case c.offer != nil && len(c.offer.Media) == 0 && rs.media.now != nil && len(rs.media.now.slots) > 0:
		// RFC 3264 §8: m-lines never become fewer. What has none is no offer that
		// was meant, and ends no stream.
		return refuseEmptyOffer()
	case c.offer != nil:
		rs.next, err = rs.media.answer(c.offer, r.At)
	case r.method() == sip.INVITE:
		rs.next, err = rs.media.offer(r.At)
	default:
		return nil
	}
	if errors.Is(err, errTooManyStreams) {
		if c.offer != nil && rs.media.needs(c.offer) > rs.src.MaxStreams {
			return refuse(488, "more streams than this client may have, "+strconv.Itoa(rs.src.MaxStreams)).because(RefusedLimit)
		}
		return refuse(503, err.Error(), retryAfter()).because(RefusedLimit)
	}
	if err != nil {
		rs.log.Error("no ports for recorded streams", zap.Error(err))
		return refuse(503, "no media ports are free", retryAfter()).because(RefusedPorts)
	}
	rs.withhold(rs.next)
	each := rs.next.refusals()
	if !rs.next.acceptable() && (rs.media.now == nil || each != "") {
		// Within a dialog what was agreed stays (RFC 3261 §14.2, RFC 3311 §5.2).
		why := "none of the offered streams can be received"
		if each != "" {
			why += ": " + each
		}
		rs.media.undo(rs.next)
		rs.next = nil
		return refuse(488, why)
	}
	return nil
}

// event makes the event of a request; what its answer does is bound to it.
func (rs *RecordingSession) event(kind EventKind, r *request, c *content) *Event {
	ev := &Event{
		Kind: kind, At: r.At, Method: string(r.method()), CSeq: r.Request.CSeq().SeqNo,
		Metadata: c.metadata, Parts: c.parts,
		Oddities: append(append([]string(nil), r.Oddities...), c.oddities...),
	}
	ev.Headers = headersOf(r.Request)
	if len(c.metadata) > 0 {
		rs.server.tellExposed(rs.src, rs.origin)
	}
	switch {
	case rs.next != nil:
		ev.HasOffer = c.offer != nil
		ev.Streams = rs.next.streams()
		ev.Oddities = append(ev.Oddities, rs.next.oddities...)
	case rs.media.now != nil:
		ev.Streams = rs.media.now.streams()
	}
	ev.reply = func(status int, warning string) { rs.reply(ev, r, c, status, warning) }
	rs.pending = &handed{event: ev, req: r}
	return ev
}

func headersOf(m interface{ Headers() []sip.Header }) []Header {
	hs := m.Headers()
	out := make([]Header, len(hs))
	for i, h := range hs {
		out[i] = Header{h.Name(), h.Value()}
	}
	return out
}
