package rfc3261

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// identities are the cases of what makes a dialog (RFC 3261 §12.1, §12.2.2).
func identities() []check.Case {
	return []check.Case{
		{
			ID: "rfc3261/12.1.1/2", Section: "RFC 3261 §12.1.1", Level: check.Must,
			Shows:       []string{"3261-12.1.1-02"},
			Requirement: "An INVITE without a tag in its From, as RFC 2543 had it, opens a dialog whose remote tag is empty.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{WithholdACK: true, Edit: withoutFromTag})
				m, err := d.Bye(ctx, src.Request{Edit: withoutFromTag})
				t.Check(err, "BYE without a tag in its From")
				t.Status(m, 200)
			},
		},
		{
			ID: "rfc3261/12.1.1/3", Section: "RFC 3261 §12.1.1, §8.1.1.8", Level: check.Must,
			Shows:       []string{"3261-12.1.1-03"},
			Requirement: "The 200 to an INVITE has one Contact, a SIP URI of an address to which requests can be sent.",
			Run: func(ctx context.Context, t *check.T) {
				m := t.Open(ctx, src.Request{}).Final()
				contacts := m.List("Contact")
				if len(contacts) != 1 {
					t.Fatalf("the 200 has %d Contacts", len(contacts))
				}
				a, err := src.ParseAddr(contacts[0])
				if err != nil || !strings.HasPrefix(a.URI, "sip:") && !strings.HasPrefix(a.URI, "sips:") {
					t.Fatalf("Contact is %s", contacts[0])
				}
				if host := hostOf(a.URI); host == "" || unspecified(host) {
					t.Errorf("nothing can be sent to the Contact %s", a.URI)
				}
			},
		},
		misses("rfc3261/12.2.2/4", "A request of a dialog with another tag in its From is refused with 481, and the dialog goes on.",
			func(*src.Dialog) src.Request { return src.Request{FromTag: "not-this-one"} }),
		misses("rfc3261/12.2.2/5", "A request with the tags of a dialog under another Call-ID is refused with 481, and the dialog goes on.",
			func(d *src.Dialog) src.Request {
				return src.Request{Edit: func(text string) string { return strings.Replace(text, d.CallID(), "not-"+d.CallID(), 1) }}
			}),
		{
			ID: "rfc3261/12.2.2/6", Section: "RFC 3261 §12.2.2, §14", Level: check.Must, Needs: []string{"update", "snapshot"},
			Shows:       []string{"3261-12.2.2-03"},
			Requirement: "A re-INVITE with another Contact moves the target: requests of the server go there.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				m, err := d.Reinvite(ctx, src.Request{
					Streams: d.Offers(), Metadata: check.Conversation().Hold(0), Edit: replaced("\r\nContact: <sip:src@", "\r\nContact: <sip:moved@"),
				})
				t.Check(err, "re-INVITE")
				t.Status(m, 200)
				own := asked(ctx, t, d)
				if !strings.HasPrefix(own.RequestURI, "sip:moved@") {
					t.Errorf("Request-URI is %s", own.RequestURI)
				}
			},
		},
	}
}

