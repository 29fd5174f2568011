package siprec

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/siprecd/siprecd/siprec/internal/front"
	"github.com/siprecd/siprecd/siprec/internal/sdp"
)

// ErrNotSIP: what was to be inspected begins neither as a SIP message nor as an
// XML document.
var ErrNotSIP = errors.New("neither a SIP message nor an XML document")

// An Inspection is what the server would read in one message, and how it would
// answer. It is made without a socket: of a dialog it knows what stands in the
// message alone.
type Inspection struct {
	// Start is the start line. It is empty for a bare metadata document, of
	// which nothing but Metadata is set.
	Start  string
	Method string // of the request, or of the CSeq of a response
	Status int    // of a response, else 0
	CallID string
	CSeq   uint32
	// InDialog says that the To has a tag: the request is within a recording
	// session (RFC 3261 §12.2).
	InDialog bool
	Headers  []Header

	HasOffer bool // there is a readable session description
	// Streams are its m-lines as the server would take them. Ports of ours are
	// not known, and Generation is that of a first offer; see Follow.
	Streams  []Stream
	Metadata [][]byte // metadata parts, as sent
	Parts    []Part   // all other parts but the session description

	// Evidence is what makes it a recording session (RFC 7866 §6.2), in words;
	// empty when nothing does. An INVITE without evidence is taken from sources
	// with SRC.PlainInvite only.
	Evidence string
	Answer   Answer
	Oddities []string // deviations from the standards that were tolerated
}

// An Answer is how the server would answer a message.
type Answer struct {
	// Status is 0 when the message is not answered: responses, ACK, documents.
	Status  int
	Warning string // why, when Status is 300 or above
	// Lines are what becomes of each offered m-line; nil when there is no offer or
	// the answer does not come to it.
	Lines []AnswerLine
}

// An AnswerLine is one m-line of an answer.
type AnswerLine struct {
	Direction string // recvonly or inactive; refused for port 0
	Why       string // why it is not recvonly, in words; else empty
}

// Inspect reads one message as the server would: the same repair, the same
// splitting of bodies, the same reader of SDP, the same reasons to refuse. A bare
// metadata document is taken too. What stands behind the first message is left;
// see InspectAll.
func Inspect(raw []byte) (*Inspection, error) {
	in, _, err := inspect(raw)
	return in, err
}

// InspectAll reads one message after the other, as they stand in a saved trace:
// each begins with its start line behind the body of the one before.
func InspectAll(raw []byte) ([]*Inspection, error) {
	var all []*Inspection
	for first := true; first || len(bytes.TrimSpace(raw)) > 0; first = false {
		in, rest, err := inspect(raw)
		if err != nil {
			return nil, err // of the first only: what is no message belongs to the one before
		}
		all, raw = append(all, in), rest
	}
	return all, nil
}

func inspect(raw []byte) (in *Inspection, rest []byte, err error) {
	if text := bytes.TrimLeft(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")), " \t\r\n"); bytes.HasPrefix(text, []byte("<")) {
		return &Inspection{Metadata: [][]byte{raw}}, nil, nil
	}
	m, rest, err := front.Read(raw)
	var refusal *front.Refusal
	switch {
	case errors.As(err, &refusal):
		in = &Inspection{Start: refusal.Start, Answer: Answer{Status: refusal.Status, Warning: refusal.Text}}
		return in, rest, nil
	case err != nil:
		return nil, nil, ErrNotSIP
	case m.Response != nil:
		return inspectResponse(m), rest, nil
	}
	return inspectRequest(m), rest, nil
}

func inspectResponse(m *front.Message) *Inspection {
	res := m.Response
	in := &Inspection{Start: res.StartLine(), Status: res.StatusCode, Oddities: m.Oddities}
	in.identify(res, res.Headers())
	return in
}

// identify copies what tells one message from another.
func (in *Inspection) identify(m sip.Message, headers []sip.Header) {
	in.Method, in.CSeq = string(m.CSeq().MethodName), m.CSeq().SeqNo
	in.CallID = m.CallID().Value()
	if to := m.To(); to != nil {
		in.InDialog = to.Params.Has("tag")
	}
	for _, h := range headers {
		in.Headers = append(in.Headers, Header{h.Name(), h.Value()})
	}
}

