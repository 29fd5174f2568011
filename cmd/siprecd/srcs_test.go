package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/siprec"
)

// keyRow is a key as it stands in docs/srcs.md.
func keyRow(name, value, help string) string {
	return "| `" + name + "` | " + value + " | " + help + " |\n"
}

// TestSRCsAreDocumented: docs/srcs.md has the keys of the program, in its words, and
// its example can be read.
// Shows 7866-12.1-03.
func TestSRCsAreDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(moduleRoot(t), "docs", "srcs.md"))
	if err != nil {
		t.Fatal(err)
	}
	doc := string(text)
	var keys, signals, below strings.Builder
	for _, k := range srcKeys() {
		keys.WriteString(keyRow(k.name, k.value, k.help))
	}
	for _, k := range signalKeys() {
		signals.WriteString(keyRow(k.name, k.value, k.help))
	}
	for _, k := range digestKeys() {
		below.WriteString(keyRow(k.name, k.value, k.help))
	}
	for _, table := range []string{keys.String(), signals.String(), below.String()} {
		if !strings.Contains(doc, "|---|---|---|\n"+table+"\n") {
			t.Errorf("docs/srcs.md has another table than\n%s", table)
		}
	}
	_, example, _ := strings.Cut(doc, "```yaml\n")
	example, _, _ = strings.Cut(example, "```\n")
	f := srcFile{"example", t.TempDir()}
	if err := os.WriteFile(filepath.Join(f.dir, "test.password"), []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := parseSRCs(f, []byte(example))
	if err != nil || len(list) != 3 {
		t.Fatalf("%d SRCs in the example, %v", len(list), err)
	}
	for _, tt := range []struct {
		origin siprec.Origin
		want   string
	}{
		{siprec.Origin{Source: netip.MustParseAddrPort("198.51.100.1:5061"), Listener: "edge", Certificate: []string{"x", "SBC.example.com"}}, "edge-sbc"},
		{siprec.Origin{Source: netip.MustParseAddrPort("192.0.2.17:5061"), Listener: "edge", Certificate: []string{"sbc.example.com"}}, "edge-sbc"},
		{siprec.Origin{Source: netip.MustParseAddrPort("192.0.2.17:5061"), Certificate: []string{"sbc.example.com"}}, "test-sbc"},
		{siprec.Origin{Source: netip.MustParseAddrPort("192.0.2.18:5060")}, "branches"},
		{siprec.Origin{Source: netip.MustParseAddrPort("[::ffff:192.0.2.17]:5060")}, "test-sbc"},
		{siprec.Origin{Source: netip.MustParseAddrPort("[2001:db8:12::1]:5060")}, "branches"},
		{siprec.Origin{Source: netip.MustParseAddrPort("198.51.100.1:5060"), Listener: "edge"}, ""},
		{siprec.Origin{Source: netip.MustParseAddrPort("198.51.100.1:5060"), Listener: "edge", Certificate: []string{"other.example.com"}}, ""},
	} {
		src, found := find(list, tt.origin)
		if found != (tt.want != "") || src.Name != tt.want {
			t.Errorf("%+v is %q, want %q", tt.origin, src.Name, tt.want)
		}
	}
}

