package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/recorder/store"
)

// killed kills the server and starts it again on the same address with the same data.
// The SRC does not learn of it: its RTP goes on.
func (d *desk) killed() outage {
	d.t.Helper()
	o := outage{killed: time.Now()}
	d.process.kill()
	next, err := startProcess(d.dir, d.args...)
	if err != nil {
		d.t.Fatal(err)
	}
	d.process = next
	o.ready = time.Now()
	return o
}

// withheld checks that both streams are withheld for a cause, and for no other.
func (d *desk) withheld(s recorder.State, cause string) {
	d.t.Helper()
	only := func(list []store.Cause) bool {
		return len(list) > 0 && !slices.ContainsFunc(list, func(c store.Cause) bool { return c.Cause != cause })
	}
	if s.Kept || len(s.Streams) != 2 || !only(s.Causes) {
		d.t.Errorf("want all withheld for %s: %+v", cause, s)
	}
	for _, st := range s.Streams {
		if st.Verdict != "withhold" || !only(st.Causes) {
			d.t.Errorf("want stream %s withheld for %s: %+v", st.ID, cause, st)
		}
	}
}

// update tells metadata, which has to be answered with 200.
func (d *desk) update(document []byte) {
	d.t.Helper()
	if m, err := d.dialog.Update(deadline(d.t), src.Request{Metadata: document}); err != nil || m.Status != 200 {
		d.t.Fatalf("UPDATE: %v, %v", m, err)
	}
}

// TestHoldSurvivesKill: what is said during a hold is in no file, also when the server is
// killed meanwhile, and more than once; with the retrieve it is recorded again. Metadata
// tells of both, or commands do.
func TestHoldSurvivesKill(t *testing.T) {
	commanded := func(a recorder.Action) func(*desk) {
		return func(d *desk) { d.command(recorder.Command{Action: a, Party: agentAOR}) }
	}
	for by, way := range map[string]struct{ hold, retrieve func(*desk) }{
		"metadata": {func(d *desk) { d.update(d.talk.Hold(1)) }, func(d *desk) { d.update(d.talk.Resume(1)) }},
		"command":  {commanded(recorder.ActHold), commanded(recorder.ActRetrieve)},
	} {
		t.Run("by "+by, func(t *testing.T) {
			d := newDeskUnder(t, strings.Replace(controlPolicy, "control: all,", "control: all, hold: pause-until-retrieve,", 1))
			d.call()
			pause(t.Context(), 2*atRisk)
			way.hold(d)
			h := hush{from: time.Now()}
			d.withheld(d.state(), "hold")
			var outages []outage
			for range 2 {
				pause(t.Context(), 200*time.Millisecond)
				outages = append(outages, d.killed())
				d.withheld(d.state(), "hold")
			}
			pause(t.Context(), lateToRise+200*time.Millisecond)
			h.to = time.Now()
			way.retrieve(d)
			h.toLatest = time.Now()
			if s := d.state(); !s.Kept || len(s.Causes) > 0 {
				t.Errorf("retrieved: %+v", s)
			}
			pause(t.Context(), 600*time.Millisecond)
			d.end([]hush{h}, outages)
		})
	}
}

// TestQuestionSurvivesKill: while the caller was asked and has not answered nothing is
// kept, also when the server is killed meanwhile; with his yes recording begins.
func TestQuestionSurvivesKill(t *testing.T) {
	d := newDeskUnder(t, strings.Replace(controlPolicy, "consent: off", "consent: ask", 1))
	d.inbound = true
	before := time.Now()
	d.call()
	pause(t.Context(), 300*time.Millisecond)
	d.withheld(d.state(), "consent")
	evidence := &recorder.Evidence{Who: "4711", Wording: "may we record"}
	d.withheld(d.command(recorder.Command{Action: recorder.ActConsentAsked, Evidence: evidence}).State, "consent")
	pause(t.Context(), 200*time.Millisecond)
	o := d.killed()
	d.withheld(d.state(), "consent")
	pause(t.Context(), lateToRise+200*time.Millisecond)
	h := hush{from: before, to: time.Now()}
	a := d.command(recorder.Command{Action: recorder.ActConsentGiven, Evidence: evidence})
	h.toLatest = time.Now()
	if !a.State.Kept || len(a.State.Causes) > 0 {
		t.Errorf("after the yes: %+v", a.State)
	}
	pause(t.Context(), 600*time.Millisecond)
	// The yes is not forgotten either.
	again := d.killed()
	if s := d.state(); !s.Kept || len(s.Causes) > 0 {
		t.Errorf("after the second kill: %+v", s)
	}
	pause(t.Context(), lateToRise+600*time.Millisecond)
	d.end([]hush{h}, []outage{o, again})
}