// requestsOfTheServer are cases of what its requests hold (RFC 3261 §12.2.1.1).
func requestsOfTheServer() []check.Case {
	return []check.Case{
		{
			ID: "rfc3261/12.2.1.1/2", Section: "RFC 3261 §12.2.1.1, §8.1.1", Level: check.Must, Needs: []string{"update", "snapshot"},
			Shows:       []string{"3261-12.2.1.1-02"},
			Requirement: "A request of the server has the tags of the dialog the other way round, its Call-ID, a CSeq, Max-Forwards and a branch as of RFC 3261.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{Metadata: check.Conversation().Hold(0)})
				m := asked(ctx, t, d)
				local, remote := d.Tags()
				if from, to := tagOf(t, m.Get("From")), tagOf(t, m.Get("To")); from != remote || to != local {
					t.Errorf("the tags are %q and %q, of the dialog %q and %q", from, to, remote, local)
				}
				if n, method := m.CSeq(); m.Get("Call-ID") != d.CallID() || n == 0 || method != m.Method {
					t.Errorf("Call-ID is %q, CSeq %q", m.Get("Call-ID"), m.Get("CSeq"))
				}
				if m.Get("Max-Forwards") == "" || !strings.HasPrefix(m.Branch(), "z9hG4bK") {
					t.Errorf("Max-Forwards is %q, the branch %q", m.Get("Max-Forwards"), m.Branch())
				}
			},
		},
		{
			ID: "rfc3261/12.2.1.1/3", Section: "RFC 3261 §12.1.1, §12.2.1.1", Level: check.Must, Needs: []string{"update", "snapshot"},
			Shows:       []string{"3261-12.2.1.1-01"},
			Requirement: "A request of the server has the routes in the order in which the INVITE recorded them.",
			Run: func(ctx context.Context, t *check.T) {
				c := t.Client(ctx)
				want := []string{fmt.Sprintf("<sip:near@%s;transport=%s;lr>", c.Local(), t.Transport()), "<sip:far.example.com;lr;x=1>"}
				d := t.Invite(ctx, c, src.Request{
					Streams: src.TwoParties(), Metadata: check.Conversation().Hold(0),
					Headers: []src.Header{{Name: "Record-Route", Value: want[0]}, {Name: "Record-Route", Value: want[1]}},
				})
				t.Status(d.Final(), 200)
				if got := asked(ctx, t, d).List("Route"); !slices.Equal(got, want) {
					t.Errorf("Route is %q, recorded were %q", got, want)
				}
			},
		},
	}
}

// asked is the UPDATE by which the server asks for a snapshot.
func asked(ctx context.Context, t *check.T, d *src.Dialog) *src.Message {
	m, err := d.NextRequest(ctx, "UPDATE")
	if err != nil {
		t.Fatalf("no UPDATE of the server came: %v", err)
	}
	return m
}

// misses is a case of a request that belongs to no dialog, though nearly to one.
func misses(id, requirement string, request func(d *src.Dialog) src.Request) check.Case {
	return check.Case{
		ID: id, Section: "RFC 3261 §12.2.2", Level: check.Must, Shows: []string{"3261-12.2.2-01"}, Requirement: requirement,
		Run: func(ctx context.Context, t *check.T) {
			d := t.Open(ctx, src.Request{})
			missing(ctx, t, d, request(d))
			m, err := d.Reinvite(ctx, src.Request{Streams: d.Offers()})
			t.Check(err, "re-INVITE")
			t.Status(m, 200)
		},
	}
}

// missing fails unless a request that belongs to no dialog is refused with 481. It is an
// INFO, and a BYE where the server knows no INFO: methods are looked at first (RFC 3261
// §8.2).
func missing(ctx context.Context, t *check.T, d *src.Dialog, r src.Request) {
	m, err := d.Info(ctx, r)
	t.Check(err, "INFO")
	if m.Status == 405 || m.Status == 501 {
		m, err = d.Bye(ctx, r)
		t.Check(err, "BYE")
	}
	t.Status(m, 481)
}

// withoutFromTag takes the tag from the From.
func withoutFromTag(text string) string {
	before, rest, _ := strings.Cut(text, "\r\nFrom: ")
	from, after, _ := strings.Cut(rest, "\r\n")
	from, _, _ = strings.Cut(from, ";tag=")
	return before + "\r\nFrom: " + from + "\r\n" + after
}

// hostOf is the host of a SIP URI, without port, parameters and user.
func hostOf(uri string) string {
	_, rest, _ := strings.Cut(uri, ":")
	rest, _, _ = strings.Cut(rest, "?")
	rest, _, _ = strings.Cut(rest, ";")
	rest = rest[strings.LastIndexByte(rest, '@')+1:]
	if inner, found := strings.CutPrefix(rest, "["); found {
		host, _, _ := strings.Cut(inner, "]")
		return host
	}
	host, _, _ := strings.Cut(rest, ":")
	return host
}

// unspecified says that a host is 0.0.0.0 or ::.
func unspecified(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsUnspecified()
}
