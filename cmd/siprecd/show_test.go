package main

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/recorder/account"
)

var updatePictures = flag.Bool("update-pictures", false, "write testdata/show anew")

// shownBy runs recordings show in an environment without a terminal.
func shownBy(t *testing.T, dir string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return program(t, append([]string{"recordings", "--data", dir, "show"}, args...)...)
}

// golden compares a text with a file of testdata/show.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "show", name)
	if *updatePictures {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
	}
}

// locale sets the environment that a picture depends on.
func locale(t *testing.T, name string) {
	t.Helper()
	t.Setenv("LC_ALL", name)
	t.Setenv("COLUMNS", "")
}

// TestShow draws a call with holds, pauses, a payment, a consult, lost packets and a server
// that was down: finished, while it goes on, and erased; in several widths and signs.
func TestShow(t *testing.T) {
	c := newShownCall(t)
	draw := func(name string, args ...string) {
		t.Helper()
		out, errs, code := shownBy(t, c.dir, append([]string{c.id}, args...)...)
		if code != exitOK || errs != "" {
			t.Fatalf("%s: exit %d, %s", name, code, errs)
		}
		golden(t, name, out)
	}
	// A recording that goes on is told up to when it was written last, as that is long ago.
	c.write(t, slices.DeleteFunc(slices.Clone(c.lines), func(l account.Line) bool { return l.At.After(shownAt(34)) }))
	if err := os.Chtimes(filepath.Join(c.folder, "journal.jsonl"), time.Time{}, shownAt(38)); err != nil {
		t.Fatal(err)
	}
	locale(t, "C.UTF-8")
	draw("live.txt")

	c.write(t, c.lines)
	c.finish(t)
	draw("call-80.txt")
	draw("call-200.txt", "--width", "200")
	t.Setenv("COLUMNS", "60")
	draw("call-60.txt")
	locale(t, "C")
	draw("call-ascii.txt")
	locale(t, "de_DE.utf8")
	draw("call-ascii.txt", "--ascii")

	why := ""
	for _, at := range []string{"5.02", "00:12", "0:13", "0:35.5", "53", "0:00:59.999", "2026-11-21T14:31:09Z", "1:22", "2026-11-21T14:30:04.9999Z"} {
		out, errs, code := shownBy(t, c.dir, c.id, "--why", at)
		if code != exitOK || errs != "" {
			t.Fatalf("why %s: exit %d, %s", at, code, errs)
		}
		why += "$ --why " + at + "\n" + out + "\n"
	}
	golden(t, "why.txt", why)

	page, err := os.ReadFile(filepath.Join(moduleRoot(t), "docs", "show.md"))
	if err != nil {
		t.Fatal(err)
	}
	drawn, _, _ := shownBy(t, c.dir, c.id, "--width", "80")
	shown, _, _ := strings.Cut(drawn, "\n  3  ")
	said, _, _ := shownBy(t, c.dir, c.id, "--width", "80", "--why", "0:35.5", "--of", "Bob")
	for _, text := range []string{shown, said} {
		if !strings.Contains(string(page), text) {
			t.Errorf("docs/show.md does not show\n%s", text)
		}
	}

	if _, err := recorder.Erase(c.dir, c.id, recorder.Erasure{By: "Ann", Reason: "request 7", At: shownAt(90_000)}); err != nil {
		t.Fatal(err)
	}
	draw("erased.txt")
	out, _, _ := shownBy(t, c.dir, c.id, "--why", "12.5")
	golden(t, "erased-why.txt", out)
}

// TestShowJSON: the account and the answers for machines.
func TestShowJSON(t *testing.T) {
	c := newShownCall(t)
	c.finish(t)
	out, _, code := shownBy(t, c.dir, c.id, "--json")
	var a account.Account
	if err := json.Unmarshal([]byte(out), &a); err != nil || code != exitOK {
		t.Fatalf("exit %d, %v", code, err)
	}
	if len(a.Lanes) != 3 || a.LengthMS != 82_000 || a.Recording != c.id || len(a.Events) < 12 || len(a.Mapping) != 2 {
		t.Errorf("%+v", a)
	}
	out, _, code = shownBy(t, c.dir, c.id, "--why", "0:35", "--of", "bob", "--json")
	var said struct {
		AtMS    int64            `json:"at_ms"`
		At      time.Time        `json:"at"`
		Answers []account.Answer `json:"answers"`
	}
	if err := json.Unmarshal([]byte(out), &said); err != nil || code != exitOK {
		t.Fatalf("exit %d, %v", code, err)
	}
	if said.AtMS != 35_000 || !said.At.Equal(shownAt(35)) || len(said.Answers) != 1 {
		t.Fatalf("%+v", said)
	}
	one := said.Answers[0]
	if one.Title != "Bob" || one.State != account.Withheld || len(one.Causes) != 2 || one.FromMS != 34_000 || one.ToMS != 40_000 || one.FileMS == nil {
		t.Errorf("%+v", one)
	}
	out, _, code = shownBy(t, c.dir, c.id, "--manifest")
	if code != exitOK || !strings.Contains(out, `"recording": "`+c.id+`"`) {
		t.Errorf("manifest: exit %d, %s", code, out)
	}
}

