package siprec

import (
	"encoding/xml"
	"errors"
	"strconv"
	"testing"

	"github.com/siprecd/siprecd/conformance/src"
)

func itoa(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// TestRequestSnapshot is RFC 7866 §9.2 and RFC 7865 §7: an UPDATE without SDP,
// which waits until the dialog is confirmed and acknowledged.
// Shows 7866-6.2-04, 7866-9.2-04, 7866-9.2-05, 7866-9.2-06, 7866-9.2-08, 7866-11.3-01, 7865-7-01, 7865-7-02, DRV9806-2-01, 3261-12.2.1.1-01.
func TestRequestSnapshot(t *testing.T) {
	d := newDesk(t, func(rs *RecordingSession, ev *Event) {
		if ev.Kind == Offered {
			if err := rs.RequestSnapshot("document 1 <cannot> be read"); err != nil {
				t.Error(err)
			}
		}
	}, neverAsk)
	dialog := d.invite(src.Request{WithholdACK: true})
	d.want(Offered)
	if n := len(dialog.Requests()); n != 0 {
		t.Errorf("%d requests of ours before the ACK", n)
	}
	if err := dialog.Ack(); err != nil {
		t.Fatal(err)
	}
	u := await(t, dialog, "UPDATE")
	for name, want := range map[string]string{
		"Content-Type": "application/rs-metadata+xml", "Content-Disposition": "recording-session", "Require": "siprec",
	} {
		if got := u.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	if !mustAddr(t, u.Get("Contact")).Feature("+sip.srs") {
		t.Errorf("Contact is %q", u.Get("Contact"))
	}
	var doc struct {
		XMLName xml.Name `xml:"urn:ietf:params:xml:ns:recording:1 requestsnapshot"`
		Reason  string   `xml:"urn:ietf:params:xml:ns:recording:1 requestreason"`
	}
	if err := xml.Unmarshal(u.Body, &doc); err != nil || doc.Reason != "document 1 <cannot> be read" {
		t.Errorf("%q: %v", u.Body, err)
	}
	if m, err := dialog.Update(t.Context(), src.Request{Metadata: []byte("<recording/>")}); err != nil || m.Status != 200 {
		t.Errorf("the snapshot: %v, %v", m, err)
	}
	d.want(Changed)
	if n := len(dialog.Requests()); n != 2 { // ACKs are not ours: UPDATE only once
		for _, m := range dialog.Requests()[1:] {
			t.Errorf("another request of ours: %s", m.Method)
		}
	}
}

// TestSnapshotInTheResponse: metadata that an SRC puts into its 200 is taken too.
// Shows 7866-9.1-07, 7866-9.2-10.
func TestSnapshotInTheResponse(t *testing.T) {
	d := newDesk(t, func(rs *RecordingSession, ev *Event) {
		if ev.Kind == Offered {
			if err := rs.RequestSnapshot(""); err != nil {
				t.Error(err)
			}
		}
	}, neverAsk)
	d.client.Close()
	client, err := src.New(t.Context(), src.Config{Target: d.server.Endpoints()[0].Address, Handler: func(*src.Message) *src.Reply {
		return &src.Reply{Status: 200, ContentType: "application/rs-metadata+xml", Body: []byte("<recording/>")}
	}})
	if err != nil {
		t.Fatal(err)
	}
	d.client = client
	d.invite(src.Request{})
	d.want(Offered)
	if ev := d.want(Changed); len(ev.Metadata) != 1 || ev.HasOffer || ev.Method != "UPDATE" {
		t.Errorf("event is %+v", ev)
	}
}

// TestNoSnapshotWithoutUpdate: an SRC that does not allow UPDATE is not asked.
// Shows 7866-9.2-09.
func TestNoSnapshotWithoutUpdate(t *testing.T) {
	got := make(chan error, 1)
	d, p, _ := wired(t, func(rs *RecordingSession, ev *Event) {
		if ev.Kind == Offered {
			got <- rs.RequestSnapshot("")
		}
	})
	if err := <-got; !errors.Is(err, ErrNoUpdate) {
		t.Errorf("error is %v", err)
	}
	p.send("BYE", "")
	p.want("SIP/2.0 200")
	d.want(Ended)
}
