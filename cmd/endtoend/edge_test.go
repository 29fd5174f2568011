package endtoend

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/policy"
	"github.com/siprecd/siprecd/rules/scenario"
)

// BenchmarkEdge is how long it takes from when a command leaves until the audio of both
// parties is withheld, or recorded again, over HTTP and down to the gate: each packet is
// looked for. 40 ms are promised for 99 of 100.
func BenchmarkEdge(b *testing.B) {
	s := pauses(b, 60)
	program := buildProgram(b, "")
	var edges []time.Duration
	for b.Loop() {
		st := newStage(b, program, []scenario.Scenario{s})
		p := &part{manner: manners()[0], scenario: s}
		player := st.player(p.manner)
		player.Gap = 60 * time.Millisecond
		p.played, p.err = player.Play(b.Context(), s, 1)
		if p.err != nil {
			b.Fatal(p.err)
		}
		st.stop()
		written, err := policy.Collect(st.data)
		if err != nil {
			b.Fatal(err)
		}
		j := policy.Judge(p.played, written[p.played.CallID])
		if !j.Passed() {
			b.Fatal(j.Problems)
		}
		edges = append(edges, j.Edges...)
	}
	slices.Sort(edges)
	if worst := quantile(edges, 0.99); worst > 40*time.Millisecond {
		b.Errorf("one of 100 signals takes effect after %v or more, want 40ms at most", worst)
	}
	b.ReportMetric(float64(quantile(edges, 0.5).Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(quantile(edges, 0.99).Microseconds())/1000, "p99-ms")
}

// pauses is a call with so many pauses.
func pauses(tb testing.TB, n int) scenario.Scenario {
	tb.Helper()
	var b, spans, gaps strings.Builder
	b.WriteString("scenario: pauses\ntitle: The agent pauses often\nclass: own\nflags: vonage plan=all ctl=all\n0 in C\n0 join A\n")
	at := 0
	for range n {
		fmt.Fprintf(&spans, " %d-%d", at, at+1)
		fmt.Fprintf(&b, "%d pause A\n%d resume A\n", at+1, at+2)
		for _, name := range []string{"A", "C"} {
			fmt.Fprintf(&gaps, "withhold %s %d-%d manual\n", name, at+1, at+2)
		}
		at += 2
	}
	fmt.Fprintf(&b, "%d end\nrecord A%s %d-%d\nrecord C%s %d-%d\n%skeep forever\n", at+1, &spans, at, at+1, &spans, at, at+1, &gaps)
	list, err := scenario.Parse(b.String())
	if err != nil {
		tb.Fatal(err)
	}
	return list[0]
}
