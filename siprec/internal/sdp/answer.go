package sdp

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
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

// A SecureMode says what becomes of SRTP and of plain RTP (RFC 7866 §12.2).
type SecureMode int

const (
	// PreferSRTP takes SRTP where it is offered, and plain RTP too.
	PreferSRTP SecureMode = iota
	// RequireSRTP refuses m-lines without a crypto attribute that can be accepted, and
	// accepts none that leaves anything unencrypted.
	RequireSRTP
	// NoSRTP refuses SRTP.
	NoSRTP
)

// Terms are what is accepted of a source. The zero value accepts all that can be
// received.
type Terms struct {
	SRTP SecureMode
	// Suites are those that are accepted, the preferred first; nil means
	// DefaultSuites.
	Suites []Suite
	// Codecs are encoding names in upper case that come first in an answer, in
	// this order. They exclude none.
	Codecs []string
	// RefuseUnrecorded answers media that is not recorded with port 0 instead of
	// a bound port and a=inactive.
	RefuseUnrecorded bool
}

func (t *Terms) suites() []Suite {
	if t.Suites == nil {
		return DefaultSuites()
	}
	return t.Suites
}

// Plan tells what to do with the m-line. RFC 7866 §8.3.1: the answer holds each
// offered m-line, and those not wanted have port 0.
func (m *Media) Plan(t Terms) Plan {
	switch {
	case m.Refusal(t) != "":
		return Refuse
	case m.isRecorded():
		return Record
	}
	return Hold
}

// Refusal says in words why the m-line gets port 0; empty when it does not.
func (m *Media) Refusal(t Terms) string {
	switch {
	case m.Port == 0:
		return "offered with port 0" // RFC 3264 §8.2
	case !m.IsRTP():
		return strings.ToUpper(clean(m.Proto)) + " is not taken"
	case m.isDTLS():
		return "keys by DTLS are not supported, offer RTP/SAVP with a=crypto" // RFC 5764
	case len(m.Codecs) == 0:
		return "no format that can be read"
	case t.RefuseUnrecorded && !m.isRecorded():
		return "not recorded, and refused by the profile of the source"
	}
	return m.cryptoRefusal(t)
}

// cryptoRefusal says why the protection that is offered, or missing, is not taken.
func (m *Media) cryptoRefusal(t Terms) string {
	switch {
	case m.isSRTP() && t.SRTP == NoSRTP:
		return "SRTP is not taken from this source"
	case m.isSRTP():
		if _, err := m.ChooseCrypto(t); err != nil {
			return "SRTP without a usable key: " + err.Error()
		}
	case t.SRTP == RequireSRTP:
		if _, err := m.ChooseCrypto(t); err != nil {
			return "SRTP is required of this source: " + err.Error()
		}
	}
	return ""
}

func (m *Media) isRecorded() bool {
	return m.IsRTP() && m.IsAudio() && slices.ContainsFunc(m.Codecs, Codec.isMedia)
}

// AcceptedCrypto is the attribute to accept; false where the stream is plain RTP.
//
// Under RTP/AVP an attribute offers best-effort SRTP: the source encrypts if, and
// only if, the answer accepts it. RFC 4568 does not know that, but the answer is
// understood in one way only, so it is accepted unless SRTP is off.
func (m *Media) AcceptedCrypto(t Terms) (Crypto, bool) {
	if t.SRTP == NoSRTP || len(m.Crypto) == 0 || m.Plan(t) == Refuse {
		return Crypto{}, false
	}
	c, err := m.ChooseCrypto(t)
	return c, err == nil
}

// AnswerDirection is the direction to answer (RFC 3264 §6.1, RFC 7866 §7.2):
// recvonly when the m-line is recorded and the SRC may send on it, else inactive.
func (m *Media) AnswerDirection(t Terms) string {
	sends := m.Direction == SendOnly || m.Direction == SendRecv
	if m.Plan(t) == Record && sends && !m.Null {
		return RecvOnly
	}
	return Inactive
}

// Choose returns the codecs to answer, nil for an m-line to refuse, under the
// offerer's numbers (RFC 3264 §6.1). Where media is recorded their order is that
// of the terms, then what can be decoded in process, other codecs, comfort noise
// and events, in the offerer's order each. A payload is kept whatever it is, so
// all are answered but redundancy and error correction (RFC 2198, RFC 5109): a
// source that must not send them sends the media itself.
func (m *Media) Choose(t Terms) []Codec {
	plan := m.Plan(t)
	if plan == Refuse {
		return nil
	}
	chosen := slices.Clone(m.Codecs)
	if plan == Record {
		chosen = slices.DeleteFunc(chosen, Codec.isRedundancy)
		slices.SortStableFunc(chosen, func(a, b Codec) int {
			return cmp.Or(cmp.Compare(t.wish(a), t.wish(b)), cmp.Compare(a.rank(), b.rank()))
		})
	}
	return chosen
}

// wish is the place of a codec in the preference, which media only can have: an
// event that came first would say that nothing else is wanted.
func (t *Terms) wish(c Codec) int {
	if i := slices.Index(t.Codecs, c.Name); i >= 0 && c.isMedia() {
		return i
	}
	return len(t.Codecs)
}

// Slot is the answer to the m-line with the port that was bound for it, which
// is not used when the m-line is to be refused. Port 0 refuses it too. It agrees
// to an offered a=rtcp-mux, and leaves the crypto attribute to the caller, who
// has the key.
func (m *Media) Slot(port uint16, t Terms) Slot {
	s := Slot{
		Media: m.Type, Proto: m.Proto, Formats: m.Formats,
		Label: m.Label, Mid: m.Mid, Direction: Inactive,
	}
	if m.Plan(t) == Refuse || port == 0 {
		return s
	}
	s.Port, s.Direction, s.Codecs = port, m.AnswerDirection(t), m.Choose(t)
	s.Ptime, s.MaxPtime, s.Content, s.RTCPMux = m.Ptime, m.MaxPtime, m.Content, m.RTCPMux
	return s
}

// A Local is who answers or offers: the o= and c= lines.
type Local struct {
	User string // user name of o=; - when empty
	// ID stays the same for a dialog; Version rises by one with each
	// description that differs from the one before (RFC 3264 §8).
	ID, Version uint64
	Addr        netip.Addr // where media is received
	// Time is that of the offer (RFC 3264 §6); empty is "0 0".
	Time string
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
	Content    string // as offered (RFC 4796); empty = not written
	// Ptime and MaxPtime are in ms; 0 = not written.
	Ptime, MaxPtime int
	RTCPMux         bool
	// Crypto is the value of a=crypto; empty = not written.
	Crypto string
	// RTCPPort is written as a=rtcp (RFC 3605) when it is neither 0 nor Port+1.
	RTCPPort uint16
	// Addr is written as c= of the m-line when it is valid and not Local.Addr.
	Addr netip.Addr
}
