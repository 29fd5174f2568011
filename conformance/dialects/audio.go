package dialects

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// A recording is a call of two speakers whose metadata come in some dialect, with a look
// at the files afterwards.
type recording struct {
	n           int
	requirement string
	request     src.Request // of the INVITE; Streams have the labels
	document    string      // of the INVITE
	later       string      // of a re-INVITE in the middle
	// people are texts of the documents, and the m-line of the speaker who stands in
	// their place: with an @ an AOR without its scheme, else a name.
	people map[string]int
}

// recordings are calls in dialects of which the files are looked at: each party has one,
// that is not another's.
func recordings() []check.Case {
	lines := labelled("1", "2")
	var out []check.Case
	for _, r := range []recording{
		{
			n: 1, requirement: "Two parties in the layout of RFC 7865, interleaved with their streams, have a file each.",
			request: src.Request{Streams: lines}, document: "cube", people: map[string]int{"+15550131@192.0.2.61": 0, "4711@192.0.2.62": 1, "Lena Berg": 1},
		},
		{
			n: 2, requirement: "Two parties in the layout of the drafts have a file each.",
			request: src.Request{Streams: lines, MetadataType: src.TypeOldMetadata}, document: "audiocodes",
			people: map[string]int{"+15550151@pbx.example.com": 0, "+15550152@pbx.example.com": 1},
		},
		{
			n: 3, requirement: "When the first participant sends the second stream, each file is the one of who is heard in it.",
			request: src.Request{Streams: lines}, document: "ribbon", people: map[string]int{"5550161@192.0.2.81": 1, "Desk 81": 1, "5550162@192.0.2.82": 0},
		},
		{
			n: 4, requirement: "Two parties in the layout of the older drafts have a file each, through a transfer that renews every id.",
			request: src.Request{Streams: lines}, document: "broadworks-dual", later: "broadworks-redirected",
			people: map[string]int{"15550191@voice.example": 0, "15550194@192.0.2.101": 1},
		},
		{
			n: 5, requirement: "Two parties that no association ties to their streams have a file each, by their labels.",
			request: src.Request{Streams: labelled("0", "1"), SameURI: true}, document: "opensips-streams",
			people: map[string]int{"@192.0.2.112": 0, "5550212@192.0.2.113": 1, "5550212": 1},
		},
		{n: 6, requirement: "Two streams without labels have a file each.", request: src.Request{Streams: labelled("", "")}, document: "cube"},
		{n: 7, requirement: "Two streams of one label have a file each.", request: src.Request{Streams: labelled("1", "1")}, document: "one-label"},
		{
			n: 8, requirement: "Metadata that is not well-formed costs no voice.",
			request: src.Request{Streams: labelled("33554497", "33554498")}, document: "oracle-unescaped", later: "oracle",
		},
	} {
		out = append(out, check.Case{
			ID: fmt.Sprintf("dialects/audio/%d", r.n), Section: "RFC 7866 §8.3.1, RFC 7865 §6.8", Level: check.Derived,
			Requirement: r.requirement, Needs: []string{check.Files}, Run: r.play,
		})
	}
	return out
}

// play has both speak before and after what comes in the middle.
func (r recording) play(ctx context.Context, t *check.T) {
	a, n := t.Audio("ines", "omar"), newNames()
	var people []string
	for _, text := range slices.Backward(slices.Sorted(maps.Keys(r.people))) { // an AOR before a name that it begins with
		name := a.Speaker(r.people[text]).Party().Name
		if strings.Contains(text, "@") {
			name += "@example.com"
		}
		people = append(people, text, name)
	}
	named := strings.NewReplacer(people...)
	request := n.request(t, step{request: r.request, document: r.document})
	request.Metadata = []byte(named.Replace(string(request.Metadata)))
	d := a.Open(ctx, request)
	a.Say(ctx, 30, src.PlayOptions{}, a.Speaker(0), a.Speaker(1))
	if r.later != "" {
		again := n.request(t, step{document: r.later})
		again.Metadata = []byte(named.Replace(string(again.Metadata)))
		again.Streams = d.Offers()
		m, err := d.Reinvite(ctx, again)
		t.Check(err, "re-INVITE")
		t.Status(m, 200)
	}
	a.Say(ctx, 30, src.PlayOptions{}, a.Speaker(1), a.Speaker(0))
	found := a.Stored(ctx)
	t.Judge(found.Apart())
	t.Judge(found.Named())
}
