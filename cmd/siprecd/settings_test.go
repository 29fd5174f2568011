package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/siprecd/siprecd/siprec/media"
)

// parser is the command line and what reads it.
func parser(t testing.TB) (*commandLine, *kong.Kong) {
	t.Helper()
	cli := &commandLine{}
	p, err := newParser(cli, streams{stdout: io.Discard, stderr: io.Discard}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	return cli, p
}

// parseServe parses the arguments of serve.
func parseServe(t *testing.T, args ...string) (settings, error) {
	t.Helper()
	cli, p := parser(t)
	_, err := p.Parse(append([]string{"serve"}, args...))
	return cli.Serve.settings, err
}

func configText(t *testing.T) string {
	t.Helper()
	_, p := parser(t)
	var text bytes.Buffer
	if err := writeConfig(&text, serveFlags(p.Model)); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "siprecd.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestDefaultFileIsTheDefaults reads what "siprecd config" prints and compares
// it with a start without a file.
func TestDefaultFileIsTheDefaults(t *testing.T) {
	bare, err := parseServe(t)
	if err != nil {
		t.Fatal(err)
	}
	filed, err := parseServe(t, "--config", writeFile(t, configText(t)))
	if err != nil {
		t.Fatal(err)
	}
	emptyToNil(&bare)
	emptyToNil(&filed)
	if !reflect.DeepEqual(bare, filed) {
		t.Errorf("read back: %+v\ndefaults:  %+v", filed, bare)
	}
}

// emptyToNil makes lists without elements equal: a file has to write [] where a
// flag that was not given leaves nil.
func emptyToNil(s *settings) {
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Slice && f.Len() == 0 {
			f.SetZero()
		}
	}
}

func TestEveryFlagHasEnvironmentAndKey(t *testing.T) {
	_, p := parser(t)
	flags := serveFlags(p.Model)
	if got, want := len(flags), reflect.TypeFor[settings]().NumField(); got != want {
		t.Fatalf("%d flags for the file, want %d, the fields of settings", got, want)
	}
	text := configText(t)
	for _, flag := range flags {
		t.Run(flag.Name, func(t *testing.T) {
			want := "SIPRECD_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
			if len(flag.Envs) != 1 || flag.Envs[0] != want {
				t.Errorf("environment = %q, want %q", flag.Envs, want)
			}
			if flag.Help == "" || !strings.HasSuffix(flag.Help, ".") {
				t.Errorf("help = %q, want sentences", flag.Help)
			}
			if !strings.Contains(text, "\n"+flag.Name+": ") {
				t.Errorf("siprecd config has no key %s", flag.Name)
			}
			if !strings.Contains(text, "# Flag --"+flag.Name+", environment "+want+".\n") {
				t.Errorf("siprecd config does not name flag and environment of %s", flag.Name)
			}
		})
	}
}

func TestPrecedence(t *testing.T) {
	file := writeFile(t, "vanish: 30s\ndrain: 3s\nmax-recording-sessions: 3\n")
	t.Setenv("SIPRECD_VANISH", "20s")
	t.Setenv("SIPRECD_DRAIN", "2s")
	t.Setenv("SIPRECD_CONFIG", file)
	got, err := parseServe(t, "--vanish", "10s")
	if err != nil {
		t.Fatal(err)
	}
	if got.Vanish != 10*time.Second {
		t.Errorf("vanish = %v, want 10s of the flag", got.Vanish)
	}
	if got.Drain != 2*time.Second {
		t.Errorf("drain = %v, want 2s of the environment", got.Drain)
	}
	if got.MaxRecordingSessions != 3 {
		t.Errorf("max-recording-sessions = %v, want 3 of the file", got.MaxRecordingSessions)
	}
	if got.LogLevel != "info" {
		t.Errorf("log-level = %q, want the default info", got.LogLevel)
	}
}

func TestFileRefused(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"unknown key", "data: ./x\nlisten_on: a\n", `siprecd.yaml:2: unknown key "listen_on", did you mean "listen"?`},
		{"underscore for dash", "\n\nlog_level: warn\n", `siprecd.yaml:3: unknown key "log_level", did you mean "log-level"?`},
		{"nothing like it", "zzz: 1\n", `siprecd.yaml:1: unknown key "zzz" (siprecd config prints all keys)`},
		{"twice", "data: a\ndata: b\n", `siprecd.yaml:2: key "data" stands here a second time`},
		{"no value", "data:\n", "siprecd.yaml:1: data: has no value"},
		{"wrong duration", "data: a\nvanish: soon\n", "siprecd.yaml:2: vanish:"},
		{"wrong network", "accept:\n  - 192.0.2.0/24\n  - 192.0.2.0/99\n", "siprecd.yaml:2: accept:"},
		{"wrong level", "log-level: loud\n", `siprecd.yaml:1: log-level: "loud" is not one of`},
		{"list for a value", "data: [a, b]\n", "siprecd.yaml:1: data: has to be one value"},
		{"map for a list", "listen: {a: b}\n", "siprecd.yaml:1: listen: has to be a value or a list"},
		{"list of lists", "listen: [[a]]\n", "siprecd.yaml:1: listen: every element"},
		{"not a map", "- a\n", "siprecd.yaml:1: not a list of keys"},
		{"not YAML", "data: [\n", "siprecd.yaml: "},
		{"two documents", "data: a\n---\naccept: any\n", "siprecd.yaml: more than one document"},
		{"broken second document", "data: a\n---\n[\n", "siprecd.yaml: more than one document"},
		{"nothing to listen on", "listen: []\n", "listen: no address"},
		{"negative drain", "drain: -1s\n", "drain: -1s is negative"},
		{"no vanish", "vanish: 0s\n", "vanish: 0s is not"},
		{"no folder", "data: \"\"\n", "data: no folder"},
		{"too many threads", "media-threads: 65\n", "media-threads: 65 is not from 0 to 64"},
		{"unknown reader", "media-reader: epoll\n", "is not one of sweep, simple"},
		{"none allowed", "max-recording-sessions: 0\n", "max-recording-sessions: 0 is less"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseServe(t, "--config", writeFile(t, tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestFileRead(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		check      func(settings) bool
	}{
		{"empty", "", func(s settings) bool { return s.Drain == 20*time.Second }},
		{"comments only", "# nothing\n", func(s settings) bool { return len(s.Listen) == 1 }},
		{"one value for a list", "accept: any\n", settings.acceptsAny},
		{"list", "listen: [\"udp:127.0.0.1:5070\", \"[::1]:5080\"]\n", func(s settings) bool {
			return len(s.Listen) == 2 && s.Listen[0] == listener{network: "udp", address: "127.0.0.1:5070"} && s.Listen[1] == listener{address: "[::1]:5080"}
		}},
		{"alias", "accept: &a [192.0.2.1]\nplain-invite: *a\n", func(s settings) bool {
			return len(s.PlainInvite) == 1 && s.PlainInvite[0].text == "192.0.2.1"
		}},
		{"ports", "rtp-ports: 40000-40001\n", func(s settings) bool { return s.RTPPorts == portRange{40000, 40001} }},
		{"odd first port", "rtp-ports: 40001-40003\n", func(s settings) bool { return s.RTPPorts == portRange{40001, 40003} }},
		{"end of document", "drain: 1s\n...\n", func(s settings) bool { return s.Drain == time.Second }},
		{"simple reader", "media-reader: simple\nmedia-threads: 3\n", func(s settings) bool {
			m := s.media()
			return m.Reader == media.ReaderSimple && m.Threads == 3 && m.PortMin == 16384 && m.PortMax == 32767
		}},
		{"any ports", "rtp-ports: 0-0\n", func(s settings) bool { return s.RTPPorts == portRange{} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseServe(t, "--config", writeFile(t, tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if !tt.check(got) {
				t.Errorf("settings = %+v", got)
			}
		})
	}
}

func TestFlagsRefused(t *testing.T) {
	for _, tt := range []struct{ name, flag, want string }{
		{"no port", "--listen=127.0.0.1", "is not host:port"},
		{"port too high", "--listen=127.0.0.1:65536", "no port from 0 to 65535"},
		{"network without host", "--listen=udp:5060", "is not host:port"},
		{"name as network", "--accept=example.com", "is neither an address nor a network"},
		{"ports reversed", "--rtp-ports=40001-40000", "holds no even port with the next"},
		{"one port", "--rtp-ports=40000-40000", "holds no even port with the next"},
		{"no even port with the next", "--rtp-ports=40001-40002", "holds no even port with the next"},
		{"from zero", "--rtp-ports=0-40000", "holds no even port with the next"},
		{"ports too high", "--rtp-ports=1-70000", "not two ports"},
		{"single number", "--rtp-ports=40000", "not MIN-MAX"},
		{"file that is not there", "--config=/nonexistent/siprecd.yaml", "no such file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := parseServe(t, tt.flag); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %q in it", err, tt.want)
			}
		})
	}
}

// FuzzReadConfig: no text makes the reader panic, and an error names the file.
func FuzzReadConfig(f *testing.F) {
	for _, seed := range []string{"", "data: x\n", "listen: [a, b]\n", "a: &x [*x]\n", "vanish: 1s\nvanish: 2s", "- -", "? [a]: b", "\x00"} {
		f.Add([]byte(seed))
	}
	_, p := parser(f)
	flags := serveFlags(p.Model)
	f.Fuzz(func(t *testing.T, text []byte) {
		values, err := readConfig("siprecd.yaml", text, flags)
		if err != nil && !strings.HasPrefix(err.Error(), "siprecd.yaml:") {
			t.Errorf("error without the file: %v", err)
		}
		for key := range values {
			if flagOf(flags, key) == nil {
				t.Errorf("value for the unknown key %q", key)
			}
		}
	})
}
