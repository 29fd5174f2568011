package rfc7866

import (
	"encoding/xml"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// snapshotRequest looks at the UPDATE that asks for a snapshot (RFC 7866 §9.2,
// RFC 7865 §7, RFC 9806).
func snapshotRequest(t *check.T, m *src.Message) {
	srsContact(t, m)
	if !m.Lists("Require", "siprec") {
		t.Errorf("Require of the UPDATE is %q", m.Get("Require"))
	}
	found := 0
	for _, p := range m.Parts() {
		switch p.Type {
		case "application/sdp":
			t.Errorf("the UPDATE that asks for a snapshot has SDP")
		case src.TypeMetadata, src.TypeOldMetadata:
			found++
			if d, _, _ := strings.Cut(p.Disposition, ";"); !strings.EqualFold(strings.TrimSpace(d), "recording-session") {
				t.Errorf("disposition of the request is %q", p.Disposition)
			}
			var root struct{ XMLName xml.Name }
			if err := xml.Unmarshal(p.Body, &root); err != nil || root.XMLName.Local != "requestsnapshot" || root.XMLName.Space != "urn:ietf:params:xml:ns:recording:1" {
				t.Errorf("the document of the UPDATE is %s in %q: %v", root.XMLName.Local, root.XMLName.Space, err)
			}
		}
	}
	if found != 1 {
		t.Errorf("the UPDATE has %d parts of metadata", found)
	}
}
