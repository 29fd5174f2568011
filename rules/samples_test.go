package rules_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/rules"
)

// samples returns the folder of real messages beside the module, or skips.
func samples(t *testing.T) string {
	t.Helper()
	dir := filepath.Join("..", "..", "shared", "dialects", "samples")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("samples of real devices are absent: %v", err)
	}
	return dir
}

// parse reads a sample: header fields, labels of the SDP, and the XML.
func parse(raw []byte) (headers []metadata.HeaderField, sdp metadata.Binding, xml []byte) {
	text := strings.ReplaceAll(string(raw), "\r\n", "\n")
	head, _, _ := strings.Cut(text, "\n\n")
	for _, line := range strings.Split(head, "\n")[1:] {
		if name, value, ok := strings.Cut(line, ":"); ok {
			headers = append(headers, metadata.HeaderField{Name: name, Value: strings.TrimSpace(value)})
		}
	}
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "m=") {
			sdp = append(sdp, metadata.LabelAt{Index: len(sdp)})
		}
		if label, ok := strings.CutPrefix(line, "a=label:"); ok && len(sdp) > 0 {
			sdp[len(sdp)-1].Label = label
		}
	}
	for _, mark := range []string{"<?xml", "<recording", "<tns:recording"} {
		if i := bytes.Index(raw, []byte(mark)); i >= 0 {
			xml = raw[i:]
			break
		}
	}
	for _, end := range []string{"\r\n--", "\n--"} {
		if i := bytes.Index(xml, []byte(end)); i >= 0 {
			xml = xml[:i]
		}
	}
	return headers, sdp, xml
}

// sample plays the messages whose names begin alike, in order.
func sample(t *testing.T, dir, prefix string, d rules.Directory, p rules.Profile) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, prefix+"*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no sample %s: %v", prefix, err)
	}
	m, r := metadata.New(), rules.NewRoster(rules.Compile(d), p)
	for i, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.HasPrefix(raw, []byte("BYE")) {
			continue
		}
		headers, sdp, xml := parse(raw)
		doc := metadata.FromHeaders(headers, sdp)
		if xml != nil {
			if doc, err = metadata.Decode(xml); err != nil {
				t.Fatal(err)
			}
		}
		m, _ = m.Apply(doc, at(20*i), sdp)
		r.Update(at(20*i), m.Current(), append(m.Facts(), metadata.HeaderFacts(headers)...))
	}
	var roles []string
	for _, got := range r.Rulings() {
		roles = append(roles, got.Role.String())
		t.Logf("%v by %v: %s", got.Role, got.IdentifiedBy, got.Evidence)
	}
	t.Logf("%+v", r.Direction())
	return strings.Join(roles, " ") + " " + r.Direction().Direction.String()
}

// Roles in order of arrival, then the direction, with an empty directory.
func TestSamples(t *testing.T) {
	dir := samples(t)
	for _, tt := range []struct{ prefix, want string }{
		{"broadworks-01", "agent customer agent outbound"},
		{"broadworks-03", "agent customer agent external inbound"},
		{"broadworks-04", "agent customer inbound"},
		{"broadworks-05", "agent customer outbound"},
		{"broadworks-08", "agent customer outbound"},
		{"webex-01", "agent customer inbound"},
		{"webex-02", "agent customer agent external outbound"},
		{"metaswitch-01", "customer agent inbound"},
		{"metaswitch-04", "agent customer outbound"},
		{"metaswitch-06", "agent customer inbound"},
		{"oracle-01", "unknown unknown unknown"},
		{"oracle-04", "unknown unknown unknown"},
		{"oracle-05", "unknown unknown unknown"},
		{"oracle-07", "unknown unknown unknown"},
		{"audiocodes-01", "unknown unknown unknown"},
		{"audiocodes-03", "unknown unknown unknown"},
		{"audiocodes-04", "customer agent unknown"},
		{"cisco-01", "unknown unknown unknown"},
		{"cisco-03", "unknown unknown unknown"},
		{"cisco-04", "customer agent unknown"},
		{"cisco-05", "customer agent external unknown"},
		{"cisco-07", "unknown unknown unknown"},
		{"cisco-08", "unknown unknown unknown"},
		{"cisco-12", "unknown unknown"},
		{"cisco-15", "customer agent unknown"},
		{"cisco-16", "unknown unknown unknown"},
		{"ribbon-02", "unknown unknown unknown"},
		{"avaya-01", "agent unknown customer unknown"},
		{"opensips-01", "unknown unknown unknown"},
		{"opensips-05", "unknown unknown unknown"},
		{"jambonz-01", "customer agent inbound"},
		{"google-01", "unknown unknown unknown"},
		{"sems-01", "unknown unknown unknown"},
		{"rfc-0[1-5]", "unknown unknown external unknown"},
	} {
		t.Run(tt.prefix, func(t *testing.T) {
			if got := sample(t, dir, tt.prefix, rules.Directory{}, rules.Profile{}); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
