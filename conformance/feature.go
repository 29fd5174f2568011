package conformance

import (
	"fmt"
	"slices"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
)

// A Feature is something that a right Session Recording Server may lack. A case that
// needs one which is not claimed is skipped.
type Feature struct {
	Name string `json:"name"`
	Says string `json:"says"` // what a server does that claims it
}

// Features lists all features that cases need, by name.
func Features() []Feature {
	return []Feature{
		{"100rel", "sends provisional responses reliably when it is asked to (RFC 3262)"},
		{check.Files, "writes WAV files, which --files or --files-url finds; with one of these it is claimed"},
		{"info", "takes metadata in INFO, as some clients send it (RFC 6086)"},
		{"plain-invite", "takes an INVITE without any mark of a recording session, from clients that are configured so"},
		{"rtcp", "sends receiver reports (RFC 3550 §6.4, RFC 7866 §8.1.1)"},
		{"snapshot", "asks for a snapshot of the metadata when it needs one (RFC 7866 §9.2)"},
		{"timer", "agrees on session timers (RFC 4028)"},
		{"tls", "is reached over TLS; these cases run with that transport only (RFC 7866 §12)"},
		{"udp", "is reached over UDP; these cases run with that transport only (RFC 3261 §18)"},
		{"update", "takes UPDATE, for SDP and for metadata (RFC 3311, RFC 7866 §9)"},
	}
}

// A Profile is a named set of features to be claimed.
type Profile struct {
	Name     string   `json:"name"`
	Says     string   `json:"says"`
	Features []string `json:"features"`
}

// Full is the profile that claims every feature.
const Full = "full"

// Profiles lists the profiles, the smallest first. Each has the features of those
// before it.
func Profiles() []Profile {
	var all []string
	for _, f := range Features() {
		all = append(all, f.Name)
	}
	return []Profile{
		{"core", "RFC 7866 with nothing that may be left out", []string{"udp"}},
		{"common", "what session border controllers rely on as a rule", []string{"rtcp", "timer", "udp", "update"}},
		{Full, "everything", all},
	}
}

// Claim is the set of features that a profile and further features name together, in
// the order of the names. An empty profile without features is Full. The error names
// what is not known.
func Claim(profile string, features []string) ([]string, error) {
	if profile == "" && len(features) == 0 {
		profile = Full
	}
	var known, claimed, names []string
	for _, f := range Features() {
		known = append(known, f.Name)
	}
	found := profile == ""
	for _, p := range Profiles() {
		names = append(names, p.Name)
		if p.Name == profile {
			claimed, found = slices.Clone(p.Features), true
		}
	}
	if !found {
		return nil, fmt.Errorf("there is no profile %q, only %s", profile, strings.Join(names, ", "))
	}
	for _, f := range features {
		if !slices.Contains(known, f) {
			return nil, fmt.Errorf("there is no feature %q, only %s", f, strings.Join(known, ", "))
		}
		claimed = append(claimed, f)
	}
	slices.Sort(claimed)
	return slices.Compact(claimed), nil
}
