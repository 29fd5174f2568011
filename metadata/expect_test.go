package metadata_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/metadata"
)

// A sample is what is expected of one message of a real device. Labels longer
// than four digits are written as their number of digits, facts as their kinds,
// those of header fields after a +.
// People are participants, streams and who is known to send which: "1>2" is the
// first participant on the second stream, "?" a guess.
type sample struct {
	file, layout, dialect, direction, labels, people, facts string
}

// samples is checked line by line against the tables of the dialects.
var samples = []sample{
	{"audiocodes-01-avaya-ucid.sip", "L2", "audiocodes", "", "1,2", "2 on 2 1>1 2>2", "ucid +"},
	{"audiocodes-03-legacy-full.sip", "L2", "", "", "1,2", "2 on 2 1>1 2>2", "+"},
	{"audiocodes-04-pause-1-invite.sip", "L2", "", "", "1,2", "2 on 2 1>1 2>2", "+ call-id"},
	{"audiocodes-04-pause-2-reinvite-inactive.sip", "L2", "", "", "1,2", "2 on 2 1>1 2>2", "+"},
	{"avaya-01-sbce-dummy-participant-1-invite.sip", "L1", "avaya", "", "10,20", "2 on 2 1>1", "placeholder ucid + asserted diverted-from ucid"},
	{"avaya-01-sbce-dummy-participant-2-update.sip", "L1", "avaya", "", "10,20", "2 on 2", "ucid + asserted diverted-from ucid"},
	{"broadworks-01-3way-mixed-1-invite.sip", "L3", "broadworks", "outbound", "1", "2 on 1 1>1 2>1", "call-id called-number calling-number dialled direction initiator recording-mode tenant tracking-id user-id + recorded-party"},
	{"broadworks-01-3way-mixed-2-reinvite.sip", "L3", "broadworks", "outbound", "1", "2 on 1 1>1 2>1", "call-id called-number calling-number dialled direction initiator recording-mode tenant tracking-id user-id + recorded-party tracking-id"},
	{"broadworks-01-3way-mixed-3-update-join.sip", "L3", "broadworks", "outbound", "1", "3 on 1", "call-id called-number calling-number dialled direction initiator recording-mode tenant tracking-id user-id + recorded-party tracking-id"},
	{"broadworks-01-3way-mixed-4-reinvite.sip", "L3", "broadworks", "outbound", "1", "3 on 1 1>1 2>1 3>1", "call-id called-number calling-number dialled direction initiator recording-mode tenant tracking-id user-id + recorded-party tracking-id"},
	{"broadworks-01-3way-mixed-5-update-leave.sip", "L3", "broadworks", "outbound", "1", "2 on 1", "call-id called-number calling-number dialled direction initiator recording-mode tenant tracking-id user-id + recorded-party tracking-id"},
	{"broadworks-03-redirect-1-invite.sip", "L3", "broadworks", "inbound", "1", "2 on 1 1>1 2>1", "call-id called-number calling-number direction diverted-from initiator original-called recording-mode redirections tenant tracking-id user-id + recorded-party"},
	{"broadworks-03-redirect-3-reinvite-transfer.sip", "L3", "broadworks", "inbound", "1", "2 on 1 1>1 2>1", "call-id called-number calling-number direction diverted-from initiator original-called recording-mode redirections tenant tracking-id transfer-from transfer-to user-id + recorded-party tracking-id"},
	{"broadworks-04-acd-queue-invite.sip", "L3", "broadworks", "inbound", "1", "2 on 1 1>1 2>1?", "call-id called-number calling-number direction initiator queue-id queue-name queue-number recording-mode tenant tracking-id user-id + asserted"},
	{"broadworks-05-dual-orig.sip", "L3", "broadworks", "outbound", "1,2", "2 on 2 1>1 2>2", "call-id called-number calling-number dialled direction initiator recording-mode tenant tracking-id user-id + recorded-party"},
	{"broadworks-08-part-content-length-label-mismatch.sip", "L3", "broadworks", "outbound", "1", "2 on 1 1>1? 2>1?", "call-id called-number calling-number dialled direction initiator recording-mode tenant tracking-id user-id + recorded-party"},
	{"cisco-01-gtd-third-part.sip", "L1", "", "", "1,2", "2 on 2 1>1 2>2", "+ call-id"},
	{"cisco-03-cube-ios17.sip", "L1", "", "", "1,2", "2 on 2 1>1 2>2", "+ call-id"},
	{"cisco-04-cube-iosxe16-emergency.sip", "L1", "", "", "1,2", "2 on 2 1>1 2>2", "+ call-id"},
	{"cisco-07-audio-video-4-streams.sip", "L1", "", "", "1,3,2,4", "2 on 4 1>1 2>2 1>3 2>4", "+ call-id"},
	{"cisco-08-hold-sendonly-1-invite.sip", "L1", "", "", "1,3,2,4", "2 on 4 1>1 2>2 1>3 2>4", "+ call-id"},
	{"cisco-08-hold-sendonly-2-reinvite.sip", "L1", "", "", "1,3,2,4", "2 on 4 2>2 2>4", "+ call-id"},
	{"cisco-12-transfer-disassociate.xml", "L1", "", "", "", "2 on 0", "+"},
	{"cisco-15-no-require-bad-contact-dangling-assoc.sip", "L1", "", "", "1,2", "2 on 2 1>1 0>2 2>2?", "+ call-id"},
	{"google-01-ccai-client-srtp-quoted.sip", "L1", "", "", "1,2", "2 on 2 1>1? 2>2?", "+ call-id"},
	{"jambonz-01-calling-called-swapped.sip", "L1", "jambonz", "inbound", "1,2", "2 on 2 1>1 2>2", "application call-id called-number calling-number direction realm recording-id source tenant +"},
	{"metaswitch-01-hold-1-invite.sip", "L2b", "metaswitch", "inbound", "1", "2 on 1 1>1 2>1", "calling-number dialled direction recorded-party system tenant + asserted"},
	{"metaswitch-01-hold-2-reinvite.sip", "L2b", "metaswitch", "inbound", "1", "2 on 1 1>1 2>1", "calling-number dialled direction recorded-party system tenant +"},
	{"metaswitch-01-hold-3-reinvite-hold.sip", "L2b", "metaswitch", "inbound", "1", "2 on 1 1>1 2>1", "calling-number dialled direction recorded-party system tenant +"},
	{"metaswitch-01-hold-4-reinvite-resume.sip", "L2b", "metaswitch", "inbound", "1", "2 on 1 1>1 2>1", "calling-number dialled direction recorded-party system tenant +"},
	{"metaswitch-04-g729-invite.sip", "L2b", "metaswitch", "outbound", "1", "2 on 1 1>1 2>1", "calling-number dialled direction recorded-party system tenant + asserted"},
	{"metaswitch-06-mlhg-hunt-group-invite.sip", "L2b", "metaswitch", "inbound", "1", "2 on 1 1>1 2>1", "calling-number dialled direction recorded-party system tenant + asserted"},
	{"netsapiens-01-transfer-1-original.sip", "L1", "netsapiens", "internal", "1,2", "2 on 2 1>1 2>2", "action action-by called-number calling-number calling-party department direction group-order party-id tenant user-direction user-id +"},
	{"netsapiens-01-transfer-2-consult.sip", "L1", "netsapiens", "internal", "1,2", "2 on 2 1>1 2>2", "action action-by called-number calling-number calling-party department direction group-order party-id tenant user-direction user-id +"},
	{"netsapiens-01-transfer-3-after.sip", "L1", "netsapiens", "internal", "1,2", "2 on 2 1>1 2>2", "action called-number calling-number calling-party department direction group-order party-id tenant transfer-by transfer-id user-direction user-id +"},
	{"opensips-01-2.4-no-assocs.sip", "L1", "", "", "1,2", "2 on 2 1>1? 2>2?", "+"},
	{"opensips-03-empty-user-aor.xml", "L1", "", "", "1", "2 on 1", "+"},
	{"opensips-05-3.6-ims-aor.sip", "L1", "", "", "0,1", "2 on 2 1>1 2>2", "+"},
	{"oracle-01-acme-basic.sip", "L2", "acme", "", "8 digits,8 digits", "2 on 2 1>1 2>2", "calling-party +"},
	{"oracle-04-ucid-g729-maxptime30.sip", "L2", "acme", "", "9 digits,9 digits", "2 on 2 1>1 2>2", "caller-orig calling-party ucid +"},
	{"oracle-05-spl-headers-invite.sip", "L2", "acme", "", "8 digits", "2 on 1 1>1 2>2?", "asserted calling-party header realm request-uri +"},
	{"oracle-07-draft-2011-no-label.xml", "L3b", "", "", "", "2 on 1", "+"},
	{"rfc-01-8068-complete.sip", "L1", "", "", "96,97,98,99", "2 on 4 1>1 1>2 2>3 2>4", "+ call-id"},
	{"rfc-02-8068-hold.sip", "L1", "", "", "", "0 on 0", "+ call-id"},
	{"rfc-03-8068-resume.sip", "L1", "", "", "", "0 on 0", "+ call-id"},
	{"rfc-04-8068-transfer.sip", "L1", "", "", "", "1 on 0", "+ call-id"},
	{"rfc-05-8068-disassociate.sip", "L1", "", "", "", "0 on 0", "+ call-id"},
	{"rfc-06-8068-conference.sip", "L1", "", "", "96,97,98,99", "2 on 4 2>1 2>2 1>3 1>4", "+ call-id"},
	{"rfc-07-8068-mixed-stream.sip", "L1", "", "", "96", "2 on 1 1>1 2>1", "+ call-id"},
	{"rfc-08-8068-partial2.sip", "L1", "", "", "96", "0 on 1 0>1", "+ call-id"},
	{"rfc-10-7865-complete.xml", "L1", "", "", "96,97,98,99", "2 on 4", "+"},
	{"rfc-11-7865-partial.xml", "L1", "", "", "", "1 on 0", "+"},
	{"ribbon-02-sbc-named-extension.sip", "L2b", "ribbon", "", "1,2", "2 on 2 2>1 1>2", "call-id called-number calling-number tracking-id +"},
	{"sems-01-procom-abc-sbc.sip", "L1", "sems", "", "a_leg,b_leg", "2 on 2 1>1 2>2", "calling-party +"},
	{"synthetic-01-x-avaya-headers.sip", "L1", "", "", "1", "2 on 1 1>1? 2>1?", "+ agent-id asserted diverted-from ucid"},
	{"testkit-01-partial-join.xml", "L1", "", "", "3", "1 on 1", "+"},
	{"webex-01-inbound-invite.sip", "L3", "broadworks", "inbound", "1,2", "2 on 2 1>1", "call-id called-number calling-number direction initiator recording-mode tenant tracking-id user-id + call-id recorded-party tracking-id"},
	{"webex-02-blind-transfer-1-invite.sip", "L3", "broadworks", "outbound", "1,2", "2 on 2 1>1", "call-id called-number calling-number dialled direction initiator recording-mode tenant tracking-id user-id + call-id recorded-party tracking-id"},
	{"webex-02-blind-transfer-3-reinvite-transferred.sip", "L3", "broadworks", "outbound", "1,2", "2 on 2 1>1", "call-id called-number calling-number dialled direction initiator recording-mode tenant tracking-id transfer-from transfer-to user-id + call-id recorded-party tracking-id"},
}

