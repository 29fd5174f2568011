package notify

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const secret = "0123456789abcdef0123456789abcdef"

// The sums are those of openssl, as in docs/notices.md.
func TestSign(t *testing.T) {
	at := time.Unix(1790000000, 999_000_000)
	got := sign([]string{secret, "another secret of enough"}, at, []byte(`{"version":1}`))
	want := "t=1790000000,v1=d40c23150b0927b3d11e40de6addd78630c6d978702016490ca2b859c5faeb30,v1=022b90c9c200934183a6521c102a3e4791da58f0644d4aa2aa2cb051f53fcbac"
	if got != want {
		t.Errorf("signature %s\nwant      %s", got, want)
	}
}

func TestReadSecrets(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		mode       os.FileMode
		want       string // secrets, or a part of the error
		fails      bool
	}{
		{"one", secret + "\n", 0o600, secret, false},
		{"for the group, without a line end", secret, 0o640, secret, false},
		{"two, with a comment and blanks", "# old\n  " + secret + " \n\nsixteen octets!!\n", 0o600, secret + " sixteen octets!!", false},
		{"short", "too short\n", 0o600, "secret 1 has less than 16 octets", true},
		{"second is short", secret + "\nx\n", 0o600, "secret 2 has less", true},
		{"none", "# nothing\n", 0o600, "there is none", true},
		{"five", strings.Repeat(secret+"\n", 5), 0o600, "there are 5", true},
		{"for everybody", secret, 0o644, "may be read by everybody", true},
		{"large", strings.Repeat("#\n", 40_000), 0o600, "is too large", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "secret")
			if err := os.WriteFile(path, []byte(tt.text), tt.mode); err != nil {
				t.Fatal(err)
			}
			got, err := ReadSecrets(path)
			if (err != nil) != tt.fails {
				t.Fatalf("error %v", err)
			}
			if tt.fails {
				if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), secret) {
					t.Errorf("error %v, want %q in it and no secret", err, tt.want)
				}
			} else if strings.Join(got, " ") != tt.want {
				t.Errorf("secrets %q", got)
			}
		})
	}
	if _, err := ReadSecrets(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there has secrets")
	}
}

func TestCheckURL(t *testing.T) {
	for text, want := range map[string]string{
		"https://cti.example.com/hook?key=a": "",
		"https://192.0.2.1:8443":             "",
		"http://127.0.0.1:8080/x":            "",
		"http://[::1]/x":                     "",
		"http://localhost:1/x":               "",
		"http://cti.example.com/hook":        "http to cti.example.com is not encrypted",
		"http://192.0.2.1/hook":              "not encrypted",
		"http://localhost.example.com/":      "not encrypted",
		"ftp://cti.example.com/":             "not an https URL",
		"cti.example.com":                    "not an https URL",
		"https:///path":                      "not an https URL",
		"https://:443/path":                  "not an https URL",
		"https://a:b@cti.example.com/":       "user or password",
		"https://cti.example.com/#x":         "fragment",
		"https://cti.example.com/%zz":        "not a URL",
		"":                                   "not an https URL",
	} {
		u, err := CheckURL(text)
		if want == "" && (err != nil || u.String() != text) {
			t.Errorf("%s: %v, %v", text, u, err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "%zz")) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, "-7": 0, "soon": 0, "9999999": time.Hour, "99999999999999999999": 0,
		"Sat, 21 Nov 2026 12:00:09 GMT": 9 * time.Second, "Sat, 21 Nov 2026 11:00:00 GMT": 0, "Sun, 22 Nov 2026 12:00:00 GMT": time.Hour,
	} {
		if got := retryAfter(value, now); got != want {
			t.Errorf("%q is %v, want %v", value, got, want)
		}
	}
}

func TestOnlyLoopback(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:80": true, "127.8.9.1:80": true, "[::1]:80": true, "[::ffff:127.0.0.1]:80": true,
		"192.0.2.1:80": false, "[2001:db8::1]:80": false, "0.0.0.0:80": false, "name:80": false,
	} {
		if got := onlyLoopback("tcp", address, nil) == nil; got != want {
			t.Errorf("%s is allowed: %v", address, got)
		}
	}
}
