package rules

// Opposite reports whether one of two events lets go of what the other begins.
func Opposite(a, b Event) bool { return a.opposes(&b) || b.opposes(&a) }

// Begins reports whether an event begins to withhold, whoever talks to whom.
func Begins(k Kind) bool {
	return k.turn() == turnBegin && k != Consulted && k != ConsultDialled && k != AlternatedAway
}

// Kinds is how many kinds there are.
func Kinds() int { return len(kindWords()) }

// Policies is how many policies withhold.
func (c *Case) Policies() int { return 1 + len(c.also) }

// Yes reports whether the caller agreed.
func (c *Case) Yes() bool { return c.consent == consentYes }

// Settles reports whether a hold that has no owner on the call ends now.
func (c *Case) Settles() bool {
	return c.count(func(m *member) bool { return m.joined && !m.consult && m.internal() }) > 0
}