// headerSamples have no metadata that can be read.
var headerSamples = []sample{
	{"audiocodes-06-info-on-demand.sip", "", "audiocodes", "", "", "", "action"},
	{"avaya-01-sbce-dummy-participant-3-bye.sip", "", "avaya", "", "", "", "asserted ucid"},
	{"broadworks-01-3way-mixed-6-bye.sip", "", "", "", "", "", ""},
	{"broadworks-03-redirect-2-reinvite-sdp-only.sip", "", "broadworks", "", "", "", "recorded-party tracking-id"},
	{"cisco-05-cube-legacy-forking-1-invite.sip", "L0", "cisco", "", ",", "2 on 2 1>1", "asserted call-id"},
	{"cisco-05-cube-legacy-forking-2-reinvite-transfer.sip", "L0", "cisco", "", ",", "2 on 2 1>1", "asserted call-id"},
	{"cisco-16-legacy-two-mlines-no-metadata.sip", "L0", "cisco", "", ",", "2 on 2 1>1 2>2", "call-id"},
	{"jambonz-03-pause-reinvite.sip", "", "", "", "", "", ""},
	{"metaswitch-01-hold-5-bye.sip", "", "", "", "", "", ""},
	{"rfc-09-7866-invite.sip", "", "", "", "", "", ""},
	{"webex-02-blind-transfer-2-reinvite-sdp-only.sip", "", "broadworks", "", "", "", "call-id recorded-party tracking-id"},
}

