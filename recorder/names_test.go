package recorder

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestFileName(t *testing.T) {
	for _, tt := range []struct {
		name       string
		number     int
		candidates []string
		want       string
	}{
		{"user part", 1, []string{"alice", "Alice A."}, "01-alice.wav"},
		{"next when nothing is left", 2, []string{"…", "Bob B"}, "02-Bob-B.wav"},
		{"nothing at all", 3, nil, "03-unknown.wav"},
		{"traversal", 1, []string{"../../etc/passwd"}, "01-etc-passwd.wav"},
		{"a hundred tracks", 100, []string{"x"}, "100-x.wav"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := fileName(tt.number, tt.candidates...); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// Shows 7865-6.10-05.
func TestSanitise(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "alice", "alice"},
		{"number", "+15550100", "15550100"},
		{"blanks and slashes", "a b/c\\d", "a-b-c-d"},
		{"hidden", ".ssh", "ssh"},
		{"dots only", "..", ""},
		{"zero byte", "a\x00b", "a-b"},
		{"umlaut", "müller", "m-ller"},
		{"device", "CON", "_CON"},
		{"device with suffix", "nul.txt", "_nul.txt"},
		{"device with number", "com1", "_com1"},
		{"no device", "comet", "comet"},
		{"too long", strings.Repeat("x", 99), strings.Repeat("x", 40)},
		{"trailing dot", "a.", "a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := sanitise(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestUserPart(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"sip", "sip:alice@example.com", "alice"},
		{"sips, upper case", "SIPS:bob@example.com;x=y", "bob"},
		{"tel", "tel:+15550100;phone-context=example.com", "+15550100"},
		{"password", "sip:carol:secret@example.com", "carol"},
		{"user parameters", "sip:1000;cpc=ordinary@example.com", "1000"},
		{"escaped", "sip:a%20b@example.com", "a b"},
		{"badly escaped", "sip:a%zz@example.com", "a%zz"},
		{"host alone", "sip:example.com", ""},
		{"bare number", " 5550100 ", "5550100"},
		{"bare address", "dan@example.com", "dan"},
		{"empty", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := userPart(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// Shows 7865-6.10-05.
func FuzzFileName(f *testing.F) {
	for _, s := range []string{"sip:alice@example.com", "../x", "CON", "sip:%2e%2e%2f@x", ".", strings.Repeat("é", 60)} {
		f.Add(s)
	}
	safe := regexp.MustCompile(`^01-[A-Za-z0-9_-]([A-Za-z0-9._-]{0,39})\.wav$`)
	f.Fuzz(func(t *testing.T, s string) {
		for _, in := range []string{s, userPart(s)} {
			name := fileName(1, in)
			part := sanitise(in)
			if !safe.MatchString(name) || filepath.Base(name) != name || strings.HasSuffix(part, ".") || isDevice(part) || len(part) > maxName {
				t.Errorf("%q becomes %q", in, name)
			}
		}
	})
}
