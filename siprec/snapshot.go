package siprec

import (
	"encoding/xml"
	"errors"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// ErrNoUpdate: the SRC does not allow UPDATE, so it cannot be asked.
var ErrNoUpdate = errors.New("siprec: the SRC does not allow UPDATE")

// A snapshotRequest asks for all metadata (RFC 7865 §7).
type snapshotRequest struct{ reason string }

// RequestSnapshot asks the SRC for a snapshot of the metadata, by an UPDATE
// without SDP, as soon as the dialog is confirmed and no other request of ours is
// pending (RFC 7866 §9.2). The reason is for people and may be empty. The snapshot
// comes as an event of its own; an SRC may never send one. It gives [ErrNoUpdate]
// when the SRC's Allow has no UPDATE. It is for the goroutine of ServeRecording.
func (rs *RecordingSession) RequestSnapshot(reason string) error {
	if !rs.updates {
		return ErrNoUpdate
	}
	rs.wishes.snapshot = &snapshotRequest{reason}
	return nil
}

// put makes the request one for a snapshot (RFC 7866 §9.2, RFC 9806).
func (q *snapshotRequest) put(req *sip.Request) {
	var b strings.Builder
	b.WriteString(xml.Header + `<requestsnapshot xmlns="urn:ietf:params:xml:ns:recording:1">`)
	if q.reason != "" {
		b.WriteString(`<requestreason xml:lang="en">`)
		// A Builder does not fail.
		_ = xml.EscapeText(&b, []byte(q.reason))
		b.WriteString(`</requestreason>`)
	}
	b.WriteString("</requestsnapshot>\n")
	req.AppendHeader(sip.NewHeader("Require", "siprec"))
	req.AppendHeader(sip.NewHeader("Content-Type", "application/rs-metadata+xml"))
	req.AppendHeader(sip.NewHeader("Content-Disposition", "recording-session"))
	req.SetBody([]byte(b.String()))
}
