// Package rfc5621 checks how bodies of several parts are read (RFC 5621).
package rfc5621

import (
	"context"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// Cases lists the cases in the order of the sections.
func Cases() []check.Case {
	return []check.Case{
		{
			ID: "rfc5621/4.2/1", Section: "RFC 5621 §4.2", Level: check.Must,
			Shows:       []string{"DRV5621-4.2-01", "7866-9.1-09"},
			Requirement: "A multipart body within a multipart body is read.",
			Run: func(ctx context.Context, t *check.T) {
				inner := "--in\r\nContent-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n\r\n" +
					string(check.Conversation().Complete()) + "\r\n--in\r\nContent-Type: application/sdp\r\n\r\n" +
					"v=0\r\no=- 5 5 IN IP4 192.0.2.21\r\ns=-\r\nc=IN IP4 192.0.2.21\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\na=label:1\r\na=sendonly\r\n" +
					"\r\n--in--\r\n"
				d := t.Invite(ctx, t.Client(ctx), src.Request{
					Body:        []byte("--out\r\nContent-Type: multipart/related; boundary=in\r\n\r\n" + inner + "\r\n--out--\r\n"),
					ContentType: "multipart/mixed; boundary=out",
				})
				t.Status(d.Final(), 200)
				if sdp, err := d.Answer(); err != nil || sdp == nil || len(sdp.Media) != 1 || sdp.Media[0].Port == 0 {
					t.Errorf("the offer of one audio stream got no answer that takes it: %v", err)
				}
			},
		},
		{
			ID: "rfc5621/4.2/2", Section: "RFC 5621 §4.2, RFC 2046 §5.1.1", Level: check.Must,
			Shows:       []string{"7866-9.1-09", "DRV8068-examples-01"},
			Requirement: "Text before the first part, a quoted boundary and bare line feeds do not hide the parts.",
			Run: func(ctx context.Context, t *check.T) {
				t.Answer(t.Open(ctx, src.Request{Metadata: check.Conversation().Complete(), Quirks: src.Quirks{
					Preamble: "This is for people.", QuotedBoundary: true, Boundary: "a b'c(d)+_,-./:=?", LF: true,
				}}))
			},
		},
		{
			ID: "rfc5621/4.2/3", Section: "RFC 8068 §3", Level: check.Derived,
			Shows:       []string{"DRV8068-examples-01"},
			Requirement: "A multipart body that lacks its last delimiter is read, as in the examples of RFC 8068.",
			Run: func(ctx context.Context, t *check.T) {
				t.Answer(t.Open(ctx, src.Request{
					Metadata: check.Conversation().Complete(), Quirks: src.Quirks{NoClosingDelimiter: true},
				}))
			},
		},
		{
			ID: "rfc5621/8/1", Section: "RFC 5621 §8.3", Level: check.Must,
			Shows:       []string{"DRV5621-8-01", "DRV3261-8.2.3-01"},
			Requirement: "An unknown part whose handling is optional is passed over.",
			Run: func(ctx context.Context, t *check.T) {
				t.Answer(t.Open(ctx, src.Request{Metadata: check.Conversation().Complete(), Parts: []src.Part{{
					Type: "image/x-unheard-of", Disposition: "icon;handling=optional", Body: []byte(strings.Repeat("\x89", 40)),
				}}}))
			},
		},
		{
			ID: "rfc5621/8/2", Section: "RFC 5621 §8.3", Level: check.Derived,
			Shows:       []string{"DRV5621-8-01", "7866-9-02"},
			Requirement: "Metadata whose disposition has handling=required is taken.",
			Run: func(ctx context.Context, t *check.T) {
				t.Answer(t.Open(ctx, src.Request{Parts: []src.Part{{
					Type: src.TypeMetadata, Disposition: "Recording-Session; Handling=required", Body: check.Conversation().Complete(),
				}}}))
			},
		},
		{
			ID: "rfc5621/8/3", Section: "RFC 5621 §8.3, RFC 3261 §8.2.3", Level: check.Must,
			Shows:       []string{"DRV5621-8-01"},
			Requirement: "An unknown part whose handling is required is refused with 415, and Accept says what is understood.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Invite(ctx, t.Client(ctx), src.Request{Streams: src.TwoParties(), Parts: []src.Part{{
					Type: "image/x-unheard-of", Disposition: "icon;handling=required", Body: []byte("\x89"),
				}}})
				t.Status(d.Final(), 415)
				if !d.Final().Lists("Accept", "application/sdp") {
					t.Errorf("Accept of the 415 is %q", d.Final().Get("Accept"))
				}
			},
		},
		{
			ID: "rfc5621/8/4", Section: "RFC 5621 §8.3, RFC 3959 §4", Level: check.Derived,
			Shows:       []string{"DRV5621-8-01"},
			Requirement: "A description whose disposition is early-session is not the offer, though it comes first.",
			Run: func(ctx context.Context, t *check.T) {
				early := "v=0\r\no=- 6 6 IN IP4 192.0.2.21\r\ns=-\r\nc=IN IP4 192.0.2.21\r\nt=0 0\r\nm=audio 40010 RTP/AVP 0\r\n"
				t.Answer(t.Open(ctx, src.Request{Edit: func(text string) string {
					head, offer, _ := strings.Cut(text, "\r\n\r\n")
					head = strings.Replace(head, "Content-Type: application/sdp", "Content-Type: multipart/mixed;boundary=two", 1)
					return head + "\r\n\r\n--two\r\nContent-Type: application/sdp\r\nContent-Disposition: early-session;handling=optional\r\n\r\n" + early +
						"\r\n--two\r\nContent-Type: application/sdp\r\n\r\n" + offer + "\r\n--two--\r\n"
				}}))
			},
		},
	}
}