func TestSRCsRead(t *testing.T) {
	f := srcFile{"srcs.yaml", t.TempDir()}
	if err := os.WriteFile(filepath.Join(f.dir, "pw"), []byte("first line\r\nsecond"), 0o600); err != nil {
		t.Fatal(err)
	}
	sha := strings.Repeat("aB", 32)
	list, err := parseSRCs(f, []byte(`
- name: 12
  addresses: any
  certificates: a.example
  plain-invite: true
  strict: true
  tls: required
  media-networks: [203.0.113.0/24]
  max-recording-sessions: 3
  streams: 40
  invites-per-second: 0.5
  srtp: required
  srtp-suites: [AES_CM_128_HMAC_SHA1_80]
  codecs: [PCMA, opus]
  refuse-unrecorded: true
  answer-delay: 200ms
  session-timer: {minimum: 3m, interval: 1h}
  enforce: source
  digest:
    md5: true
    users: [{name: a, password-file: pw}, {name: b, sha256: `+sha+`, md5: 00112233445566778899aabbccddeeff}]
`))
	if err != nil {
		t.Fatal(err)
	}
	want := siprec.SRC{
		Name: "12", PlainInvite: true, Strict: true, RequireTLS: true, MaxRecordingSessions: 3, MaxStreams: 40, InvitesPerSecond: 0.5,
		MediaNetworks: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")},
		SRTP:          siprec.SRTPRequired, SRTPSuites: []string{"AES_CM_128_HMAC_SHA1_80"}, Codecs: []string{"PCMA", "opus"},
		RefuseUnrecorded: true, AnswerDelay: 200 * time.Millisecond, SessionTimer: siprec.SessionTimer{Minimum: 3 * time.Minute, Interval: time.Hour}, EnforceAtSource: true,
		Digest: &siprec.Digest{Realm: "siprecd", MD5: true, Users: []siprec.User{
			{Name: "a", Password: "first line"}, {Name: "b", SHA256: strings.ToLower(sha), MD5: "00112233445566778899aabbccddeeff"},
		}},
	}
	if !reflect.DeepEqual(list[0].SRC, want) {
		t.Errorf("read %+v\nwant %+v", list[0].SRC, want)
	}
	off, err := parseSRCs(f, []byte("- {name: a, addresses: any, session-timer: off}\n"))
	if err != nil || off[0].SessionTimer != (siprec.SessionTimer{Off: true}) {
		t.Errorf("a timer that is off: %+v, %v", off, err)
	}
	if !slices.Equal(list[0].certificates, []string{"a.example"}) || list[0].addresses[0].text != anyNetwork {
		t.Errorf("found by %q and %+v", list[0].certificates, list[0].addresses)
	}
}