// TestShowRefuses: what was asked wrongly ends with 2, what is not there with 1.
func TestShowRefuses(t *testing.T) {
	c := newShownCall(t)
	c.finish(t)
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{c.id, "--why", "yesterday"}, exitUsage, `"yesterday" is no instant`},
		{[]string{c.id, "--of", "Bob"}, exitUsage, "--of is for --why"},
		{[]string{c.id, "--width", "39"}, exitUsage, "from 40 to 1000"},
		{[]string{c.id, "--width", "1001"}, exitUsage, "from 40 to 1000"},
		{[]string{c.id, "--manifest", "--json"}, exitUsage, "stands alone"},
		{[]string{c.id, "--why", "1", "--of", "Carol"}, exitFailed, `nobody on ` + c.id + ` is "Carol": there is Alice, Bob, sip:+15550177@example.org`},
		{[]string{"../../etc"}, exitUsage, "not the id of a recording"},
		{[]string{"20260102T030405Z-abcdefghij"}, exitFailed, "there is no recording"},
	} {
		out, errs, code := shownBy(t, c.dir, tt.args...)
		if code != tt.code || !strings.Contains(errs, tt.want) || out != "" || strings.Count(errs, "\n") != 1 {
			t.Errorf("%q: exit %d, %q, %q", tt.args, code, errs, out)
		}
	}
}

