package recorder

import (
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/siprec"
)

// snapshotPause is how long the SRC is left alone after it was asked for a
// snapshot: one that sends nothing better is not asked again and again.
const snapshotPause = time.Minute

// askForSnapshot asks the SRC for all metadata when what came cannot be read, or
// is a part of something that never came (RFC 7866 §9.2). An SRC without UPDATE
// cannot be asked, and the recording goes on as it is.
// It reports whether it asked.
func (l *leg) askForSnapshot(ev *siprec.Event, docs []rawDocument) bool {
	why := l.lacking(ev, docs)
	if why == "" || ev.Kind == siprec.Ended || !l.asked.IsZero() && ev.At.Sub(l.asked) < snapshotPause {
		return false
	}
	err := l.rs.RequestSnapshot(why)
	if errors.Is(err, siprec.ErrNoUpdate) {
		return false
	}
	l.asked = ev.At
	l.log.Info("asked for a snapshot of the metadata", zap.String("why", why), zap.Error(err))
	return true
}

// lacking says why the metadata of an event is not enough; empty when it is.
func (l *leg) lacking(ev *siprec.Event, docs []rawDocument) string {
	switch {
	case len(ev.Metadata) == 0:
		return ""
	case slices.ContainsFunc(docs, func(d rawDocument) bool { return !d.Readable }):
		return "metadata could not be read"
	case l.people.model.NeedsSnapshot():
		return "partial metadata came before a snapshot"
	}
	return ""
}
