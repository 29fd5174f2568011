// Package conformance is a conformance suite for Session Recording Servers
// (RFC 7866 and the RFCs below it). It meets a server from outside, by SIP and
// RTP, and shares no code with any: [All] lists the cases, [Run] runs them.
package conformance

import (
	"fmt"
	"slices"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/dialects"
	"github.com/siprecd/siprecd/conformance/rfc3261"
	"github.com/siprecd/siprecd/conformance/rfc3262"
	"github.com/siprecd/siprecd/conformance/rfc3264"
	"github.com/siprecd/siprecd/conformance/rfc3311"
	"github.com/siprecd/siprecd/conformance/rfc3550"
	"github.com/siprecd/siprecd/conformance/rfc3551"
	"github.com/siprecd/siprecd/conformance/rfc3581"
	"github.com/siprecd/siprecd/conformance/rfc3711"
	"github.com/siprecd/siprecd/conformance/rfc4028"
	"github.com/siprecd/siprecd/conformance/rfc4568"
	"github.com/siprecd/siprecd/conformance/rfc4733"
	"github.com/siprecd/siprecd/conformance/rfc5621"
	"github.com/siprecd/siprecd/conformance/rfc5761"
	"github.com/siprecd/siprecd/conformance/rfc7865"
	"github.com/siprecd/siprecd/conformance/rfc7866"
	"github.com/siprecd/siprecd/conformance/rfc8068"
	"github.com/siprecd/siprecd/conformance/robustness"
	"github.com/siprecd/siprecd/conformance/security"
)

// All lists every case that needs nothing but a target, of all groups.
func All() []check.Case {
	return slices.Concat(
		rfc3261.Cases(),
		rfc3262.Cases(),
		rfc3264.Cases(),
		rfc3311.Cases(),
		rfc3550.Cases(),
		rfc3551.Cases(),
		rfc3581.Cases(),
		rfc3711.Cases(),
		rfc4028.Cases(),
		rfc4568.Cases(),
		rfc4733.Cases(),
		rfc5621.Cases(),
		rfc5761.Cases(),
		rfc7865.Cases(),
		rfc7866.Cases(),
		rfc8068.Cases(),
		dialects.Cases(),
		security.Cases(),
		robustness.Cases(),
	)
}

// Everything is the section that stands for every group.
const Everything = "all"

// Choose keeps the cases of some sections, in their order. A section is a group
// ("rfc7866", "dialects"), a group and the number or name of a section, which has its
// subsections with it ("rfc7866/7") unless a slash ends it ("rfc7866/7/"), an ID ("rfc7866/7.2/1"), or Everything.
// Without sections the groups of the RFCs are meant, whose names begin with "rfc". A
// section that no case is of is an error.
func Choose(cases []check.Case, sections []string) ([]check.Case, error) {
	found := make([]bool, len(sections))
	var out []check.Case
	for _, c := range cases {
		chosen := len(sections) == 0 && strings.HasPrefix(c.ID, "rfc")
		for i, s := range sections {
			if within(c.ID, s) {
				found[i], chosen = true, true
			}
		}
		if chosen {
			out = append(out, c)
		}
	}
	if i := slices.Index(found, false); i >= 0 {
		return nil, fmt.Errorf("no case is of section %q", sections[i])
	}
	return out, nil
}

// within says whether a case is of a section.
func within(id, section string) bool {
	rest, ok := strings.CutPrefix(id, section)
	switch {
	case section == Everything:
		return true
	case !ok || section == "":
		return false
	}
	return rest == "" || strings.HasSuffix(section, "/") || rest[0] == '/' || rest[0] == '.'
}
