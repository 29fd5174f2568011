package sdp

import (
	"cmp"
	"net/netip"
	"slices"
)

// A Plan says what a recording server does with an offered m-line.
type Plan int

const (
	// Record: a bound port, packets are taken.
	Record Plan = iota + 1
	// Hold: a bound port and a=inactive; packets that come are dropped. Some
	// relays take port 0 on one m-line for the end of the whole recording.
	Hold
	// Refuse: port 0, because nothing could be received (RFC 3264 §6).
	Refuse
)

// String returns record, hold or refuse.
func (p Plan) String() string {
	switch p {
	case Record:
		return "record"
	case Hold:
		return "hold"
	case Refuse:
		return "refuse"
	}
	return "unknown"
}

// Plan tells what to do with the m-line. RFC 7866 §8.3.1: the answer holds each
// offered m-line, and those not wanted have port 0. SRTP is refused: without
// its keys no packet could be read (RFC 7866 §12.2).
func (m *Media) Plan() Plan {
	switch {
	case m.Port == 0, !m.IsRTP(), m.Secure(), len(m.Codecs) == 0:
		return Refuse
	case m.IsAudio() && slices.ContainsFunc(m.Codecs, Codec.isMedia):
		return Record
	}
	return Hold
}

// AnswerDirection is the direction to answer (RFC 3264 §6.1, RFC 7866 §7.2):
// recvonly when the m-line is recorded and the SRC may send on it, else inactive.
func (m *Media) AnswerDirection() string {
	sends := m.Direction == SendOnly || m.Direction == SendRecv
	if m.Plan() == Record && sends && !m.Null {
		return RecvOnly
	}
	return Inactive
}

// Choose returns the codecs to answer, nil for an m-line to refuse. All that are
// offered are answered, since a payload is kept whatever it is, under the
// offerer's numbers (RFC 3264 §6.1). Where media is recorded their order is our
// preference: what can be decoded in process, other codecs, and at the end
// comfort noise, events and redundancy, in the offerer's order each.
func (m *Media) Choose() []Codec {
	plan := m.Plan()
	if plan == Refuse {
		return nil
	}
	chosen := slices.Clone(m.Codecs)
	if plan == Record {
		slices.SortStableFunc(chosen, func(a, b Codec) int { return cmp.Compare(a.rank(), b.rank()) })
	}
	return chosen
}

// Slot is the answer to the m-line with the port that was bound for it, which
// is not used when the m-line is to be refused. Port 0 refuses it too. It agrees
// to an offered a=rtcp-mux; a caller that cannot do that clears RTCPMux.
func (m *Media) Slot(port uint16) Slot {
	s := Slot{
		Media: m.Type, Proto: m.Proto, Formats: m.Formats,
		Label: m.Label, Mid: m.Mid, Direction: Inactive,
	}
	if m.Plan() == Refuse || port == 0 {
		return s
	}
	s.Port, s.Direction, s.Codecs = port, m.AnswerDirection(), m.Choose()
	s.Ptime, s.RTCPMux = m.Ptime, m.RTCPMux
	return s
}

// A Local is who answers or offers: the o= and c= lines.
type Local struct {
	User string // user name of o=; - when empty
	// ID stays the same for a dialog; Version rises by one with each
	// description that differs from the one before (RFC 3264 §8).
	ID, Version uint64
	Addr        netip.Addr // where media is received
}

// A Slot is one m-line of an answer or offer.
type Slot struct {
	Media     string  // as offered
	Proto     string  // as offered (RFC 3264 §6)
	Port      uint16  // 0 = refused
	Direction string  // recvonly or inactive; anything else is written as inactive
	Codecs    []Codec // the formats
	// Formats are written when there are no Codecs: the offered ones.
	Formats    []string
	Label, Mid string // as offered; empty = not written
	Ptime      int    // ms; 0 = not written
	RTCPMux    bool
	// RTCPPort is written as a=rtcp (RFC 3605) when it is neither 0 nor Port+1.
	RTCPPort uint16
	// Addr is written as c= of the m-line when it is valid and not Local.Addr.
	Addr netip.Addr
}
