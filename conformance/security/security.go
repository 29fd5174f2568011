// Package security checks what a Session Recording Server lets strangers do: requests
// and packets that are forged, repeated or not protected, names that mean more than
// they say, and floods. No case harms a server beside the recording sessions that the
// suite opens itself.
package security

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// Cases lists the cases by subject.
func Cases() []check.Case {
	return slices.Concat(spoofing(), replay(), tags(), keys(), tlsCases(), digest(), login(), names(), rtpCases(), srtp(), heard(), flood())
}

// lives fails unless the recording session goes on: its offer is taken again as it was
// before, and the answer is the same as the one before, but for its version, which a
// server may count up with each answer (RFC 3264 §8).
func lives(ctx context.Context, t *check.T, d *src.Dialog, before *src.SDP, after string) {
	m, err := d.Reinvite(ctx, src.Request{Streams: d.Offers()})
	t.Check(err, "re-INVITE after "+after)
	if m.Status != 200 {
		t.Fatalf("after %s the recording session is gone: re-INVITE was answered %d %s", after, m.Status, m.Reason)
	}
	now := t.Answer(d)
	if now.OriginID != before.OriginID {
		t.Errorf("after %s the answer is of another origin: %q, it was %q", after, now.Origin, before.Origin)
	}
	for i := range now.Media {
		if now.DirectionOf(i) != before.DirectionOf(i) || now.Media[i].Port != before.Media[i].Port {
			t.Errorf("after %s m-line %d is %s on port %d, it was %s on port %d", after, i,
				now.DirectionOf(i), now.Media[i].Port, before.DirectionOf(i), before.Media[i].Port)
		}
	}
}

// forged is a request as a third party writes it that knows a dialog: from outside of
// it, so that nothing in the dialog of the SRC moves.
func forged(d *src.Dialog) src.Request {
	local, remote := d.Tags()
	return src.Request{CallID: d.CallID(), FromTag: local, ToTag: remote, CSeq: d.LastCSeq() + 1}
}

// elsewhere opens an SRC at another address of this machine than that of c, and ends
// the case where there is none from which the server can be reached.
func elsewhere(ctx context.Context, t *check.T, c *src.SRC) *src.SRC {
	at := otherAddress(c.Local().Addr())
	if !at.IsValid() {
		t.Skipf("this machine has no second address to be a stranger at")
	}
	other, err := src.New(ctx, src.Config{
		Target: t.Address(), Transport: t.Transport(), TLS: t.TLS(), Local: at.String(),
		T1: 200 * time.Millisecond, UserAgent: "siprec-conformance", Packets: t.Packet,
	})
	if err != nil {
		t.Skipf("the server is not reached from %s: %v", at, err)
	}
	t.Cleanup(func() {
		// It holds nothing that could be lost.
		_ = other.Close()
	})
	return other
}

// otherAddress is an address of this machine beside the given one, of the same family
// and of the same reach: 127.0.0.2 beside 127.0.0.1. It is invalid where there is none.
func otherAddress(than netip.Addr) netip.Addr {
	if than.Is4() && than.IsLoopback() {
		other := netip.AddrFrom4([4]byte{127, 0, 0, 2})
		if than == other {
			return netip.AddrFrom4([4]byte{127, 0, 0, 1})
		}
		return other
	}
	list, err := net.InterfaceAddrs()
	if err != nil {
		return netip.Addr{}
	}
	for _, a := range list {
		p, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		ip := p.Addr().Unmap()
		if ip != than && ip.Is4() == than.Is4() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() {
			return ip
		}
	}
	return netip.Addr{}
}

// id is that of case n of a subject.
func id(subject string, n int) string { return fmt.Sprintf("security/%s/%d", subject, n) }

// openBy opens a recording session by an SRC of the case. Without Streams the offer is
// two sendonly audio m-lines.
func openBy(ctx context.Context, t *check.T, c *src.SRC, r src.Request) *src.Dialog {
	if r.Streams == nil {
		r.Streams = src.TwoParties()
	}
	d := t.Invite(ctx, c, r)
	t.Status(d.Final(), 200)
	return d
}
