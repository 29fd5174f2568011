package faults

import (
	"crypto/tls"

	"github.com/siprecd/siprecd/conformance/internal/model"
)

// rfc7866 are mistakes with what marks a recording session, and with its security
// (RFC 7866 §6, §12).
func rfc7866() []Fault {
	return []Fault{
		{
			Name: "siprec-unknown", Says: "Every INVITE that requires siprec gets 420.",
			Caught: []string{"rfc7866/6.1.1/1"},
			Config: alters(answerAs("INVITE", 1, 420)),
		},
		{
			Name: "one-spelling-only", Says: "The feature tag of the SRC is not read in capitals.",
			Caught: []string{"rfc7866/6.1.1/2"},
			Config: alters(holding("+SIP.SRC", 403)),
		},
		{
			Name: "marks-demanded-again", Says: "A re-INVITE without the marks of a recording session gets 403.",
			Caught: []string{"rfc7866/6.1.1/3"},
			Config: alters(answerAs("INVITE", 2, 403)),
		},
		{
			Name: "register-loops", Says: "A REGISTER gets 482.",
			Caught: []string{"rfc7866/6.1.1/4"},
			Config: alters(answerAs("REGISTER", 1, 482)),
		},
		{
			Name: "siprec-unknown-in-options", Says: "siprec is not understood in OPTIONS.",
			Caught: []string{"rfc7866/6.1.1/5"},
			Config: alters(answerAs("OPTIONS", 2, 420)),
		},
		{
			Name: "sends-sip-src", Says: "The Contact of its 200 has the feature tag of an SRC, +sip.src.",
			Caught: []string{"rfc7866/6.2/1", "rfc7866/6.2/2"},
			Config: alters(set("INVITE", "Contact", "<sip:srs@192.0.2.1>;+sip.src")),
		},
		{
			Name: "tag-within-brackets", Says: "The feature tag stands within the angle brackets of the Contact.",
			Caught: []string{"rfc7866/6.2/1", "rfc7866/6.2/2"},
			Config: alters(set("INVITE", "Contact", "<sip:srs@192.0.2.1;+sip.srs>")),
		},
		{
			Name: "update-without-tag", Says: "The Contact of a 200 to an UPDATE has no feature tag.",
			Caught: []string{"rfc7866/6.2/3"},
			Config: alters(set("UPDATE", "Contact", "<sip:srs@192.0.2.1>")),
		},
		{
			Name: "contact-by-tcp", Says: "Over TLS its Contact is reached by TCP.",
			Caught: []string{"rfc7866/12/1"},
			Config: over("tls", alters(set("INVITE", "Contact", "<sip:srs@192.0.2.1;transport=tcp>;+sip.srs"))),
		},
		{
			Name: "sip-for-sips", Says: "An INVITE to a sips URI gets a Contact of sip.",
			Caught: []string{"rfc7866/12/2"},
			Config: over("tls", alters(set("INVITE", "Contact", "<sip:srs@192.0.2.1;transport=tls>;+sip.srs"))),
		},
		{
			Name: "old-tls", Says: "TLS 1.0 is spoken.",
			Caught: []string{"rfc7866/12/3"},
			Config: func() model.Config {
				return model.Config{Network: "tls", TLS: &tls.Config{MinVersion: tls.VersionTLS10}}
			},
		},
	}
}
