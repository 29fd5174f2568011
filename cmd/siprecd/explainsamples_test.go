package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/siprecd/siprecd/rules"
)

// samplesFolder finds reference messages of real devices, which are kept beside
// the module and are not part of it.
func samplesFolder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(moduleRoot(t), "..", "shared", "dialects", "samples")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("reference messages are absent")
	}
	return dir
}

// A sampleCase is what explain has to make of the messages whose file names begin
// alike, without a directory and without a profile.
type sampleCase struct {
	prefix    string // several are parted by commas
	messages  int
	dialog    int // of the recording sessions that the messages make, from 0
	direction string
	calls     int
	// people are role/identified by/strength of the evidence, and the streams:
	// label@m-line:first message-message that ended it, ? for guessed.
	people string
	// answers are the status after each message, and for each m-line r for
	// recvonly, i for inactive, x for refused; H when the metadata says held.
	answers string
}

func sampleCases() []sampleCase {
	return []sampleCase{
		{"audiocodes-01-avaya-ucid", 1, 0, "unknown", 1, "unknown/-/0 1@1:1-0; unknown/-/0 2@2:1-0", "200+r+r"},
		{"audiocodes-03-legacy-full", 1, 0, "unknown", 1, "unknown/-/0 1@1:1-0; unknown/-/0 2@2:1-0", "200+r+r"},
		{"audiocodes-04-pause", 2, 0, "unknown", 1, "customer/num/5 1@1:1-0; agent/-/5 2@2:1-0", "200+r+r 200+i+i"},
		{"audiocodes-06-info-on-demand", 1, 0, "unknown", 0, "", "200"},
		{"avaya-01-sbce-dummy-participant", 3, 0, "unknown", 1, "agent/dir/1 10@1:1-3; unknown/-/0; customer/num/7 20@0:2-3", "200+r 200+r 200+r"},
		{"broadworks-01-3way-mixed", 6, 0, "outbound", 1, "agent/dir/1 1@1:1-6; customer/num/4 1@1:1-5; agent/dir/3 1@1:3-6", "200+r 200+r 200+r 200+r 200+r 200+r"},
		{"broadworks-03-redirect", 3, 0, "inbound", 2, "agent/dir/1 1@1:1-3; customer/num/4 1@1:1-3; agent/dir/1 1@1:3-0; external/num/7 1@1:3-0", "200+r 200+r 200+r"},
		{"broadworks-04-acd-queue-invite", 1, 0, "inbound", 1, "agent/dir/1 1@1:1-0; customer/num/4 -@0:1-0,1@1:1-0?", "200+r"},
		{"broadworks-05-dual-orig", 1, 0, "outbound", 1, "agent/dir/1 1@1:1-0; customer/num/4 2@2:1-0", "200+r+r"},
		{"broadworks-08-part-content-length-label-mismatch", 1, 0, "outbound", 1, "agent/dir/1 1@1:1-0?; customer/num/4 1@1:1-0?", "200+r"},
		{"cisco-01-gtd-third-part", 1, 0, "unknown", 1, "unknown/-/0 1@1:1-0; unknown/-/0 2@2:1-0", "200+r+r"},
		{"cisco-03-cube-ios17", 1, 0, "unknown", 1, "unknown/-/0 1@1:1-0; unknown/-/0 2@2:1-0", "200+r+r"},
		{"cisco-04-cube-iosxe16-emergency", 1, 0, "unknown", 1, "customer/num/5 1@1:1-0; agent/-/5 2@2:1-0", "200+r+r"},
		{"cisco-05-cube-legacy-forking", 2, 0, "unknown", 1, "customer/num/5 -@1:1-0; agent/-/5 -@0:1-2; external/num/7 -@0:2-0", "200+r 200+r"},
		{"cisco-07-audio-video-4-streams", 1, 0, "unknown", 1, "unknown/-/0 1@1:1-0,3@3:1-0; unknown/-/0 2@2:1-0,4@4:1-0", "200+r+r+i+i"},
		{"cisco-08-hold-sendonly", 2, 0, "unknown", 1, "unknown/-/0 1@1:1-2,3@3:1-2; unknown/-/0 2@2:1-0,4@4:1-0", "200+r+r+i+i 200+iH+r+iH+i"},
		{"cisco-12-transfer-disassociate", 1, 0, "unknown", 1, "unknown/-/0; unknown/-/0", "0"},
		{"cisco-15-no-require-bad-contact-dangling-assoc", 1, 0, "unknown", 1, "customer/num/5 1@1:1-0; agent/-/5 2@2:1-0?; unknown/-/0 2@2:1-0", "200+r+r"},
		{"cisco-16-legacy-two-mlines-no-metadata", 1, 0, "unknown", 1, "unknown/-/0 -@1:1-0; unknown/-/0 -@2:1-0", "200+r+r"},
		{"google-01-ccai-client-srtp-quoted", 1, 0, "unknown", 0, "unknown/-/0 1@1:1-0?; unknown/-/0 2@2:1-0?", "200+r+r"},
		{"jambonz", 2, 0, "inbound", 1, "customer/num/4 1@1:1-0; agent/-/4 2@2:1-0", "200+r+r 200+i+i"},
		{"metaswitch-01-hold", 5, 0, "inbound", 1, "customer/num/4 1@1:1-5; agent/dir/1 1@1:1-5", "200+r 200+r 200+i 200+r 200+r"},
		{"metaswitch-04-g729-invite", 1, 0, "outbound", 1, "agent/dir/1 1@1:1-0; customer/num/4 1@1:1-0", "200+r"},
		{"metaswitch-06-mlhg-hunt-group-invite", 1, 0, "inbound", 1, "agent/dir/1 1@1:1-0; customer/num/4 1@1:1-0", "200+r"},
		{"netsapiens-01-transfer", 3, 0, "internal", 1, "agent/dir/1 1@1:1-0; agent/dir/1 2@2:1-0", "200+r+r"},
		{"netsapiens-01-transfer", 3, 1, "internal", 1, "agent/dir/1 1@1:1-0; agent/dir/3 2@2:1-0", "200+r+r"},
		{"netsapiens-01-transfer", 3, 2, "internal", 1, "agent/dir/1 1@1:1-0; agent/dir/3 2@2:1-0", "200+r+r"},
		{"opensips-01-2.4-no-assocs", 1, 0, "unknown", 1, "unknown/-/0 1@1:1-0?; unknown/-/0 2@2:1-0?", "200+r+r"},
		{"opensips-03-empty-user-aor", 1, 0, "unknown", 1, "unknown/-/0 1@0:1-0?; unknown/-/0 1@0:1-0?", "0"},
		{"opensips-05-3.6-ims-aor", 1, 0, "unknown", 1, "unknown/-/0 0@1:1-0; unknown/-/0 1@2:1-0", "200+r+r"},
		{"oracle-01-acme-basic", 1, 0, "unknown", 1, "unknown/-/0 16777227@1:1-0; unknown/-/0 16777228@2:1-0", "200+r+r"},
		{"oracle-04-ucid-g729-maxptime30", 1, 0, "unknown", 1, "unknown/-/0 553654187@1:1-0; unknown/-/0 553654188@2:1-0", "200+r+r"},
		{"oracle-05-spl-headers-invite", 1, 0, "unknown", 1, "unknown/-/0 16777227@1:1-0; unknown/-/0 -@0:1-0", "200+r"},
		{"oracle-07-draft-2011-no-label", 1, 0, "unknown", 1, "unknown/-/0 -@0:1-0; unknown/-/0", "0"},
		{"ribbon-02-sbc-named-extension", 1, 0, "unknown", 1, "unknown/-/0 2@2:1-0; unknown/-/0 1@1:1-0", "200+r+r"},
		{"sems-01-procom-abc-sbc", 1, 0, "unknown", 1, "unknown/-/0 a_leg@1:1-0; unknown/-/0 b_leg@2:1-0", "200+r+r"},
		{"synthetic-01-x-avaya-headers", 1, 0, "unknown", 1, "agent/dir/1 1@1:1-0?; customer/-/7 1@1:1-0?", "200+r"},
		{"testkit-01-partial-join", 1, 0, "unknown", 1, "unknown/-/0 3@0:1-0", "0"},
		{"webex-01-inbound-invite", 1, 0, "inbound", 1, "agent/dir/1 1@1:1-0; customer/num/4 2@0:1-0", "200+r"},
		{"webex-02-blind-transfer", 3, 0, "outbound", 2, "agent/dir/1 1@1:1-3; customer/num/4 2@0:1-3; agent/dir/1 1@1:3-0; external/num/7 2@0:3-0", "200+r 200+r 200+r"},
		{"rfc-01,rfc-02,rfc-03,rfc-04,rfc-05", 5, 0, "unknown", 1, "unknown/-/0 97@2:1-2,96@1:1-2,97@2:3-4,96@1:3-4; unknown/-/0 98@3:1-5,99@4:1-5; external/-/7 96@1:4-5?,97@2:4-5?", "200+r+i+r+i 200+rH+iH+r+i 200+r+i+r+i 200+r+i+r+i 200+r+i+r+i"},
		{"rfc-06", 1, 0, "unknown", 1, "unknown/-/0 98@3:1-0,99@4:1-0; unknown/-/0 96@1:1-0,97@2:1-0", "200+r+i+r+i"},
		{"rfc-07,rfc-08", 2, 0, "unknown", 1, "unknown/-/0 96@1:1-2; unknown/-/0 96@1:1-0", "200+r 200+r"},
		{"rfc-09", 1, 0, "unknown", 0, "", "200+r"},
		{"rfc-10,rfc-11", 2, 0, "unknown", 1, "unknown/-/0 97@0:1-2,96@0:1-2; unknown/-/0 98@0:1-0,99@0:1-0", "0 0"},
	}
}

