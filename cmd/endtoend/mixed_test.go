package endtoend

import (
	"slices"
	"testing"

	"github.com/siprecd/siprecd/conformance/policy"
	"github.com/siprecd/siprecd/rules/scenario"
)

// TestMixedAgentOnly: where customer and agent arrive in one stream and only the agent
// may be recorded, nothing of that stream is written, whatever the file; the same
// stream is kept where the customer may be recorded.
func TestMixedAgentOnly(t *testing.T) {
	const text = `scenario: mixed-agent-only
title: Agent-only, one mixed stream
class: own
flags: vonage plan=all ao=1
0 in C
0 join A
60 end
withhold C 0-60 mixed role
withhold A 0-60 mixed role
keep nothing

scenario: mixed-all
title: Everybody, one mixed stream
class: own
flags: vonage plan=all
0 in C
0 join A
60 end
record C 0-60
record A 0-60
keep forever
`
	list, err := scenario.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	st := newStage(t, buildProgram(t, ""), list)
	player := st.player(manners()[0])
	player.Mixed = true
	var parts []*part
	for i, s := range list {
		p := &part{scenario: s, number: i + 1}
		if p.played, err = player.Play(t.Context(), s, p.number); err != nil {
			t.Fatal(err)
		}
		parts = append(parts, p)
	}
	st.stop()
	written, err := policy.Collect(st.data)
	if err != nil {
		t.Fatal(err)
	}
	forbidden := make(map[policy.Voice]bool)
	for _, p := range parts {
		j := policy.Judge(p.played, written[p.played.CallID])
		if !j.Passed() || j.Sent == 0 {
			t.Errorf("%s: %q", p.scenario.ID, j.Problems)
		}
		if sums := j.Kept > 0; sums != (p.scenario.ID == "mixed-all") {
			t.Errorf("%s: %d packets are kept", p.scenario.ID, j.Kept)
		}
		for _, v := range p.played.Forbidden() {
			forbidden[v] = true
		}
	}
	leaks, err := policy.Leaks(st.data, forbidden)
	if err != nil || len(leaks) > 0 || len(forbidden) == 0 {
		t.Errorf("leaks %q (%v)", slices.Compact(leaks), err)
	}
}
