package notify

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func manual(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "notices.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// block is the block of code of the manual that holds a text.
func block(t *testing.T, language, with string) string {
	t.Helper()
	for _, part := range strings.Split(manual(t), "```"+language+"\n")[1:] {
		if code, _, _ := strings.Cut(part, "```"); strings.Contains(code, with) {
			return code
		}
	}
	t.Fatalf("docs/notices.md has no %s with %s", language, with)
	return ""
}

// The manual's way to check a signature takes what is authentic, and nothing else.
func TestManualChecksSignatures(t *testing.T) {
	for _, program := range []string{"sh", "openssl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed (Debian package openssl)", program)
		}
	}
	code := block(t, "sh", "openssl dgst")
	body := `{"version":1,"notices":[]}` + "\n"
	now := time.Now()
	good := sign([]string{secret}, now, []byte(body))
	for _, tt := range []struct{ name, signature, body, want string }{
		{"authentic", good, body, "authentic"},
		{"two secrets", sign([]string{"another secret of enough", secret}, now, []byte(body)), body, "authentic"},
		{"another body", good, body + " ", "forged"},
		{"another secret", sign([]string{"another secret of enough"}, now, []byte(body)), body, "forged"},
		{"another time", strings.Replace(good, "t=1", "t=2", 1), body, "forged"},
		{"at the end of the window", sign([]string{secret}, now.Add(-Window+30*time.Second), []byte(body)), body, "authentic"},
		{"old", sign([]string{secret}, now.Add(-Window-2*time.Second), []byte(body)), body, "old"},
		{"of tomorrow", sign([]string{secret}, now.Add(24*time.Hour), []byte(body)), body, "old"},
	} {
		dir := t.TempDir()
		for name, text := range map[string]string{"webhook.secret": secret + "\n", "body": tt.body, "signature": tt.signature + "\n"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.CommandContext(t.Context(), "sh", "-euc", code)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != tt.want {
			t.Errorf("%s: %s, %v; want %s", tt.name, out, err, tt.want)
		}
	}
}

// The example of a delivery has the form of one, and every field is in the table.
func TestManualShowsADelivery(t *testing.T) {
	var e envelope
	d := json.NewDecoder(strings.NewReader(block(t, "json", "notices")))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil || e.Version != Version || len(e.Notices) != 1 {
		t.Fatalf("%+v, %v", e, err)
	}
	var m message
	d = json.NewDecoder(strings.NewReader(string(e.Notices[0])))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil || m.Recording == "" || m.At.IsZero() || len(m.ID) != 32 {
		t.Errorf("%+v, %v", m, err)
	}
	for f := range reflect.TypeFor[message]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" && !strings.Contains(manual(t), "| `"+name+"` |") {
			t.Errorf("docs/notices.md does not tell of the field %s", name)
		}
	}
}
