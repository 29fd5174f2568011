package recorder

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/render"
	"github.com/siprecd/siprecd/recorder/store"
)

const (
	// briefly is how short audio may have been permitted for nothing to be missed.
	briefly = 500 * time.Millisecond
	// noticed is the shortest lack of packets that makes a stream partial.
	noticed = 2 * time.Second
	// lossy is the share of packets lost above which a stream is partial.
	lossy = 0.01
)

// quality judges a stream by what came of it: signalling that was fine over a file
// that is empty has to be noticed here. It is nil for what is not recorded.
func quality(s *store.Stream, r render.StreamResult) *store.Quality {
	if !s.Recordable {
		return nil
	}
	q := &store.Quality{Verdict: store.OK, JitterMS: milliseconds(r.Jitter), PeakJitterMS: milliseconds(r.PeakJitter)}
	say := func(v store.Verdict, format string, args ...any) {
		q.Verdict = v
		q.Reasons = append(q.Reasons, fmt.Sprintf(format, args...))
	}
	permitted := time.Duration(0)
	for _, i := range s.Permitted {
		permitted += time.Duration(i.ToMS-i.FromMS) * time.Millisecond
	}
	if r.Received == 0 {
		if permitted >= briefly {
			say(store.Lost, "no packet came while audio was permitted for %v", permitted)
		}
		return q
	}
	if r.Sounds {
		q.Sounds = true
	} else if len(r.Undecoded) < len(r.Codecs) {
		say(store.Silent, "packets came, and hold nothing but silence")
	}
	partial := func(format string, args ...any) { say(max(q.Verdict, store.Partial), format, args...) }
	if share := float64(r.Lost) / float64(r.Lost+r.Received); share > lossy {
		partial("%.1f %% of the packets were lost", 100*share)
		if s.Packets.Overrun > 0 {
			partial("%d packets came and found no room: this machine was too busy", s.Packets.Overrun)
		}
	}
	for cause, words := range map[string]string{render.CauseNoPackets: "no packets came for", render.CauseLateStart: "packets came late, by"} {
		if d := longest(s.Gaps, cause); d >= noticed {
			partial("%s %v", words, d)
		}
	}
	slices.Sort(q.Reasons)
	if len(r.Failed) > 0 {
		partial("%s", strings.Join(r.Failed, "; "))
	} else if len(r.Undecoded) > 0 {
		partial("%s is in the capture and in no file", strings.Join(r.Undecoded, ", "))
	}
	if r.Beyond > 0 {
		partial("%d packets of too many sources are in the capture and in no file", r.Beyond)
	}
	if s.Packets.Unauthentic > 0 {
		partial("%d packets were not authentic", s.Packets.Unauthentic)
	}
	return q
}

// longest is the longest gap of a cause.
func longest(gaps []store.Gap, cause string) time.Duration {
	most := int64(0)
	for _, g := range gaps {
		if g.Cause == cause {
			most = max(most, g.ToMS-g.FromMS)
		}
	}
	return time.Duration(most) * time.Millisecond
}

// verdict judges a recording by its streams.
func verdict(m *store.Manifest) (store.Verdict, []string) {
	if m.Void {
		return store.OK, nil
	}
	var reasons []string
	sounding, mute, judged := 0, 0, 0
	worst := store.OK
	for _, s := range m.Streams {
		if s.Quality == nil || len(s.Permitted) == 0 {
			continue
		}
		judged++
		worst = max(worst, s.Quality.Verdict)
		switch {
		case s.Quality.Sounds:
			sounding++
		case s.Quality.Verdict >= store.Silent:
			mute++
		}
		for _, r := range s.Quality.Reasons {
			reasons = append(reasons, fmt.Sprintf("stream %s: %s", s.ID, r))
		}
	}
	if sounding > 0 && mute > 0 {
		reasons = append(reasons, fmt.Sprintf("one-sided: nothing is heard on %d of %d streams", mute, judged))
	}
	if worst >= store.Silent && mute < judged {
		worst = store.Partial // something of it is there
	}
	if slices.Contains(m.Flags, flagDown) {
		worst = max(worst, store.Partial)
		reasons = append(reasons, "the server was down for a part of it, or at its end")
	}
	if slices.Contains(m.Flags, flagDisk) || slices.Contains(m.Flags, flagTorn) || slices.Contains(m.Flags, flagFailed) {
		worst = max(worst, store.Partial)
		reasons = append(reasons, "the disk or the server lost some of it")
	}
	return worst, reasons
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond)) / float64(time.Millisecond)
}
