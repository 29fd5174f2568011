package recorder

import (
	"slices"
	"testing"

	"github.com/siprecd/siprecd/siprec"
)

// The SRC is asked for a snapshot at most once a minute, and only when what it
// sent is not enough.
// Shows 7866-9.1-06, 7866-9.1-12, 7866-9.2-02.
func TestAskForSnapshot(t *testing.T) {
	const (
		bad     = "nothing of the kind"
		unread  = "snapshot: metadata could not be read"
		partial = "snapshot: partial metadata came before a snapshot"
	)
	part := document("partial", twoStreams, sends("p1", "sip:alice@example.com", "s1"))
	tests := []struct {
		name   string
		script []func(*fake) *siprec.Event
		want   []string
	}{
		{"all is well", []func(*fake) *siprec.Event{offered(both, twoParties), changed(1, nil, part), ended(2)}, nil},
		{"nothing came", []func(*fake) *siprec.Event{offered(both), changed(1, both), ended(2)}, nil},
		{"unreadable", []func(*fake) *siprec.Event{offered(both, bad), changed(1, nil, twoParties), ended(2)}, []string{unread}},
		{"a part of nothing", []func(*fake) *siprec.Event{offered(both, part), changed(1, both), changed(2, nil, twoParties), ended(3)}, []string{partial}},
		{"again and again", []func(*fake) *siprec.Event{offered(both, bad), changed(1, nil, bad), changed(59.9, nil, bad), changed(60, nil, bad), changed(61, nil, bad), ended(62)}, []string{unread, unread}},
		{"with the end", []func(*fake) *siprec.Event{offered(both, twoParties), ended(1, bad)}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, f := run(t, tt.script...)
			if !slices.Equal(f.asked, tt.want) {
				t.Errorf("asked for %q, want %q", f.asked, tt.want)
			}
		})
	}
}

// An SRC that cannot be asked is recorded all the same.
// Shows 7866-9.2-09.
func TestSRCWithoutUpdateIsNotAsked(t *testing.T) {
	m, _, f := run(t, func(f *fake) *siprec.Event { f.noUpdate = true; return nil }, offered(both, "nothing of the kind"), talk(0, 1, 0, 1), ended(1))
	if len(f.asked) != 1 || len(m.Files) != 1 {
		t.Errorf("asked %q, files %v", f.asked, filesOf(m))
	}
}
