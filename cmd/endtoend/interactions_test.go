package endtoend

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/policy"
	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/rules/scenario"
)

// TestInteractions has many interactions at once on which whatever may happen does, at
// random, and holds each against what the rules alone say of it: not a packet is on the
// wrong side, nothing is heard of whom nothing may be kept, and no goroutine of the
// server is left. SIPRECD_TEST_INTERACTIONS is how many there are at once, 12 without it,
// SIPRECD_TEST_EVENTS how many events each has, 16 without it, and SIPRECD_TEST_GAP how
// many milliseconds they are apart, 500 without it; SIPRECD_TEST_SEED draws them.
func TestInteractions(t *testing.T) {
	number := func(name string, otherwise int) int {
		text := os.Getenv(name)
		if text == "" {
			return otherwise
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("%s=%s is no number above 0", name, text)
		}
		return n
	}
	usual := 12
	if testing.Short() {
		usual = 4
	}
	n, events := number("SIPRECD_TEST_INTERACTIONS", usual), number("SIPRECD_TEST_EVENTS", 16)
	// The same ones each time, unless others are asked for: what a test finds has to be
	// found by whoever runs it next.
	seed := uint64(number("SIPRECD_TEST_SEED", 20261122))
	all, err := improviseAll(seed, n, events)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("seed %d", seed)
	st := newStage(t, buildProgram(t, ""), all)
	played := st.playAtOnce(all, time.Duration(number("SIPRECD_TEST_GAP", 500))*time.Millisecond)
	if left := st.goroutines(); len(left) > 0 {
		t.Errorf("%d goroutines are left of interactions that are over:\n%s", len(left), left[0])
	}
	st.judge(played)
}

// playAtOnce plays scenarios, all at the same time, with a gap between two events.
func (st *stage) playAtOnce(all []scenario.Scenario, gap time.Duration) []*policy.Played {
	st.t.Helper()
	played := make([]*policy.Played, len(all))
	var calls sync.WaitGroup
	for i, s := range all {
		calls.Go(func() {
			p := st.player(mannerOf(s))
			p.Gap = gap
			var err error
			if played[i], err = p.Play(st.t.Context(), s, i+1); err != nil {
				st.t.Error(err)
			}
		})
	}
	calls.Wait()
	return played
}

// mannerOf plays a scenario with a recording session of its own for each further agent,
// if it has any, and else with consults on the wire where it can.
func mannerOf(s scenario.Scenario) manner {
	for _, d := range []policy.Dialect{policy.Legs, policy.Consults} {
		if policy.Excluded(s, d) == "" {
			return manner{dialect: d, transport: "udp"}
		}
	}
	return manner{dialect: policy.Standard, transport: "udp"}
}

// judge holds what was written against what was sent and what the rules say.
func (st *stage) judge(played []*policy.Played) {
	st.t.Helper()
	written, err := policy.Collect(st.data)
	if err != nil {
		st.t.Fatal(err)
	}
	forbidden := make(map[policy.Voice]bool)
	sent, kept := 0, 0
	for _, p := range played {
		if p == nil {
			continue
		}
		j := policy.Judge(p, written[p.CallID])
		if !j.Passed() {
			st.t.Errorf("scenario %s, %s, %s, flags %v, events %v:\n\t%s", p.Scenario.ID, p.Dialect, p.CallID, p.Scenario.Flags, p.Scenario.Events, strings.Join(j.Problems, "\n\t"))
		}
		for _, v := range p.Forbidden() {
			forbidden[v] = true
		}
		sent, kept = sent+j.Sent, kept+j.Kept
	}
	leaks, err := policy.Leaks(st.data, forbidden)
	if err != nil {
		st.t.Fatal(err)
	}
	for _, leak := range leaks {
		st.t.Errorf("a voice that nothing may be kept of: %s", leak)
	}
	st.t.Logf("%d interactions: of %d packets that were looked for %d are kept; %d voices of which nothing may be", len(played), sent, kept, len(forbidden))
	if kept == 0 || kept == sent {
		st.t.Errorf("%d of %d packets are kept: there was nothing to tell apart", kept, sent)
	}
}

// goroutines waits until all recordings are finished, has the server tell its goroutines,
// which ends it, and gives those that are of an interaction or a recording session.
func (st *stage) goroutines() (left []string) {
	st.t.Helper()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	patience := time.After(60 * time.Second)
	for st.unfinished() {
		select {
		case <-look.C:
		case <-patience:
			st.t.Error("recordings are not finished a minute after their end")
			return nil
		}
	}
	return atWork(st.dump())
}

// atWork are the goroutines of interactions and recording sessions that go on. One that
// makes files is of an interaction that is over; what it does is shown by the files.
func atWork(all []string) (out []string) {
	for _, g := range all {
		own := strings.Contains(g, "/recorder.(*interaction)") || strings.Contains(g, "/recorder.(*leg)") || strings.Contains(g, "ServeRecording")
		if own && !strings.Contains(g, ".finaliseAll(") {
			out = append(out, g)
		}
	}
	return out
}

// TestGoroutinesAreSeen is the control of [TestInteractions]: that of a recording session
// that goes on would be found. Its interaction has none while nothing is to be done, but
// may still be at the answer that the SRC has already got.
func TestGoroutinesAreSeen(t *testing.T) {
	all, err := improviseAll(1, 1, 4)
	if err != nil {
		t.Fatal(err)
	}
	st := newStage(t, buildProgram(t, ""), all)
	c, err := src.New(t.Context(), src.Config{Target: st.listens["udp"]})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	talk := src.NewConversation(c.IDs(), time.Now(), alice, bob)
	d := invite(t, c, src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: talk.Complete()})
	defer d.Close()
	left := atWork(st.dump())
	serving := slices.ContainsFunc(left, func(g string) bool { return strings.Contains(g, ".ServeRecording(") })
	if !serving || len(left) > 2 {
		t.Errorf("%d goroutines of a recording session that goes on:\n%s", len(left), strings.Join(left, "\n\n"))
	}
}

// dump has the server tell its goroutines, and end.
func (st *stage) dump() []string {
	st.t.Helper()
	st.down = true
	if err := st.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		st.t.Fatal(err)
	}
	<-st.exited
	_, text, found := strings.Cut(st.log.String(), "SIGQUIT: quit")
	if !found {
		st.t.Fatalf("the server told no goroutines: %s", st.log.String())
	}
	return strings.Split(text, "\n\n")
}

// unfinished reports whether a recording is not finished yet.
func (st *stage) unfinished() bool {
	some := false
	err := filepath.WalkDir(st.data, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "journal.jsonl" {
			_, err := os.Stat(filepath.Join(filepath.Dir(path), "manifest.json"))
			some = some || err != nil
		}
		return nil // what goes while it is looked for
	})
	return some || err != nil
}