// headersOf reads the header fields of a message, folded ones included.
func headersOf(raw []byte) []metadata.HeaderField {
	var out []metadata.HeaderField
	lines := bufio.NewScanner(bytes.NewReader(raw))
	for lines.Scan() {
		line := strings.TrimRight(lines.Text(), "\r")
		if line == "" || strings.HasPrefix(line, "<") {
			break
		}
		if strings.HasPrefix(line, " ") && len(out) > 0 {
			out[len(out)-1].Value += " " + strings.TrimSpace(line)
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if ok && !strings.Contains(strings.TrimSpace(name), " ") {
			out = append(out, metadata.HeaderField{Name: name, Value: value})
		}
	}
	return out
}

// bindingOf reads the m-lines of a message.
func bindingOf(raw []byte) metadata.Binding {
	var b metadata.Binding
	for _, line := range strings.Split(string(raw), "\n") {
		line = strings.TrimRight(line, "\r")
		if strings.HasPrefix(line, "m=") {
			b = append(b, metadata.LabelAt{Index: len(b)})
		}
		if label, ok := strings.CutPrefix(line, "a=label:"); ok && len(b) > 0 {
			b[len(b)-1].Label = label
		}
	}
	return b
}

// measure returns a document in the words of the table.
func measure(name string, d *metadata.Document, b metadata.Binding, facts []metadata.Fact) sample {
	s := sample{file: name, layout: d.Layout.String()}
	var labels []string
	for _, st := range d.Streams {
		label := st.Label
		if len(label) > 4 && strings.Trim(label, "0123456789") == "" {
			label = fmt.Sprintf("%d digits", len(label))
		}
		labels = append(labels, label)
	}
	s.labels = strings.Join(labels, ",")
	s.dialect, s.direction, s.facts = summary(facts)
	s.people = fmt.Sprintf("%d on %d", len(d.Participants), len(d.Streams))
	m, _ := metadata.New().Apply(d, instant(1), b)
	order := make(map[metadata.ID]int)
	for i, p := range d.Participants {
		order[p.ID] = i + 1
	}
	for i := range b {
		for _, sp := range m.Attribution(i, 0, instant(1)) {
			guess := ""
			if sp.Guessed {
				guess = "?"
			}
			s.people += fmt.Sprintf(" %d>%d%s", order[sp.Participant], i+1, guess)
		}
	}
	return s
}

func summary(facts []metadata.Fact) (dialect, direction, kinds string) {
	var dialects, directions, all []string
	for _, f := range facts {
		if f.Dialect != metadata.DialectSIP {
			dialects = append(dialects, string(f.Dialect))
		}
		if f.Kind == metadata.FactDirection {
			directions = append(directions, f.Value)
		}
		all = append(all, f.Kind.String())
	}
	join := func(words []string) string {
		slices.Sort(words)
		return strings.Join(slices.Compact(words), " ")
	}
	return join(dialects), join(directions), join(all)
}

func TestSamplesAsExpected(t *testing.T) {
	dir := shared(t, "dialects", "samples")
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			hs, b := headersOf(raw), bindingOf(raw)
			d, err := metadata.Decode(metadataOf(raw))
			table, got := samples, sample{file: name}
			switch made := metadata.FromHeaders(hs, b); {
			case err == nil:
				got = measure(name, d, b, d.Facts())
				_, _, fields := summary(metadata.HeaderFacts(hs))
				got.facts = strings.TrimSpace(got.facts + " + " + fields)
				if made != nil {
					t.Error("metadata, and header fields instead of it")
				}
			case made != nil:
				table = headerSamples
				got = measure(name, made, b, metadata.HeaderFacts(hs))
			default:
				table = headerSamples
				got.dialect, got.direction, got.facts = summary(metadata.HeaderFacts(hs))
			}
			i := slices.IndexFunc(table, func(s sample) bool { return s.file == name })
			if i < 0 {
				t.Fatalf("nothing is expected of it; got\n{%q, %q, %q, %q, %q, %q, %q},", got.file, got.layout, got.dialect, got.direction, got.labels, got.people, got.facts)
			}
			if got != table[i] {
				t.Errorf("\n got %+v\nwant %+v", got, table[i])
			}
		})
	}
}

