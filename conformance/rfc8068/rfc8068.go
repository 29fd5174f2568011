// Package rfc8068 plays the call flows of RFC 8068 as a whole: each step has to be
// answered as the flow goes on from it. What a server makes of the metadata is not seen
// here.
package rfc8068

import (
	"context"
	"slices"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// Cases lists the cases in the order of the sections.
func Cases() []check.Case { return slices.Concat(flows(), separate(), mixed(), several()) }

// shows is what each flow shows, and what it shows besides.
func shows(ids ...string) []string { return append([]string{"DRV8068-examples-01"}, ids...) }

// A flow is one recording session in the course of a case.
type flow struct {
	d *src.Dialog
	// answer is the last one.
	answer *src.SDP
}

// open begins a recording session with a snapshot and fails unless it is taken.
func open(ctx context.Context, t *check.T, offer []src.StreamOffer, snapshot src.Document) *flow {
	d := t.Open(ctx, src.Request{
		Streams: offer, Metadata: snapshot.XML(), MetadataType: src.TypeOldMetadata,
		Headers: []src.Header{{Name: "Accept", Value: "application/sdp, application/rs-metadata, application/rs-metadata-request"}},
	})
	f := &flow{d, t.Answer(d)}
	f.taken(t)
	return f
}

// begun is the Run of a case of two parties with audio and video, whose recording session
// has begun with the snapshot of both.
func begun(run func(ctx context.Context, t *check.T, f *flow, c *call, nora, desk party)) func(context.Context, *check.T) {
	return func(ctx context.Context, t *check.T) {
		c, nora, desk := pair()
		run(ctx, t, open(ctx, t, audioAndVideo(), c.snapshot(nora, desk)), c, nora, desk)
	}
}

// taken fails unless all audio is received, and what else is taken is not sent.
func (f *flow) taken(t *check.T) {
	for i, m := range f.answer.Media {
		switch dir := f.answer.DirectionOf(i); {
		case m.Kind == "audio" && (m.Port == 0 || dir != src.RecvOnly):
			t.Errorf("audio of m-line %d is answered %s on port %d", i, dir, m.Port)
		case m.Port != 0 && dir != src.RecvOnly && dir != src.Inactive:
			t.Errorf("m-line %d is answered %s", i, dir)
		}
	}
}

// invite sends a re-INVITE with the same m-lines and metadata, and fails unless it is
// taken and leaves the streams as they were.
func (f *flow) invite(ctx context.Context, t *check.T, what string, doc src.Document) {
	before := f.answer
	f.offer(ctx, t, what, f.d.Offers(), doc)
	f.taken(t)
	for i, m := range f.answer.Media {
		if was := before.Media[i]; was.Port != m.Port || before.DirectionOf(i) != f.answer.DirectionOf(i) {
			t.Errorf("%s: m-line %d is answered %s on port %d, before %s on port %d",
				what, i, f.answer.DirectionOf(i), m.Port, before.DirectionOf(i), was.Port)
		}
	}
}

// offer sends a re-INVITE with an offer and metadata.
func (f *flow) offer(ctx context.Context, t *check.T, what string, offer []src.StreamOffer, doc src.Document) {
	m, err := f.d.Reinvite(ctx, src.Request{Streams: offer, Metadata: doc.XML()})
	t.Check(err, what)
	f.accepted(t, what, m)
	f.answer = t.Answer(f.d)
}

// update sends metadata alone, in an UPDATE.
func (f *flow) update(ctx context.Context, t *check.T, what string, doc src.Document) {
	m, err := f.d.Update(ctx, src.Request{Metadata: doc.XML()})
	t.Check(err, what)
	f.accepted(t, what, m)
}

// bye ends the recording session by a BYE with metadata, in a multipart body of one part
// without a disposition.
func (f *flow) bye(ctx context.Context, t *check.T, doc src.Document) {
	m, err := f.d.Bye(ctx, src.Request{
		Metadata: doc.XML(), Require: []string{"siprec"}, Quirks: src.Quirks{Wrap: true, NoDisposition: true},
	})
	t.Check(err, "BYE with metadata")
	t.Status(m, 200)
}

// accepted fails unless a request within the dialog got a 200 with the mark of an SRS
// (RFC 7866 §6.2).
func (f *flow) accepted(t *check.T, what string, m *src.Message) {
	if m.Status != 200 {
		t.Fatalf("%s: answered %d %s", what, m.Status, m.Reason)
	}
	if a, err := src.ParseAddr(m.Get("Contact")); err != nil || !a.Feature("+sip.srs") {
		t.Errorf("%s: the Contact of the answer is %q", what, m.Get("Contact"))
	}
}
