package recorder

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/policy"
)

var operator = policy.Actor{Name: "start by operator", Owner: true}

func openBook(t *testing.T, data string, d rules.Directory) *Rulebook {
	t.Helper()
	b, err := OpenRulebook(data, d)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func publish(t *testing.T, b *Rulebook, text string, at time.Time) bool {
	t.Helper()
	_, changed, err := b.Publish([]byte(text), at, operator)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

const (
	quietFile = "accounts: [{name: default}]\n"
	plainFile = "accounts: [{name: default, trunks: [{name: all, record: on}]}]\nmapping: [{address: 0.0.0.0/0, account: default, trunk: all}]\n"
)

func TestRulebookKeepsEveryVersion(t *testing.T) {
	data := t.TempDir()
	b := openBook(t, data, rules.Directory{})
	for _, tt := range []struct {
		text    string
		at      float64
		changed bool
	}{
		{quietFile, 10, true},
		{quietFile, 20, false},
		{plainFile, 30, true},
		{quietFile, 5, true}, // the clock was set back
	} {
		if got := publish(t, b, tt.text, sec(tt.at)); got != tt.changed {
			t.Errorf("publishing at %v: changed %v, want %v", tt.at, got, tt.changed)
		}
	}
	if _, _, err := b.Publish([]byte("accounts: 7\n"), sec(40), operator); err == nil {
		t.Error("a file that cannot be read was published")
	}
	check := func() {
		t.Helper()
		versions, err := Versions(data)
		if err != nil || len(versions) != 3 {
			t.Fatalf("versions %v, %v", versions, err)
		}
		for i, want := range []string{quietFile, plainFile, quietFile} {
			if string(versions[i].Text) != want || versions[i].Actor != operator {
				t.Errorf("version %d is %q by %v", i, versions[i].Text, versions[i].Actor)
			}
			if i > 0 && !versions[i].Published.After(versions[i-1].Published) {
				t.Errorf("version %d was published at %v, not after the one before", i, versions[i].Published)
			}
		}
	}
	check()
	again := openBook(t, data, rules.Directory{})
	if publish(t, again, quietFile, sec(50)) {
		t.Error("the file in force was published again after a start")
	}
	check()
	if got := again.pin(sec(60), policy.Traits{}); !strings.HasPrefix(got.file, "file@") || !strings.Contains(got.file, sec(30).Add(1).UTC().Format(time.RFC3339Nano)) {
		t.Errorf("after a start %q decides", got.file)
	}
}

func TestRulebookRefusesAlteredHistory(t *testing.T) {
	list := func(change func(lines []string) []string) func(dir string) error {
		return func(dir string) error {
			path := filepath.Join(dir, versionsName)
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, []byte(strings.Join(change(strings.SplitAfter(string(text), "\n")), "")), 0o600)
		}
	}
	text := func(dir string) string { return filepath.Join(dir, hashOf([]byte(quietFile))+".yaml") }
	for name, alter := range map[string]func(dir string) error{
		"text changed":          func(dir string) error { return os.WriteFile(text(dir), []byte(plainFile), 0o600) },
		"text missing":          func(dir string) error { return os.Remove(text(dir)) },
		"list missing":          func(dir string) error { return os.Remove(filepath.Join(dir, versionsName)) },
		"head missing":          func(dir string) error { return os.Remove(filepath.Join(dir, headName)) },
		"line garbled":          list(func(l []string) []string { l[1] = "{\n"; return l }),
		"first line missing":    list(func(l []string) []string { return l[1:] }),
		"line missing":          list(func(l []string) []string { return append(l[:1], l[2:]...) }),
		"last line missing":     list(func(l []string) []string { return l[:2] }),
		"actor of another line": list(func(l []string) []string { l[0] = strings.Replace(l[0], "operator", "alice", 1); return l }),
		"actor of the last":     list(func(l []string) []string { l[2] = strings.Replace(l[2], "operator", "alice", 1); return l }),
	} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			book := openBook(t, data, rules.Directory{})
			for i, text := range []string{quietFile, plainFile, quietFile} {
				publish(t, book, text, sec(float64(i)))
			}
			if err := alter(filepath.Join(data, policiesName)); err != nil {
				t.Fatal(err)
			}
			if _, err := OpenRulebook(data, rules.Directory{}); err == nil {
				t.Error("opened")
			}
		})
	}
}

