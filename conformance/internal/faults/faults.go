// Package faults lists Session Recording Servers that are wrong on purpose, each in
// one place. The tests of the suite hold that every case that a server must pass is
// failed by one of them at least, and every one of them by the cases meant for it:
// a suite that blames nobody would prove nothing. A file has the faults of one group
// of cases; who adds a case adds its fault there.
package faults

import (
	"slices"
	"time"

	"github.com/siprecd/siprecd/conformance/internal/model"
)

// A Fault is one server that is wrong.
type Fault struct {
	Name   string   // unique; small letters, digits and hyphens
	Says   string   // what the server does wrong: one sentence
	Caught []string // IDs of the cases that are meant for it, at least one; each must fail
	// Config configures the server. Each call gives a fresh one, since many of them
	// count. The network is UDP unless it says another.
	Config func() model.Config
	// Timeout bounds a case against it: short where the fault is silence. Default 5 s.
	Timeout time.Duration
}

// All lists the faults, group by group.
func All() []Fault {
	return slices.Concat(
		rfc3261(),
		rfc3261spelling(),
		rfc3261responses(),
		rfc3261dialogs(),
		rfc3261transport(),
		rfc3262(),
		rfc3264(),
		rfc3311(),
		rfc3550(),
		rfc3581(),
		rfc3711(),
		rfc4028(),
		rfc4568(),
		rfc5621(),
		rfc5761(),
		rfc7865(),
		rfc7865relations(),
		rfc7866(),
		rfc7866streams(),
		rfc7866metadata(),
		rfc7866course(),
		rfc8068(),
		audioStreams(),
		audioParties(),
		audioPackets(),
		audioProtected(),
		dialects(),
		dialectBodies(),
		dialectDocuments(),
		dialectStreams(),
		security(),
		robustnessValid(),
		robustnessStreams(),
		robustness(),
	)
}
