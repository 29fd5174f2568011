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
	// Setting is of features that a server has by how it is configured, for all or for
	// where the suite comes from. Some rule out what other cases want, so no profile has
	// them: they are claimed by their name only.
	Setting bool `json:"setting,omitempty"`
}

// Features lists all features that cases need, by name.
func Features() []Feature {
	return []Feature{
		{Name: "100rel", Says: "sends provisional responses reliably when it is asked to (RFC 3262)"},
		{Name: "bound", Says: "takes requests within a dialog from the address of its SRC only", Setting: true},
		{Name: "client-certificate", Says: "is reached over TLS, and admits clients by their certificate only (RFC 7866 §12.1)", Setting: true},
		{Name: "digest", Says: "asks who opens a recording session for a password (RFC 3261 §22)", Setting: true},
		{Name: check.Files, Says: "writes WAV files, which --files or --files-url finds; with one of these it is claimed"},
		{Name: "info", Says: "takes metadata in INFO, as some clients send it (RFC 6086)"},
		{Name: check.Password, Says: "takes the user name of --user with its password; with these it is claimed, and digest too", Setting: true},
		{Name: "plain-invite", Says: "takes an INVITE without any mark of a recording session, from clients that are configured so"},
		{Name: "protected-keys", Says: "takes keys of SRTP over TLS only (RFC 4568 §8.3)", Setting: true},
		{Name: "rport", Says: "responds to the port that a request came from when it is asked to (RFC 3581)"},
		{Name: "rtcp", Says: "sends receiver reports (RFC 3550 §6.4, RFC 7866 §8.1.1)"},
		{Name: "snapshot", Says: "asks for a snapshot of the metadata when it needs one (RFC 7866 §9.2)"},
		{Name: "timer", Says: "agrees on session timers (RFC 4028)"},
		{Name: "tls", Says: "is reached over TLS; these cases run with that transport only (RFC 7866 §12)"},
		{Name: "udp", Says: "is reached over UDP; these cases run with that transport only (RFC 3261 §18)"},
		{Name: "update", Says: "takes UPDATE, for SDP and for metadata (RFC 3311, RFC 7866 §9)"},
	}
}

// A Profile is a named set of features to be claimed.
type Profile struct {
	Name     string   `json:"name"`
	Says     string   `json:"says"`
	Features []string `json:"features"`
}

// Full is the profile that claims every feature which is no setting.
const Full = "full"

// Profiles lists the profiles, the smallest first. Each has the features of those
// before it.
func Profiles() []Profile {
	return []Profile{
		{"core", "RFC 7866 with nothing that may be left out", []string{"udp"}},
		{"common", "what session border controllers rely on as a rule", []string{"rport", "rtcp", "timer", "udp", "update"}},
		{Full, "everything that is no setting", full()},
	}
}

// full are the features of Full.
func full() (names []string) {
	for _, f := range Features() {
		if !f.Setting {
			names = append(names, f.Name)
		}
	}
	return names
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
