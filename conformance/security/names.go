package security

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// injected is a header field that no server writes by itself.
const injected = "X-Injected"

// names are the cases of names and values that hold more than they should.
func names() []check.Case {
	return []check.Case{
		injection(1, "an option tag of Require that is folded", func(r *src.Request) {
			r.Require = []string{"siprec", "x-none\r\n " + injected + ": 1"}
		}),
		injection(2, "a folded display name of From", func(r *src.Request) {
			r.Edit = replaceFrom("\"Mallory\r\n " + injected + ": 1\" <")
		}),
		injection(3, "a display name with quotes, brackets and octets of control", func(r *src.Request) {
			r.Edit = replaceFrom("\"\\\"Mallory\\\" <sip:x@example.com>%0d%0a" + injected + ": 1\x0b" + injected + ": 1\" <")
		}),
		injection(4, "a label, a name and an AOR that hold line ends", func(r *src.Request) {
			r.Streams[0].Label = "1%0d%0aa=" + injected
			r.Metadata = conversation("1%0d%0aa="+injected, "Mallory\r\n"+injected+": 1", "sip:mallory@example.com\r\n"+injected+": 1").Complete()
		}),
		{
			ID: "security/names/5", Section: "RFC 3261 §8.2.6.2", Level: check.Must,
			Requirement: "From and Call-ID come back as they were sent, whatever they look like: paths, markup, commands.",
			Run: func(ctx context.Context, t *check.T) {
				c := t.Client(ctx)
				for _, callID := range []string{"../../../etc/passwd", "<script>alert(1)</script>@x", "';--%s%n@`id`", "a/b\\c:d*e?f\"g|h@[::1]"} {
					d := t.Invite(ctx, c, src.Request{Streams: src.TwoParties(), CallID: callID, From: "sip:" + "..%2f..%2fsrc@example.com"})
					m := d.Final()
					t.Status(m, 200)
					if m.Get("Call-ID") != callID {
						t.Errorf("Call-ID %q came back as %q", callID, m.Get("Call-ID"))
					}
					if !strings.Contains(m.Get("From"), "..%2f..%2fsrc@example.com") {
						t.Errorf("From came back as %q", m.Get("From"))
					}
				}
			},
		},
	}
}

// conversation is one party of these names, and a second one.
func conversation(label, name, aor string) *src.Conversation {
	return src.NewConversation(src.NewIDs(uint64(time.Now().UnixNano())), time.Now(),
		src.Party{AOR: aor, Name: name, Label: label}, src.Party{AOR: "sip:desk@example.org", Name: "Desk", Label: "2"})
}

// replaceFrom writes a display name in front of the URI of From.
func replaceFrom(display string) func(string) string {
	return func(text string) string { return strings.Replace(text, "\r\nFrom: <", "\r\nFrom: "+display, 1) }
}

// injection is the case of an INVITE that tries to put a header field of its own into
// what the server writes. It may be refused; it has to be answered.
func injection(n int, what string, spoil func(*src.Request)) check.Case {
	return check.Case{
		ID: id("names", n), Section: "RFC 3261 §7.3.1, §26.1", Level: check.Must,
		Requirement: "An INVITE with " + what + " is answered, and puts no header field and no line into what the server writes.",
		Run: func(ctx context.Context, t *check.T) {
			c := t.Client(ctx)
			r := src.Request{Streams: src.TwoParties()}
			spoil(&r)
			d := t.Invite(ctx, c, r)
			m := d.Final()
			if m.Has(injected) {
				t.Errorf("the %d has a header field %s", m.Status, injected)
			}
			for line := range strings.SplitSeq(string(m.Raw), "\n") {
				if strings.HasPrefix(line, injected) || strings.HasPrefix(line, "a="+injected) {
					t.Errorf("the %d has the line %q", m.Status, line)
				}
			}
			if m.Status >= 300 {
				return
			}
			if m, err := d.Options(ctx, src.Request{}); err != nil || slices.Contains([]int{481, 500}, m.Status) {
				t.Errorf("the recording session is gone after it: %v", err)
			}
		},
	}
}
