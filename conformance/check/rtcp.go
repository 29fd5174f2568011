package check

import (
	"context"
	"net/netip"
	"slices"

	"github.com/siprecd/siprecd/conformance/src"
)

// reportsToCover is how many reports a server may send until one covers what was sent
// before: the first may have been under way, and the second have left amid it.
const reportsToCover = 3

// Report waits for the next RTCP of the server about a stream, without its protection.
// It fails unless that is a compound packet which begins with a report, has the CNAME of
// its sender, and comes from where RTCP is received (RFC 3550 §6.1, RFC 7866 §8.1.8).
func (t *T) Report(ctx context.Context, st *src.Stream) src.Compound {
	var strayed netip.AddrPort
	b, from, err := st.ReadControl(ctx)
	for from.IsValid() && from != st.ControlRemote() && (err != nil || !concerns(b, st)) {
		strayed = from
		b, from, err = st.ReadControl(ctx)
	}
	switch {
	case err != nil && strayed.IsValid():
		t.Fatalf("RTCP came from %v only, and is received on %v", strayed, st.ControlRemote())
	case err != nil:
		t.Fatalf("no RTCP came: %v", err)
	}
	c, err := src.ParseCompound(b)
	if err != nil {
		t.Fatalf("RTCP of %d octets cannot be read: %v", len(b), err)
	}
	if want := st.ControlRemote(); from != want {
		t.Errorf("RTCP came from %v, and is received on %v", from, want)
	}
	if first := c.Types[0]; first != src.RTCPSenderReport && first != src.RTCPReceiverReport {
		t.Errorf("RTCP is made of the packet types %v", c.Types)
	}
	if c.CNAME == "" {
		t.Errorf("RTCP of the packet types %v has no CNAME", c.Types)
	}
	return c
}

// concerns says that RTCP is about a source of the stream. What is not, or is not
// authentic, and comes from elsewhere, may be for a stream that had this port before.
func concerns(b []byte, st *src.Stream) bool {
	c, err := src.ParseCompound(b)
	return err == nil && slices.ContainsFunc(st.Sent(), func(p src.Sent) bool {
		_, about := c.About(p.SSRC)
		return about
	})
}

// Reception is what the server reports of the source that sent last, once that covers
// its last packet. The third report has to; else the last of them that names the source
// is given, and it fails when none does.
func (t *T) Reception(ctx context.Context, st *src.Stream) src.ReceptionReport {
	sent := st.Sent()
	last := sent[len(sent)-1]
	var latest src.ReceptionReport
	found := false
	for range reportsToCover {
		c := t.Report(ctx, st)
		if r, named := c.About(last.SSRC); named {
			latest, found = r, true
			if uint16(r.Highest) == last.Sequence {
				break
			}
		}
	}
	if !found {
		t.Fatalf("%d reports came, and none is about SSRC %d", reportsToCover, last.SSRC)
	}
	return latest
}

// OverUDP skips a case that is about media, and needs to be shown once only.
func (t *T) OverUDP() {
	if t.Transport() != "udp" {
		t.Skipf("media do not depend on the transport of SIP")
	}
}