func TestSRCsRefused(t *testing.T) {
	const who = "- name: a\n  addresses: any\n"
	for _, tt := range []struct{ name, text, want string }{
		{"suites of no SRTP", who + "  srtp: off\n  srtp-suites: [AEAD_AES_128_GCM]\n", "srcs.yaml:4: SRC a: srtp-suites: no suite is accepted with srtp: off"},
		{"empty", "# nothing\n", "srcs.yaml: no SRC"},
		{"a mapping", "name: a\n", "srcs.yaml:1: not a list"},
		{"not YAML", "- [\n", "srcs.yaml: "},
		{"two documents", who + "---\n" + who, "more than one document"},
		{"a word", "- a\n", "srcs.yaml:1: has to be a mapping"},
		{"a key that is nearly one", who + "  plain_invites: true\n", `srcs.yaml:3: SRC a: unknown key "plain_invites", did you mean "plain-invite"?`},
		{"a key like none", who + "  zzz: 1\n", `srcs.yaml:3: SRC a: unknown key "zzz" (docs/srcs.md has all keys)`},
		{"a key twice", who + "  strict: true\n  strict: false\n", `srcs.yaml:4: SRC a: key "strict" stands here a second time`},
		{"no name", "- addresses: any\n", "srcs.yaml:1: an SRC without a name"},
		{"a name twice", who + who, `srcs.yaml:3: a second SRC of the name "a"`},
		{"nobody", "- name: a\n  strict: true\n", "srcs.yaml:1: nothing says who a is"},
		{"no network", "- name: a\n  addresses: [192.0.2.0/99]\n", "srcs.yaml:2: SRC a: addresses: "},
		{"no value", who + "  strict:\n", "srcs.yaml:3: SRC a: strict: has to be one value"},
		{"no truth", who + "  strict: perhaps\n", "srcs.yaml:3: SRC a: strict: \"perhaps\" is not what it has to be, true or false"},
		{"no number", who + "  invites-per-second: many\n", "is not what it has to be, a number"},
		{"none allowed", who + "  max-recording-sessions: 0\n", "srcs.yaml:3: SRC a: max-recording-sessions: 0 is not above 0"},
		{"no rate at all", who + "  invites-per-second: .nan\n", "srcs.yaml:3: SRC a: invites-per-second: NaN is not above 0"},
		{"another policy", who + "  srtp: maybe\n", `srcs.yaml:3: SRC a: srtp: "maybe" is not one of`},
		{"another transport", who + "  tls: off\n", `srcs.yaml:3: SRC a: tls: "off" is not one of`},
		{"another place", who + "  enforce: here\n", `srcs.yaml:3: SRC a: enforce: "here" is not one of`},
		{"another suite", who + "  srtp-suites: [ROT13]\n", `srcs.yaml:3: SRC a: srtp-suites: "ROT13" is not one of`},
		{"another word for a timer", who + "  session-timer: on\n", `srcs.yaml:3: SRC a: session-timer: "on" is not one of [off]`},
		{"an empty timer", who + "  session-timer: {}\n", "session-timer: needs a minimum or an interval"},
		{"a key of a timer", who + "  session-timer: {minimal: 90s}\n", `unknown key "minimal", did you mean "minimum"?`},
		{"a short timer", who + "  session-timer: {minimum: 89s}\n", `SRC a: minimum: "89s" is not a duration of whole seconds from 90s to 24h`},
		{"a long timer", who + "  session-timer: {interval: 25h}\n", `interval: "25h" is not`},
		{"a timer of parts of seconds", who + "  session-timer: {interval: 100.5s}\n", `interval: "100.5s" is not`},
		{"an interval below the minimum", who + "  session-timer: {minimum: 5m, interval: 2m}\n", "the interval 2m0s is below the minimum 5m0s"},
		{"no codec", who + "  codecs: [PCMA, G277]\n", `srcs.yaml:3: SRC a: codecs: "G277" is no encoding name`},
		{"a codec that is no audio", who + "  codecs: telephone-event\n", `"telephone-event" is no encoding name`},
		{"a long delay", who + "  answer-delay: 40s\n", "srcs.yaml:3: SRC a: answer-delay: "},
		{"no users", who + "  digest: {realm: x}\n", "srcs.yaml:3: SRC a: digest: no users"},
		{"a key of digest", who + "  digest: {relm: x}\n", `srcs.yaml:3: SRC a: unknown key "relm", did you mean "realm"?`},
		{"a user without a password", who + "  digest: {users: [{name: u}]}\n", "srcs.yaml:3: SRC a: user u needs"},
		{"a password that is not there", who + "  digest:\n    users:\n      - {name: u, password-file: none}\n", "srcs.yaml:5: SRC a: user u: open"},
		{"a short hash", who + "  digest: {users: [{name: u, sha256: abc}]}\n", "srcs.yaml:3: SRC a: user u: a hash"},
		{"an odd name", who + "  digest: {users: [{name: \"u:v\", md5: 00}]}\n", "cannot be the name"},
		{"an odd realm", who + "  digest: {realm: 'a\"b', users: [{name: u, md5: 00112233445566778899aabbccddeeff}]}\n", "realm: no quotes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseSRCs(srcFile{"srcs.yaml", t.TempDir()}, []byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %q in it", err, tt.want)
			}
		})
	}
}

// FuzzSRCs: no text makes the reader panic, and an error names the file.
func FuzzSRCs(f *testing.F) {
	f.Add("- {name: a, addresses: any}\n")
	f.Add("- &a {name: a, digest: {users: [*a]}}\n")
	f.Add("- name: [a]\n")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := parseSRCs(srcFile{"srcs.yaml", "/nonexistent"}, []byte(text)); err != nil && !strings.HasPrefix(err.Error(), "srcs.yaml:") {
			t.Errorf("error without the file: %v", err)
		}
	})
}