func inspectRequest(m *front.Message) *Inspection {
	req := m.Request
	in := &Inspection{Start: req.StartLine(), Oddities: m.Oddities}
	in.identify(req, req.Headers())
	c, ref := readContent(req)
	if c == nil {
		c = &content{}
	}
	in.Metadata, in.Parts = c.metadata, c.parts
	in.Oddities = append(in.Oddities, c.oddities...)
	in.Evidence = evidence(req, c)
	var lines []AnswerLine
	if c.offer != nil {
		in.HasOffer = true
		in.Oddities = append(in.Oddities, c.offer.Oddities...)
		in.Streams, lines = inspectOffer(c.offer)
	}
	in.Answer = in.judge(req, ref, lines)
	return in
}

// judge says how the server would answer: the checks of its dispatch, its first
// INVITE and its dialogs, in their order.
func (in *Inspection) judge(req *sip.Request, unreadable *refusal, lines []AnswerLine) Answer {
	first := in.Method == string(sip.INVITE) && !in.InDialog
	required := checkRequire(req)
	switch {
	case req.Method == sip.ACK:
		return Answer{}
	case req.Method == sip.CANCEL:
		return Answer{Status: 200}
	case in.InDialog && !inDialogMethod(req.Method), !in.InDialog && !outsideMethod(req.Method):
		return refused(refuse(405, in.Method+" is not for recording sessions"))
	case !in.InDialog && !first && req.Method != sip.OPTIONS:
		return refused(refuse(481, "no such recording session"))
	case req.Method == sip.BYE:
		return Answer{Status: 200} // whatever its body and its Require say
	case first && required != nil:
		return refused(required)
	case unreadable != nil:
		return refused(unreadable)
	case required != nil:
		return refused(required)
	case first && len(lines) > 0 && !in.receivable():
		no := refused(refuse(488, "none of the offered streams can be received"))
		no.Lines = lines
		return no
	}
	return Answer{Status: 200, Lines: lines}
}

// outsideMethod reports whether a method is known outside of dialogs, if only to
// be answered 481.
func outsideMethod(m sip.RequestMethod) bool {
	return inDialogMethod(m) || m == sip.PRACK || m == sip.NOTIFY
}

func refused(r *refusal) Answer { return Answer{Status: r.status, Warning: r.warning} }

func (in *Inspection) receivable() bool {
	for _, s := range in.Streams {
		if !s.Closed {
			return true
		}
	}
	return false
}

// inspectOffer is what the negotiator makes of an offer, without ports.
func inspectOffer(offer *sdp.Description) ([]Stream, []AnswerLine) {
	var streams []Stream
	var lines []AnswerLine
	for i := range offer.Media {
		m := &offer.Media[i]
		plan := m.Plan(sdp.Terms{})
		s := Stream{
			Index: i, Label: m.Label, Media: m.Type, Direction: Direction(m.Direction),
			Codecs: codecsOf(m.Choose(sdp.Terms{})), Ptime: time.Duration(m.Ptime) * time.Millisecond,
			Closed: plan == sdp.Refuse, Recordable: plan == sdp.Record,
		}
		line := AnswerLine{Direction: "refused"}
		if plan != sdp.Refuse {
			line.Direction = m.AnswerDirection(sdp.Terms{})
		}
		s.Receiving = line.Direction == sdp.RecvOnly
		if !s.Receiving {
			line.Why = whyNot(m, plan)
		}
		streams, lines = append(streams, s), append(lines, line)
	}
	return streams, lines
}

// whyNot says in words why nothing is received on an m-line.
func whyNot(m *sdp.Media, plan sdp.Plan) string {
	switch {
	case plan == sdp.Refuse:
		return m.Refusal(sdp.Terms{})
	case !m.IsAudio():
		return m.Type + " is not recorded"
	case plan != sdp.Record:
		return "no format of audio"
	case m.Null:
		return "offered with c=0.0.0.0" // RFC 3264 §8.4
	}
	return "offered " + m.Direction
}

// Follow completes the streams by those of the offer before in the same dialog:
// an m-line is still the same stream, or was used again for another one (RFC 3264
// §8.1); and one that the offer leaves out, against RFC 3264 §8, is closed. An offer
// without any m-line is refused, and leaves them as they were.
func (in *Inspection) Follow(before []Stream) {
	if len(in.Streams) == 0 && len(before) > 0 {
		in.Streams, in.Answer = slices.Clone(before), refused(refuseEmptyOffer())
		return
	}
	for i, old := range before {
		if i >= len(in.Streams) {
			old.Closed, old.Receiving, old.Direction = true, false, Inactive
			in.Streams = append(in.Streams, old)
			in.Oddities = appendOnce(in.Oddities, "offer has fewer m-lines than before")
			continue
		}
		s := &in.Streams[i]
		s.Generation = old.Generation
		if old.Closed && !s.Closed || old.Media != s.Media {
			s.Generation++
		}
	}
}

func appendOnce(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}