// TestExplainSamples takes every sample through explain, the messages of one
// dialog together, and compares it with what is known of the device.
func TestExplainSamples(t *testing.T) {
	dir := samplesFolder(t)
	used := make(map[string]bool)
	for _, tt := range sampleCases() {
		t.Run(fmt.Sprintf("%s/%d", tt.prefix, tt.dialog), func(t *testing.T) {
			var files []string
			for prefix := range strings.SplitSeq(tt.prefix, ",") {
				found, err := filepath.Glob(filepath.Join(dir, prefix+"*"))
				if err != nil {
					t.Fatal(err)
				}
				files = append(files, found...)
			}
			if len(files) != tt.messages {
				t.Fatalf("%d files, want %d", len(files), tt.messages)
			}
			for _, file := range files {
				used[file] = true
			}
			x := explainFiles(t, files)
			if tt.dialog >= len(x.RecordingSessions) {
				t.Fatalf("only %d recording sessions", len(x.RecordingSessions))
			}
			d := &x.RecordingSessions[tt.dialog]
			if d.Direction.Value != tt.direction || d.Direction.Evidence == "" {
				t.Errorf("direction %q, want %q (%s)", d.Direction.Value, tt.direction, d.Direction.Evidence)
			}
			if len(d.Calls) != tt.calls {
				t.Errorf("%d communication sessions, want %d", len(d.Calls), tt.calls)
			}
			if got := peopleOf(d); got != tt.people {
				t.Errorf("people\n%s, want\n%s", got, tt.people)
			}
			if got := answersOf(d); got != tt.answers {
				t.Errorf("answers %q, want %q", got, tt.answers)
			}
			checkPage(t, explainText(x))
		})
	}
	all, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range all {
		if !used[file] {
			t.Errorf("%s is in no row of the table", filepath.Base(file))
		}
	}
}

