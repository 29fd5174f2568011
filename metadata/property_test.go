package metadata_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/metadata"
)

// randomDocument builds a document of up to four of each element, which refer to
// each other at random.
func randomDocument(r *rand.Rand, mode string) string {
	var parts []string
	pick := func(prefix string) string { return fmt.Sprintf("%s%d", prefix, r.IntN(4)) }
	some := func(n int) bool { return r.IntN(n) == 0 }
	maybe := func(s string) string {
		if some(3) {
			return s
		}
		return ""
	}
	for i := range 4 {
		if some(2) {
			parts = append(parts, comm(fmt.Sprintf("S%d", i), maybe("<group-ref>G1</group-ref>"), maybe(starts), maybe(stops)))
		}
		if !some(3) {
			parts = append(parts, person(fmt.Sprintf("P%d", i), "sip:"+pick("a")+"@example.com"))
		}
		if !some(3) {
			parts = append(parts, stream(fmt.Sprintf("M%d", i), pick("S"), fmt.Sprint(i)))
		}
		if !some(3) {
			parts = append(parts, member(pick("P"), pick("S"), maybe(joins), maybe(leaves)))
		}
		if some(2) {
			parts = append(parts, media(pick("P"), l(pick("M"), pick("M"))[:r.IntN(3)], l(pick("M"))[:r.IntN(2)]))
		}
	}
	r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	return doc(mode, parts...)
}

// current is a view without what only history knows.
func current(m *metadata.Model) string {
	return strings.ReplaceAll(fmt.Sprintf("%+v", m.Current()), " guessed", "")
}

// A complete document gives the same current state after any history as on an
// empty model (M1), as long as nothing has to be guessed from what was before.
func TestCompleteForgetsTheCurrentState(t *testing.T) {
	r := rand.New(rand.NewPCG(7865, 7866))
	b := lines("0", "1", "2", "3")
	for n := range 150 {
		m := metadata.New()
		for range r.IntN(4) {
			mode := []string{"complete", "partial"}[r.IntN(2)]
			m, _ = m.Apply(decode(t, randomDocument(r, mode)), instant(n), b)
		}
		d := decode(t, randomDocument(r, "complete"))
		after, _ := m.Apply(d, instant(n), b)
		fresh, _ := metadata.New().Apply(d, instant(n), b)
		if guessed(after) || guessed(fresh) {
			continue
		}
		if got, want := current(after), current(fresh); got != want {
			t.Fatalf("after a history\n%s\non an empty model\n%s", got, want)
		}
	}
}

func guessed(m *metadata.Model) bool {
	for _, sp := range m.Spans() {
		if sp.Guessed && sp.To.IsZero() {
			return true
		}
	}
	return false
}

// Any document applied twice changes nothing the second time.
func TestApplyIsIdempotent(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 26))
	b := lines("0", "1", "2", "3")
	for n := range 150 {
		m, _ := metadata.New().Apply(decode(t, randomDocument(r, "complete")), instant(n), b)
		for _, mode := range []string{"complete", "partial", "partial"} {
			xml := randomDocument(r, mode)
			once, _ := m.Apply(decode(t, xml), instant(n), b)
			twice, changes := once.Apply(decode(t, xml), instant(n+1), b)
			if mode == "complete" && (len(changes) > 0 || !reflect.DeepEqual(once.Current(), twice.Current())) {
				t.Fatalf("%s applied twice: %+v\n%s", mode, changes, xml)
			}
			m = once
		}
	}
}

// The changes of a document, applied to the state before, give the state after.
func TestChangesTellTheWholeDifference(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 13))
	b := lines("0", "1", "2", "3")
	for range 150 {
		m := metadata.New()
		state := make(map[string]bool)
		for n := range 5 {
			mode := []string{"complete", "partial"}[r.IntN(2)]
			var changes []metadata.Change
			m, changes = m.Apply(decode(t, randomDocument(r, mode)), instant(n), b)
			for _, c := range changes {
				follow(t, state, c)
			}
			if want := spanSet(m); !reflect.DeepEqual(state, want) {
				t.Fatalf("changes lead to %v, the model says %v", state, want)
			}
		}
	}
}

func follow(t *testing.T, state map[string]bool, c metadata.Change) {
	t.Helper()
	begins := map[metadata.ChangeKind]string{metadata.Joined: "in", metadata.SendingStarted: "sends", metadata.StreamStarted: "stream", metadata.CommunicationSessionStarted: "active"}
	ends := map[metadata.ChangeKind]string{metadata.Left: "in", metadata.SendingStopped: "sends", metadata.StreamStopped: "stream", metadata.CommunicationSessionStopped: "active"}
	word, begin := begins[c.Kind]
	if !begin {
		word = ends[c.Kind]
	}
	if word == "" {
		return
	}
	cs := c.CommunicationSession
	if word == "stream" {
		cs = ""
	}
	key := fmt.Sprint(word, " ", c.Participant, " ", cs, " ", c.Stream)
	if state[key] == begin {
		t.Fatalf("%v of %q, which was so already", c.Kind, key)
	}
	if begin {
		state[key] = true
	} else {
		delete(state, key)
	}
}

func spanSet(m *metadata.Model) map[string]bool {
	words := map[metadata.SpanKind]string{metadata.Member: "in", metadata.Sending: "sends", metadata.Streaming: "stream", metadata.Active: "active"}
	out := make(map[string]bool)
	for _, sp := range m.Spans() {
		word := words[sp.Kind]
		if word == "" || !sp.To.IsZero() || sp.Unresolved && (word == "in" || word == "sends") {
			continue
		}
		cs := sp.CommunicationSession
		if word == "stream" {
			cs = ""
		}
		out[fmt.Sprint(word, " ", sp.Participant, " ", cs, " ", sp.Stream)] = true
	}
	return out
}
