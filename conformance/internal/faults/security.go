package faults

import (
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/siprecd/siprecd/conformance/internal/model"
)

// security are mistakes that let strangers do what only the SRC may.
func security() []Fault {
	const bye = "security/spoofing/"
	return []Fault{
		{
			Name: "bye-of-any-tags", Says: "A BYE ends the recording session of its Call-ID, whatever its tags are.",
			Caught: []string{bye + "1", bye + "2", bye + "4"},
			Config: unchecked("BYE"),
		},
		{
			Name: "bye-of-any-dialog-is-200", Says: "A BYE that is of no dialog is answered 200.",
			Caught: []string{bye + "1", bye + "2", bye + "3", bye + "4"},
			Config: alters(when(func(m *message) bool { return m.Method == "BYE" }, 200)),
		},
		{
			Name: "bye-looks-at-our-tag-only", Says: "A BYE with another From tag ends the recording session.",
			Caught: []string{bye + "2"},
			Config: alters(when(func(m *message) bool { return m.Method == "BYE" && strings.Contains(m.Get("From"), "forged") }, 200)),
		},
		{
			Name: "offers-of-any-tags", Says: "An INVITE or UPDATE with another To tag changes the streams.",
			Caught: []string{bye + "5", bye + "6"},
			Config: unchecked("INVITE", "UPDATE"),
		},
		{
			Name: "cancel-of-any-branch", Says: "A CANCEL is taken for that of the Call-ID, whatever its branch is.",
			Caught: []string{bye + "7"},
			Config: alters(insist(481, 200)),
		},
		{
			Name: "late-cancel-ends", Says: "A CANCEL after the 200 ends the recording session.",
			Caught: []string{bye + "8"},
			Config: func() model.Config { return model.Config{LateCancel: true} },
		},
		{
			Name: "invite-again-after-bye", Says: "An INVITE that comes again after the BYE opens another recording session.",
			Caught: []string{"security/replay/1"},
			Config: func() model.Config { return model.Config{Forget: true} },
		},
		{
			Name: "order-of-cseq-ignored", Says: "Requests are taken in whatever order of their CSeq.",
			Caught: []string{"security/replay/2", "security/replay/3"},
			Config: func() model.Config { return model.Config{AnyCSeq: true} },
		},
		{
			Name: "merged-invite-taken", Says: "A copy of the INVITE under another branch opens a second recording session.",
			Caught: []string{"security/replay/4"},
			Config: alters(insist(482, 200)),
		},
		{
			Name: "counted-tags", Says: "To tags are counted.",
			Caught: []string{"security/tags/1"},
			Config: func() model.Config {
				n := 0
				return model.Config{Tag: func() string { n++; return fmt.Sprintf("srs-recorder-%d", n) }}
			},
		},
		{
			Name: "same-keys-in-all", Says: "Each recording session gets the same keys.",
			Caught: []string{"security/keys/1"},
			Config: alters(keyed(func(i int, _, _ string) string {
				return "inline:" + base64.StdEncoding.EncodeToString([]byte(fmt.Sprintf("thirty octets for stream %d ...", i))[:30])
			})),
		},
		{
			Name: "keys-of-one-letter", Says: "Keys are not drawn, but written.",
			Caught: []string{"security/keys/1"},
			Config: alters(keyed(func(i int, _, _ string) string { return "inline:" + strings.Repeat(string(rune('A'+i)), 40) })),
		},
		{
			Name: "srtp-echoes-the-key", Says: "The key of the offer is answered as the server's own.",
			Caught: []string{"security/keys/1"},
			Config: alters(always(func(m *message, r *response) {
				offered := inlineKey.FindString(string(m.Body))
				r.SDP = inlineKey.ReplaceAllStringFunc(r.SDP, func(string) string { return offered })
			})),
		},
		{
			Name: "keyless-srtp-goes-on", Says: "A stream of RTP/SAVP that loses its key in a re-INVITE stays on its port.",
			Caught: []string{"security/keys/2"},
			Config: alters(lines(func(_ int, f []string) {
				if f[1] == "0" {
					f[1] = "4000"
				}
			})),
		},
		{
			Name: "plain-rtp-answered-as-srtp", Says: "A stream that becomes RTP/AVP is answered as RTP/SAVP.",
			Caught: []string{"security/keys/3"},
			Config: alters(profile("RTP/SAVP")),
		},
		{
			Name: "keys-in-the-clear", Says: "Keys that come over UDP are accepted.",
			Caught: []string{"security/keys/4"},
			Config: func() model.Config { return model.Config{} },
		},
		{
			Name: "any-client-certificate", Says: "Over TLS no certificate is asked for.",
			Caught: []string{"security/tls/1", "security/tls/2"},
			Config: func() model.Config { return model.Config{Network: "tls"} },
		},
		{
			Name: "client-certificate-not-verified", Says: "Certificates of any authority are believed.",
			Caught: []string{"security/tls/2"},
			Config: func() model.Config {
				return model.Config{Network: "tls", TLS: &tls.Config{MinVersion: tls.VersionTLS12, ClientAuth: tls.RequireAnyClientCert}}
			},
		},
		{
			Name: "rc4-spoken", Says: "Over TLS suites with RC4 are spoken.",
			Caught: []string{"security/tls/3"},
			Config: func() model.Config {
				return model.Config{Network: "tls", TLS: &tls.Config{
					MinVersion: tls.VersionTLS12, CipherSuites: append(suites(), tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA),
				}}
			},
		},
		{
			Name: "rtp-of-anybody", Says: "RTP counts from wherever it comes.",
			Caught: []string{"security/rtp/1", "security/rtp/2", "security/rtp/3"},
			Config: func() model.Config { return model.Config{AnySource: true} },
		},
		{
			Name: "records-anybody", Says: "Whoever sends to the port of a stream is recorded.",
			Caught: []string{"security/rtp/6", "security/rtp/7"},
			Config: func() model.Config { return model.Config{AnySource: true, Record: &model.Record{}} },
		},
		{
			Name: "records-the-clear", Says: "What comes in the clear on a stream of SRTP is recorded.",
			Caught: []string{"security/srtp/6"},
			Config: func() model.Config { return model.Config{Trusting: true, Record: &model.Record{}} },
		},
		{
			Name: "files-named-by-label", Says: "Labels become names of files, and those with a path in them lead out of the folder.",
			Caught: []string{"security/names/6"},
			Config: writes(func(tracks []*model.Track) []*model.Track {
				return slices.DeleteFunc(tracks, func(t *model.Track) bool { return strings.Contains(t.Label, "/") })
			}),
		},
		{
			Name: "goodbye-of-anybody", Says: "A BYE of RTCP ends the stream, from wherever it comes.",
			Caught: []string{"security/rtp/4", "security/rtp/5"}, Timeout: second,
			Config: func() model.Config { return model.Config{GoodbyeEnds: true} },
		},
		{
			Name: "srtp-not-authenticated", Says: "Packets of SRTP that are not authentic, or come again, count.",
			Caught: []string{"security/srtp/1", "security/srtp/2", "security/srtp/3", "security/srtp/4"},
			Config: func() model.Config { return model.Config{Trusting: true} },
		},
		{
			Name: "srtcp-not-authenticated", Says: "A BYE of RTCP that is not authentic ends a stream of SRTP.",
			Caught: []string{"security/srtp/5"}, Timeout: second,
			Config: func() model.Config { return model.Config{Trusting: true, GoodbyeEnds: true} },
		},
		{
			Name: "folded-values-are-copied", Says: "What a request has in Require and From is written as it came, with its line ends.",
			Caught: []string{"security/names/1", "security/names/2"}, Timeout: second,
			Config: alters(copied("X-Injected: 1")),
		},
		{
			Name: "escapes-are-undone", Says: "Escaped line ends and octets of control in names become line ends.",
			Caught: []string{"security/names/3"}, Timeout: second,
			Config: alters(copied("\x0bX-Injected")),
		},
		{
			Name: "labels-are-unescaped", Says: "A label is written with its escapes undone.",
			Caught: []string{"security/names/4"},
			Config: alters(edit(0, "%0d%0a", "\r\n")),
		},
		{
			Name: "call-id-is-tidied", Says: "Characters of a Call-ID that a file name may not have are left out.",
			Caught: []string{"security/names/5"}, Timeout: second,
			Config: alters(always(func(m *message, r *response) { r.CallID = strings.ReplaceAll(m.Get("Call-ID"), "/", "_") })),
		},
		{
			Name: "challenge-by-basic", Says: "The password is asked for by Basic.",
			Caught: []string{"security/digest/1"},
			Config: asks(setIn(401, "WWW-Authenticate", `Basic realm="model"`)),
		},
		{
			Name: "challenge-without-qop", Says: "A challenge names no qop.",
			Caught: []string{"security/digest/1", "security/digest/2"},
			Config: asks(setIn(401, "WWW-Authenticate", `Digest realm="model", nonce="always"`)),
		},
		{
			Name: "weak-algorithm-first", Says: "The challenge by MD5 stands in front of that by SHA-256.",
			Caught: []string{"security/digest/1"},
			Config: asks(always(func(_ *message, r *response) {
				for i := range r.Headers {
					r.Headers[i].Value = strings.NewReplacer("SHA-256", "MD5", "MD5", "SHA-256").Replace(r.Headers[i].Value)
				}
			})),
		},
		{
			Name: "any-password", Says: "Whatever password is said opens a recording session.",
			Caught: []string{"security/digest/3", "security/digest/4", "security/digest/8", "security/digest/11"},
			Config: asks(holding("\r\nAuthorization: Digest ", 200)),
		},
		{
			Name: "basic-taken", Says: "Credentials by Basic are taken although Digest was asked for.",
			Caught: []string{"security/digest/5"},
			Config: asks(holding("\r\nAuthorization: Basic ", 200)),
		},
		{
			Name: "cancel-challenged", Says: "A CANCEL is asked for a password.",
			Caught: []string{"security/digest/6"},
			Config: asks(answerAs("CANCEL", 1, 401)),
		},
		{
			Name: "no-password-is-right", Says: "The right password is refused like all others.",
			Caught: []string{"security/digest/7", "security/digest/13"},
			Config: asks(holding("\r\nAuthorization: Digest ", 401)),
		},
		{
			Name: "md5-offered-and-refused", Says: "MD5 is offered, and the right password by it refused.",
			Caught: []string{"security/digest/7"},
			Config: asks(holding("algorithm=MD5", 403)),
		},
		{
			Name: "nonces-of-anybody", Says: "The right password is taken for nonces that were never given.",
			Caught: []string{"security/digest/9"},
			Config: unread("nonce"),
		},
		{
			Name: "replayed-password", Says: "An Authorization is taken as often as it comes.",
			Caught: []string{"security/digest/10"},
			Config: unread("count"),
		},
		{
			Name: "password-of-another-method", Says: "A response that was made for OPTIONS is taken in an INVITE.",
			Caught: []string{"security/digest/11"},
			Config: unread("method"),
		},
		{
			Name: "password-for-another-server", Says: "The URI of an Authorization is not looked at.",
			Caught: []string{"security/digest/12"},
			Config: unread("uri"),
		},
		{
			Name: "bye-by-nobody-is-right", Says: "A BYE is asked for a password, and no password is right.",
			Caught: []string{"security/digest/13"},
			Config: asks(answerAs("BYE", 1, 401)),
		},
	}
}

// unchecked configures a server that finds the dialog of requests of some methods by
// their Call-ID alone.
func unchecked(methods ...string) func() model.Config {
	return func() model.Config { return model.Config{AnyTag: methods} }
}

// asks configures a server that asks for a password, with mistakes.
func asks(mistakes ...mistake) func() model.Config {
	return func() model.Config {
		c := alters(mistakes...)()
		c.Asks, c.Account = true, &model.Account{Name: "src", Password: "a word that opens"}
		return c
	}
}

// unread configures a server that asks for a password and does not look at something of
// an Authorization.
func unread(what string) func() model.Config {
	return func() model.Config {
		c := asks()()
		c.Unread = []string{what}
		return c
	}
}

// copied writes a header field into the responses to requests that hold some text.
func copied(text string) mistake {
	return always(func(m *message, r *response) {
		if strings.Contains(string(m.Raw), text) {
			r.Set("X-Injected", "1")
		}
	})
}

// suites are the identifiers of sound ones.
func suites() (list []uint16) {
	for _, s := range tls.CipherSuites() {
		list = append(list, s.ID)
	}
	return list
}
