package src

import (
	"encoding/xml"
	"strings"
	"testing"
	"time"
)

// read is a document as an XML reader sees it.
type read struct {
	XMLName xml.Name `xml:"urn:ietf:params:xml:ns:recording:1 recording"`
	Mode    string   `xml:"datamode"`
	Groups  []struct {
		ID string `xml:"group_id,attr"`
	} `xml:"group"`
	CSs []struct {
		ID    string `xml:"session_id,attr"`
		Group string `xml:"group-ref"`
		Stop  string `xml:"stop-time"`
	} `xml:"session"`
	Participants []struct {
		ID     string `xml:"participant_id,attr"`
		NameID struct {
			AOR  string `xml:"aor,attr"`
			Name string `xml:"name"`
		} `xml:"nameID"`
	} `xml:"participant"`
	Streams []struct {
		ID    string `xml:"stream_id,attr"`
		CS    string `xml:"session_id,attr"`
		Label string `xml:"label"`
	} `xml:"stream"`
	Members []struct {
		ID     string `xml:"participant_id,attr"`
		Joined string `xml:"associate-time"`
		Left   string `xml:"disassociate-time"`
	} `xml:"participantsessionassoc"`
	Assocs []struct {
		ID   string   `xml:"participant_id,attr"`
		Send []string `xml:"send"`
		Recv []string `xml:"recv"`
	} `xml:"participantstreamassoc"`
}

func parseDocument(t *testing.T, doc []byte) read {
	t.Helper()
	var r read
	if err := xml.Unmarshal(doc, &r); err != nil {
		t.Fatalf("%v in %s", err, doc)
	}
	return r
}

func TestConversation(t *testing.T) {
	at := time.Date(2031, 2, 3, 4, 5, 6, 0, time.FixedZone("", 3600))
	c := NewConversation(NewIDs(1), at,
		Party{AOR: `sip:"a"&<b>@example.com`, Name: "Zoë <&> \"Q\"", Label: "1"}, Party{AOR: "sip:c@example.com", Label: "2"})

	whole := parseDocument(t, c.Complete())
	if whole.Mode != "complete" || len(whole.Participants) != 2 || len(whole.Streams) != 2 || whole.CSs[0].Group != whole.Groups[0].ID {
		t.Fatalf("%+v", whole)
	}
	if p := whole.Participants[0].NameID; p.AOR != `sip:"a"&<b>@example.com` || p.Name != "Zoë <&> \"Q\"" {
		t.Errorf("escaped values come back as %+v", p)
	}
	if m := whole.Members[0]; m.Joined != "2031-02-03T03:05:06Z" {
		t.Errorf("joined %q", m.Joined)
	}
	a, b := whole.Streams[0].ID, whole.Streams[1].ID
	if x := whole.Assocs[0]; len(x.Send) != 1 || x.Send[0] != a || len(x.Recv) != 1 || x.Recv[0] != b {
		t.Errorf("association %+v", x)
	}

	held := parseDocument(t, c.Hold(0))
	if held.Mode != "partial" || len(held.Participants) != 0 || len(held.Assocs[0].Send) != 0 || len(held.Assocs[0].Recv) != 1 || len(held.Assocs[1].Recv) != 0 {
		t.Errorf("hold %+v", held)
	}
	if r := parseDocument(t, c.Resume(0)); len(r.Assocs[0].Send) != 1 || len(r.Assocs[1].Recv) != 1 {
		t.Errorf("resume %+v", r)
	}
	if j := parseDocument(t, c.Join(Party{AOR: "sip:d@example.com", Label: "3"}, at)); len(j.Participants) != 1 || j.Streams[0].Label != "3" || len(j.Assocs) != 3 || len(j.Assocs[0].Recv) != 2 {
		t.Errorf("join %+v", j)
	}
	left := parseDocument(t, c.Leave(2, at.Add(time.Second)))
	if left.Members[0].Left != "2031-02-03T03:05:07Z" || left.Members[0].Joined != "" || len(left.Assocs) != 3 || len(left.Assocs[2].Send) != 0 {
		t.Errorf("leave %+v", left)
	}
	if back := parseDocument(t, c.Join(Party{AOR: "sip:d@example.com", Label: "3"}, at)); back.Participants[0].ID != c.ParticipantID(2) {
		t.Errorf("comes back as %+v", back.Participants)
	}
	if s := parseDocument(t, c.Stop(at)); s.CSs[0].Stop == "" || len(s.Members) != 3 {
		t.Errorf("stop %+v", s)
	}
	if n := c.Next(at); n.GroupID() != c.GroupID() || n.CSID() == c.CSID() {
		t.Error("the next communication session is not one of the same group")
	}
}

func TestOpenSIPSVariant(t *testing.T) {
	c := NewConversation(NewIDs(1), time.Date(2031, 2, 3, 4, 5, 6, 0, time.FixedZone("", 7200)), Party{AOR: "sip:a@example.com", Label: "0"})
	doc := c.OpenSIPS()
	r := parseDocument(t, doc)
	if r.Mode != "complete" || len(r.Groups)+len(r.Members)+len(r.Assocs) != 0 || strings.Contains(string(doc), "assoc") {
		t.Errorf("%s", doc)
	}
	if !strings.Contains(string(doc), "T04:05:06+0200<") {
		t.Errorf("no zone without colon in %s", doc)
	}
}