func explainFiles(t *testing.T, files []string) *explanation {
	t.Helper()
	e := &explainer{who: directory{book: rules.Compile(rules.Directory{})}, apart: time.Minute}
	for _, file := range files {
		messages, err := readMessages(file, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			if m.Start != "" && m.Method == "" {
				t.Errorf("%s: %s", filepath.Base(file), m.Answer.Warning)
			}
			e.add(filepath.Base(file), m)
		}
	}
	return e.explain()
}

func peopleOf(d *explainedDialog) string {
	short := map[string]string{"directory": "dir", "typed number": "num", "unknown": "-"}
	var out []string
	for _, p := range d.Participants {
		text := p.Role + "/" + short[p.IdentifiedBy] + "/" + strconv.Itoa(p.Strength)
		for i, s := range p.Sends {
			part := map[bool]string{true: " ", false: ","}[i == 0]
			text += fmt.Sprintf("%s%s@%d:%d-%d", part, orElse(s.Label, "-"), s.Line, s.From, s.To)
			if s.Guessed {
				text += "?"
			}
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

func answersOf(d *explainedDialog) string {
	var out []string
	for _, m := range d.Messages {
		text := strconv.Itoa(m.Status)
		for _, l := range m.Lines {
			text += map[string]string{"recvonly": "+r", "inactive": "+i", "refused": "+x"}[l.Answer]
			if l.Held {
				text += "H"
			}
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

// checkPage holds a text to what every text is: no line beyond the width, none
// that ends in a blank, nothing that a terminal would obey.
func checkPage(t *testing.T, text string) {
	t.Helper()
	for i, line := range slices.Collect(strings.SplitSeq(text, "\n")) {
		switch {
		case utf8.RuneCountInString(line) > pageWidth:
			t.Errorf("line %d has %d columns: %s", i+1, utf8.RuneCountInString(line), line)
		case strings.TrimRight(line, " ") != line, visible(line) != line:
			t.Errorf("line %d: %q", i+1, line)
		}
	}
}