func TestOffsetOf(t *testing.T) {
	for text, want := range map[string]int64{
		"41": 41_000, "0": 0, "41.25": 41_250, "41.2509": 41_250, "00:41": 41_000, "0:41.5": 41_500, "1:02:03": 3_723_000, "100:00": 6_000_000, "4000": 4_000_000,
		"2026-11-21T14:30:46Z": 41_000, "2026-11-21T15:30:46.5+01:00": 41_500, "2026-11-21t14:30:46z": 41_000, "2026-11-21T14:30:04.9999Z": -1, "2026-11-21T14:30:04Z": -1000,
		"": -9, "x": -9, "-1": -9, "+1": -9, "1:60": -9, "1:5": -9, "0:60:00": -9, "1:2:03": -9, "1:02:03:04": -9, "41.": -9, ".5": -9, "41.x": -9, "1e3": -9, "99999999999": -9, "1:": -9, "2026-11-21": -9,
	} {
		got, err := offsetOf(text, shownBegun)
		if err != nil {
			got = -9
		}
		if got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// TestStyle: the width and the signs are those that were asked for, else those of the
// environment; colour is for terminals alone.
func TestStyle(t *testing.T) {
	for _, tt := range []struct {
		env   string
		width int
		ascii bool
		want  style
	}{
		{"", 0, false, style{width: 80, ascii: true}},
		{"LANG=en_US.UTF-8", 0, false, style{width: 80}},
		{"LANG=en_US.UTF-8 LC_ALL=C", 0, false, style{width: 80, ascii: true}},
		{"LC_CTYPE=en_US.utf8 COLUMNS=132", 0, false, style{width: 132}},
		{"LANG=en_US.UTF-8 COLUMNS=132", 99, true, style{width: 99, ascii: true}},
		{"COLUMNS=7", 0, false, style{width: 40, ascii: true}},
		{"COLUMNS=-7", 0, false, style{width: 80, ascii: true}},
		{"COLUMNS=99999", 0, false, style{width: 1000, ascii: true}},
		{"COLUMNS=wide", 0, false, style{width: 80, ascii: true}},
	} {
		lookup := func(name string) (string, bool) {
			for _, e := range strings.Fields(tt.env) {
				if v, ok := strings.CutPrefix(e, name+"="); ok {
					return v, true
				}
			}
			return "", false
		}
		if got := styleOf(streams{stdout: new(strings.Builder)}, lookup, tt.width, tt.ascii); got != tt.want {
			t.Errorf("%q: %+v, want %+v", tt.env, got, tt.want)
		}
	}
	if got := (style{}).colour(green, '#'); got != "#" {
		t.Errorf("without colour: %q", got)
	}
	if got := (style{coloured: true}).colour(green, '#'); got != "\x1b[32m#\x1b[0m" {
		t.Errorf("with colour: %q", got)
	}
}

// TestNoLineIsTooWide: in each width lanes, marks and sentences fit, and a short pause is
// still seen.
func TestNoLineIsTooWide(t *testing.T) {
	if testing.Short() {
		t.Skip("short: one goroutine does it all")
	}
	c := newShownCall(t)
	c.finish(t)
	a, err := recorder.Account(c.dir, c.id, nil, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	// A pause of 50 ms in the middle of what is kept.
	spans := a.Lanes[0].Spans
	i := slices.IndexFunc(spans, func(s account.Span) bool { return s.State == account.Kept && s.FromMS >= 70_000 })
	before, pause, after := spans[i], spans[i], spans[i]
	before.ToMS, pause.FromMS, pause.ToMS, after.FromMS = 75_000, 75_000, 75_050, 75_050
	pause.State, pause.Causes = account.Stuck, nil
	a.Lanes[0].Spans = slices.Insert(append(slices.Clone(spans[:i]), before, pause, after), i+3, spans[i+1:]...)
	for width := leastWidth; width <= 240; width++ {
		for _, ascii := range []bool{false, true} {
			text := picture(&a, style{width: width, ascii: ascii})
			for line := range strings.Lines(text) {
				words := strings.Fields(line)
				if n := columns(strings.TrimSuffix(line, "\n")); n > width && len(words) > 0 && columns(words[len(words)-1]) < width-20 {
					t.Fatalf("width %d: %d columns: %q", width, n, line)
				}
				if ascii && strings.ContainsFunc(line, func(r rune) bool { return r > 0x7E }) {
					t.Fatalf("not ASCII: %q", line)
				}
			}
			_, lane, _ := strings.Cut(text, "\nAlice, agent ")
			if lane, _, _ = strings.Cut(lane, "\n"); strings.Count(lane, "@") != 1 || !strings.Contains(text, "\n@ withheld too late") {
				t.Fatalf("width %d: a short part is not seen:\n%s", width, text)
			}
		}
	}
}

// What came from the wire cannot move the cursor, and names of all scripts keep the lanes
// in their columns.
func TestNamesInPictures(t *testing.T) {
	for text, want := range map[string]int{"Bob": 3, "山田": 4, "e\u0301": 1, "한국": 4, "": 0} {
		if got := columns(text); got != want {
			t.Errorf("%q: %d columns, want %d", text, got, want)
		}
	}
	for _, name := range []string{"Bob", "山田太郎と花子", "a very long name indeed", "e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301"} {
		if got := columns(padded(name, 9)); got != 9 {
			t.Errorf("%q takes %d columns: %q", name, got, padded(name, 9))
		}
	}
	if got := graphic("a\x1b[31mb\u202e"); strings.ContainsAny(got, "\x1b\u202e") {
		t.Errorf("%q", got)
	}
	for _, line := range strings.SplitAfter(wrapped("one two three four five", "> ", "  ", 10), "\n") {
		if columns(strings.TrimSpace(line)) > 10 {
			t.Errorf("%q", line)
		}
	}
}

// TestAxis: whatever the length, marks begin at 0, do not touch each other, and numbers of
// events stand in their order.
func TestAxis(t *testing.T) {
	for _, length := range []int64{0, 1, 40, 999, 6000, 61_000, 3_599_000, 3_601_000, 86_400_000, 900_000_000} {
		a := account.Account{LengthMS: length}
		for n := range 40 {
			a.Events = append(a.Events, account.Event{Number: n + 1, AtMS: length * int64(n) / 40})
		}
		for _, cells := range []int{10, 30, 67, 180} {
			c := chart{account: &a, cells: cells}
			labels, marks := c.axis()
			if len([]rune(labels)) != cells || len([]rune(marks)) != cells || !strings.HasPrefix(marks, "┬") {
				t.Errorf("%d ms in %d cells: %q, %q", length, cells, labels, marks)
			}
			if fields := strings.Fields(labels); len(fields) > strings.Count(marks, "┬") || length >= 6000 && cells >= 30 && strings.Count(marks, "┬") < 2 {
				t.Errorf("%d ms in %d cells: %q, %q", length, cells, labels, marks)
			}
			numbers := c.numbers()
			if len(numbers) != cells || !strings.HasPrefix(strings.TrimSpace(numbers), "1") || !strings.Contains(numbers, "40") {
				t.Errorf("%d ms in %d cells: %q", length, cells, numbers)
			}
		}
	}
}