// A crash while the list is written leaves a torn line; the version in it never
// came into force, and the next one takes its place.
func TestRulebookAfterACrash(t *testing.T) {
	data := t.TempDir()
	publish(t, openBook(t, data, rules.Directory{}), quietFile, sec(1))
	list := filepath.Join(data, policiesName, versionsName)
	whole, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(list, append(whole, whole[:20]...), 0o600); err != nil {
		t.Fatal(err)
	}
	b := openBook(t, data, rules.Directory{})
	if !publish(t, b, plainFile, sec(2)) {
		t.Error("not published")
	}
	if versions, err := Versions(data); err != nil || len(versions) != 2 || string(versions[1].Text) != plainFile {
		t.Errorf("versions %v, %v", versions, err)
	}
	// The next crash comes between the line and the head.
	head := filepath.Join(data, policiesName, headName)
	old, err := os.ReadFile(head)
	if err != nil {
		t.Fatal(err)
	}
	publish(t, openBook(t, data, rules.Directory{}), quietFile, sec(3))
	if err := os.WriteFile(head, old, 0o600); err != nil {
		t.Fatal(err)
	}
	if publish(t, openBook(t, data, rules.Directory{}), quietFile, sec(4)) {
		t.Error("the version whose head was not written is not in force")
	}
}

func TestPinByInstant(t *testing.T) {
	b := openBook(t, t.TempDir(), rules.Directory{})
	if got := b.pin(sec(1), policy.Traits{}); got.belonging.Alarm == "" || got.Version() != (rules.Policy{}).Version() {
		t.Errorf("without any version %+v decides", got)
	}
	publish(t, b, quietFile, sec(10))
	publish(t, b, plainFile, sec(20))
	file := func(at float64) string {
		in, _ := b.at(sec(at))
		return string(in.version.Text)
	}
	for at, want := range map[float64]string{11: quietFile, 20: quietFile, 20.001: plainFile, 1: quietFile} {
		if got := file(at); got != want {
			t.Errorf("at %v %q is in force", at, got)
		}
	}
}

func TestPinUnknownAccount(t *testing.T) {
	b := openBook(t, t.TempDir(), rules.Directory{})
	publish(t, b, "accounts: [{name: sales, trunks: [{name: east, record: on}]}]\nmapping: [{listener: x, account: sales, trunk: east}]\n", sec(1))
	got := b.pin(sec(2), policy.Traits{})
	if got.Flags().Trunk || !strings.Contains(got.belonging.Alarm, "no such account") {
		t.Errorf("%+v decides", got)
	}
	if got = b.pin(sec(2), policy.Traits{Listener: "x"}); !got.Flags().Trunk || got.belonging.Alarm != "" || got.belonging.Trunk != "east" {
		t.Errorf("%+v decides", got)
	}
}

// What a profile leaves to other systems is told only where they have a way in; that
// stays so when the directory or the file changes.
func TestRulebookTakesCommands(t *testing.T) {
	const file = "accounts: [{name: default, flows: [{name: pay, suppress: yes}], trunks: [{name: all, record: on, profile: %s}]}]\n" +
		"mapping: [{address: 0.0.0.0/0, account: default, trunk: all}]\nprofiles: [{name: acd, wire: [parties], api: [ivr, queue]}, {name: sbc, wire: [parties, ivr, queue]}]\n"
	b := openBook(t, t.TempDir(), rules.Directory{})
	at := 10.0
	unfed := func(profile string) bool {
		at++
		publish(t, b, strings.Replace(file, "%s", profile, 1), sec(at))
		p := b.pin(sec(at+0.5), policy.Traits{Address: netip.MustParseAddr("192.0.2.1")})
		return p.Flags().FlowsUnfed
	}
	if !unfed("acd") || !unfed("sbc") {
		t.Error("the recorder takes what nothing tells it")
	}
	b.TakeCommands()
	check := func(when string) {
		t.Helper()
		if p := b.pin(sec(at+0.7), policy.Traits{Address: netip.MustParseAddr("192.0.2.1")}); !p.Flags().FlowsUnfed {
			t.Errorf("%s: the SRC tells it on the wire", when) // that of before is the one of the SRC
		}
		if unfed("acd") || !unfed("sbc") {
			t.Errorf("%s: other systems tell it, and the SRC does not", when)
		}
	}
	check("at once")
	b.SetDirectory(rules.Directory{})
	check("with another directory")
	want := policy.Taken{Call: TakenFacts(), API: CommandFacts()}
	if got := b.Taken(); !slices.Equal(got.Call, want.Call) || !slices.Equal(got.API, want.API) {
		t.Errorf("%+v", got)
	}
}