// Dialogs of several messages as a whole: who is there after each, what changed
// and who goes on under another id.
func TestSampleDialogs(t *testing.T) {
	dir := shared(t, "dialects", "samples")
	for _, c := range []struct {
		dialog  string
		there   []string // participants after each message, and how many of them send
		renewed int      // participants who joined under a new id
		facts   string   // kinds the last message has and the first has not
	}{
		{"audiocodes-04-pause", []string{"2 2", "2 2"}, 0, ""},
		{"avaya-01-sbce-dummy-participant", []string{"2 1", "2 2", "2 2"}, 0, ""},
		{"broadworks-01-3way-mixed", []string{"2 2", "2 2", "3 3", "3 3", "2 2", "2 2"}, 0, ""},
		{"broadworks-03-redirect", []string{"2 2", "2 2", "2 2"}, 1, "transfer-from transfer-to"},
		{"cisco-05-cube-legacy-forking", []string{"2 2", "2 2"}, 0, ""},
		{"cisco-08-hold-sendonly", []string{"2 2", "2 1"}, 0, ""},
		{"metaswitch-01-hold", []string{"2 2", "2 2", "2 2", "2 2", "2 2"}, 0, ""},
		{"webex-02-blind-transfer", []string{"2 2", "2 2", "2 2"}, 1, "transfer-from transfer-to"},
	} {
		t.Run(c.dialog, func(t *testing.T) {
			files, err := filepath.Glob(filepath.Join(dir, c.dialog+"-[0-9]*"))
			if err != nil || len(files) != len(c.there) {
				t.Fatalf("%d messages, want %d: %v", len(files), len(c.there), err)
			}
			m, renewed := metadata.New(), 0
			var first []metadata.Fact
			for i, file := range files {
				var changes []metadata.Change
				m, changes = applyFile(t, m, file, i)
				if i == 0 {
					first = m.Facts()
				}
				for _, ch := range changes {
					if ch.Kind == metadata.Joined && ch.SamePerson != "" {
						renewed++
					}
				}
				v, sends := m.Current(), 0
				for _, p := range v.Participants {
					if len(p.Sends) > 0 {
						sends++
					}
				}
				if got := fmt.Sprintf("%d %d", len(v.Participants), sends); got != c.there[i] {
					t.Errorf("after message %d: %s, want %s", i+1, got, c.there[i])
				}
			}
			if renewed != c.renewed {
				t.Errorf("%d renewed, want %d", renewed, c.renewed)
			}
			_, _, before := summary(first)
			_, _, after := summary(m.Facts())
			more := slices.DeleteFunc(strings.Fields(after), func(k string) bool { return slices.Contains(strings.Fields(before), k) })
			if got := strings.Join(more, " "); got != c.facts {
				t.Errorf("more facts %q, want %q", got, c.facts)
			}
		})
	}
}

// applyFile applies a message as a recorder does.
func applyFile(t *testing.T, m *metadata.Model, file string, i int) (*metadata.Model, []metadata.Change) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b := bindingOf(raw)
	d, err := metadata.Decode(metadataOf(raw))
	if err != nil {
		d = metadata.FromHeaders(headersOf(raw), b)
	}
	return m.Apply(d, instant(i+1), b)
}
