package conformance_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/conformance"
)

// TestFeaturesAreNeeded: cases need no feature that is not listed, and each one listed
// is needed by a case.
func TestFeaturesAreNeeded(t *testing.T) {
	needed := make(map[string]bool)
	for _, c := range conformance.All() {
		for _, name := range c.Needs {
			needed[name] = true
		}
	}
	var names []string
	for _, f := range conformance.Features() {
		names = append(names, f.Name)
		if !needed[f.Name] || f.Says == "" {
			t.Errorf("feature %s is needed by no case, or says nothing", f.Name)
		}
		delete(needed, f.Name)
	}
	if len(needed) > 0 || !slices.IsSorted(names) {
		t.Errorf("features %v are not listed, or the others not in order: %v", needed, names)
	}
}

func TestProfilesGrow(t *testing.T) {
	var last []string
	for _, p := range conformance.Profiles() {
		for _, f := range last {
			if !slices.Contains(p.Features, f) {
				t.Errorf("profile %s lacks %s", p.Name, f)
			}
		}
		if !slices.IsSorted(p.Features) || len(p.Features) <= len(last) || p.Says == "" {
			t.Errorf("profile %s: %v", p.Name, p.Features)
		}
		last = p.Features
	}
	for _, f := range conformance.Features() {
		if f.Setting == slices.Contains(last, f.Name) {
			t.Errorf("the last profile claims %v: %s is a setting (%t)", last, f.Name, f.Setting)
		}
	}
}

func TestClaim(t *testing.T) {
	for _, tt := range []struct {
		profile, features, want string
		err                     string
	}{
		{"core", "", "udp", ""},
		{"core", "tls,rtcp,udp", "rtcp tls udp", ""},
		{"", "timer", "timer", ""},
		{"", "", "100rel files info plain-invite rport rtcp snapshot timer tls udp update", ""},
		{"all", "", "", `no profile "all", only core, common, full`},
		{"", "video", "", `no feature "video", only 100rel, `},
	} {
		var features []string
		if tt.features != "" {
			features = strings.Split(tt.features, ",")
		}
		got, err := conformance.Claim(tt.profile, features)
		switch {
		case tt.err == "" && (err != nil || !strings.Contains(strings.Join(got, " "), tt.want)),
			tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
			t.Errorf("%q %q: %v, %v", tt.profile, tt.features, got, err)
		}
	}
}
