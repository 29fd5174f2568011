package faults

import (
	"github.com/siprecd/siprecd/conformance/internal/model"
	"github.com/siprecd/siprecd/conformance/src"
)

// rfc7866metadata are mistakes with how metadata comes (RFC 7866 §5, §9).
func rfc7866metadata() []Fault {
	return append([]Fault{
		{
			Name: "one-session-only", Says: "A second recording session is refused.",
			Caught: []string{"rfc7866/5.1/1"},
			Config: alters(answerAs("INVITE", 2, 400)),
		},
		{
			Name: "new-type-refused", Says: "application/rs-metadata+xml is refused.",
			Caught: []string{"rfc7866/9/1"},
			Config: alters(refuse("INVITE", src.TypeMetadata)),
		},
		{
			Name: "old-type-refused", Says: "application/rs-metadata is refused.",
			Caught: []string{"rfc7866/9/2"},
			Config: alters(refuse("INVITE", src.TypeOldMetadata+"\r\n")),
		},
		{
			Name: "disposition-demanded", Says: "Metadata without a disposition is refused.",
			Caught: []string{"rfc7866/9/3"},
			Config: alters(refuse("INVITE", "rs-metadata+xml\r\n\r\n")),
		},
		{
			Name: "type-in-one-case", Says: "The media type of metadata is not read in capitals.",
			Caught: []string{"rfc7866/9/4"},
			Config: alters(refuse("INVITE", "RS-Metadata+XML")),
		},
		{
			Name: "quoted-boundary-refused", Says: "A boundary in quotes is refused.",
			Caught: []string{"rfc7866/9.1/1"},
			Config: alters(refuse("INVITE", `boundary="`)),
		},
		{
			Name: "reinvite-refused", Says: "Every re-INVITE gets 488.",
			Caught: []string{"rfc7866/9.1/3", "rfc7866/9.1/5"},
			Config: alters(answerAs("INVITE", 2, 488)),
		},
		{
			Name: "bye-with-body-refused", Says: "A BYE with metadata is refused.",
			Caught: []string{"rfc7866/9.1/4"},
			Config: alters(refuse("BYE", "rs-metadata")),
		},
		{
			Name: "multipart-update-refused", Says: "An UPDATE with a multipart body is refused.",
			Caught: []string{"rfc7866/9.1/6"},
			Config: alters(refuse("UPDATE", "multipart")),
		},
		{
			Name: "updates-run-out", Says: "The fiftieth UPDATE gets 503.",
			Caught: []string{"rfc7866/9.1/7"},
			Config: alters(answerAs("UPDATE", 50, 503)),
		},
		{
			Name: "bye-read-too-well", Says: "A BYE with broken metadata gets 400.",
			Caught: []string{"rfc7866/9.2/1"},
			Config: alters(answerAs("BYE", 1, 400)),
		},
		{
			Name: "dtd-is-a-fault-of-its-own", Says: "Metadata with a DTD gets 500.",
			Caught: []string{"rfc7866/9.2/2"},
			Config: alters(holding("<!DOCTYPE", 500)),
		},
		{
			Name: "response-asks-for-snapshot", Says: "A response asks for a snapshot.",
			Caught: []string{"rfc7866/9.2/4"},
			Config: alters(always(func(req *message, r *response) {
				if req.Method == "UPDATE" {
					r.SDP, r.Type = "<requestsnapshot/>", src.TypeMetadata
				}
			})),
		},
	}, snapshots()...)
}

// snapshots are mistakes of the UPDATE that asks for a snapshot (RFC 7866 §9.2).
func snapshots() []Fault {
	const snapshot = "rfc7866/9.2/3"
	return []Fault{
		{
			Name: "no-snapshot-asked", Says: "Nothing asks for the snapshot that is missing.",
			Caught: []string{snapshot}, Timeout: second,
			Config: func() model.Config { return model.Config{AlterRequest: func(string) string { return "" }} },
		},
		{
			Name: "snapshot-without-siprec", Says: "The UPDATE that asks for a snapshot does not require siprec.",
			Caught: []string{snapshot},
			Config: replace("Require: siprec\r\n", ""),
		},
		{
			Name: "snapshot-without-tag", Says: "The UPDATE that asks for a snapshot has no feature tag.",
			Caught: []string{snapshot},
			Config: replace(";+sip.srs", ""),
		},
		{
			Name: "snapshot-disposition", Says: "The request for a snapshot has another disposition.",
			Caught: []string{snapshot},
			Config: replace("recording-session", "render"),
		},
		{
			Name: "snapshot-type", Says: "The request for a snapshot has a media type of drafts.",
			Caught: []string{snapshot},
			Config: replace("rs-metadata+xml", "rs-metadata-request"),
		},
		{
			Name: "snapshot-with-sdp", Says: "The UPDATE that asks for a snapshot has SDP.",
			Caught: []string{snapshot},
			Config: replace("application/rs-metadata+xml", "application/sdp"),
		},
		{
			Name: "snapshot-element", Says: "The request for a snapshot has another root element.",
			Caught: []string{snapshot},
			Config: replace("requestsnapshot", "snapshotrequest"),
		},
		{
			Name: "snapshot-namespace", Says: "The request for a snapshot is of another namespace.",
			Caught: []string{snapshot},
			Config: replace("recording:1", "recording:0"),
		},
	}
}
