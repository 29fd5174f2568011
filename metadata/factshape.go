package metadata

import "strings"

// What some devices say is not in an element of its own but in how an id or an
// address looks.

// An Avaya UCID in a User-to-User field or as an id: protocol discriminator 00,
// application FA, length 08, then 8 octets, all in hexadecimal (Avaya, "UCID in
// SIP", application type for universal call ids).
const ucidHead, ucidLen = "00FA08", 22

func isUCID(s string) bool {
	return len(s) == ucidLen && strings.EqualFold(s[:len(ucidHead)], ucidHead) && isHex(s)
}

func isHex(s string) bool {
	for _, c := range s {
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F') {
			return false
		}
	}
	return s != ""
}

// universalID tells that the id of a communication session is a UCID: Avaya SBCE
// has no other.
func (f *factReader) universalID(cs CommunicationSession) {
	if raw := strings.TrimSpace(cs.Raw); isUCID(raw) {
		f.facts = append(f.facts, Fact{
			Kind: FactUCID, Value: raw, About: cs.ID, Of: CommunicationSessionKind, Dialect: DialectAvaya, Field: "session/session_id",
		})
	}
}

// placeholder tells that a participant is made up: Avaya SBCE sends one before
// the second party answers. Its address is the product's name at a domain of the
// same name, and its id was typed by hand: letters in order, then digits in
// order.
func (f *factReader) placeholder(p Participant) {
	if !typedInOrder(strings.TrimSpace(p.Raw)) {
		return
	}
	for _, n := range p.NameIDs {
		a := parseAddress(n.AOR)
		domain, _, _ := strings.Cut(a.host, ".")
		if a.user != "" && strings.EqualFold(a.user, domain) {
			f.facts = append(f.facts, Fact{
				Kind: FactPlaceholder, Value: strings.TrimSpace(n.AOR), About: p.ID, Of: ParticipantKind,
				Dialect: DialectAvaya, Field: "participant/nameID/aor",
			})
			return
		}
	}
}

// The shortest id that can be told from a coincidence.
const minTyped = 8

// typedInOrder reports whether each character of an id is the one after the one
// before, 0 after 9, with one step from letters to digits at most.
func typedInOrder(s string) bool {
	if len(s) < minTyped {
		return false
	}
	steps := 0
	for i := 1; i < len(s); i++ {
		a, b := s[i-1], s[i]
		digits := isDigit(a) && isDigit(b)
		switch {
		case b == a+1 && isDigit(a) == isDigit(b), digits && a == '9' && b == '0':
		case !isDigit(a) && isDigit(b):
			steps++
		default:
			return false
		}
	}
	return steps <= 1
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// ComparableUCID returns a universal call id in a form in which its spellings are
// equal: with and without "encoding=hex" and the head of a User-to-User field, in
// either case, with and without leading zeros, which some SBCs drop.
func ComparableUCID(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), ";")
	s = strings.ToUpper(strings.TrimSpace(s))
	if isUCID(s) {
		s = s[len(ucidHead):]
	}
	if short := strings.TrimLeft(s, "0"); short != "" {
		return short
	}
	return s
}
