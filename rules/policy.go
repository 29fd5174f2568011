package rules

import (
	"crypto/sha256"
	"encoding/hex"
)

// A Policy says what is recorded. The zero Policy records nothing. A Policy
// does not change: a [Case] keeps the one it was opened with.
type Policy struct {
	text      string // canonical form, of which the version is the hash
	version   string
	recordAll bool
	flags     Flags
}

// RecordAll is the policy that decides to record every interaction. It still
// withholds what a cause withholds: a stream the SRC made inactive, or one that
// is not live.
func RecordAll() Policy {
	p := Policy{text: "policy 1\nrecord all\n", recordAll: true, flags: Flags{
		Plan: []PlanRule{{Kind: PlanAll}}, Outbound: true, Trunk: true, ContinueWithoutAgent: true,
		QueueWait: Selection{All: true}, ConsultLeg: true,
	}}
	sum := sha256.Sum256([]byte(p.text))
	p.version = "record-all@" + hex.EncodeToString(sum[:6])
	return p
}

// Version names the policy by its content: two policies with the same version
// decide alike. The zero Policy has the version "none".
func (p Policy) Version() string {
	if p.version == "" {
		return "none"
	}
	return p.version
}

// Text is the canonical form of the policy, of which the version is the hash.
func (p Policy) Text() string { return p.text }
