package recorder

import (
	"slices"
	"testing"

	"github.com/siprecd/siprecd/siprec"
)

// A port that has its gate is left alone: packets that wait there for their
// source to be adopted belong to that gate. A new port gets it.
func TestGateIsAttachedOncePerPort(t *testing.T) {
	moved := slices.Clone(both)
	moved[1].Generation = 1
	fewer := both[:1]
	tests := []struct {
		name   string
		script []func(*fake) *siprec.Event
		want   int
	}{
		{"metadata and offers that change no port", []func(*fake) *siprec.Event{offered(both), changed(1, nil, twoParties), changed(2, both), changed(3, nil, twoParties), ended(4)}, 2},
		{"a slot is used again", []func(*fake) *siprec.Event{offered(both, twoParties), changed(1, moved), changed(2, moved), ended(4)}, 3},
		{"an m-line is left out and comes back", []func(*fake) *siprec.Event{offered(both, twoParties), changed(1, fewer), changed(2, both), ended(4)}, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, _, f := run(t, tt.script...); f.attached != tt.want {
				t.Errorf("attached %d times, want %d", f.attached, tt.want)
			}
		})
	}
}

// An m-line with port 0 need not repeat its label: the stream it was keeps it.
func TestClosedLineKeepsItsLabel(t *testing.T) {
	closed := []siprec.Stream{mline(0, "1", siprec.SendOnly), {Index: 1, Media: "audio", Closed: true, Direction: siprec.Inactive}}
	m, _, _ := run(t, offered(both), talk(1, 2, 0, 1), changed(1, closed), ended(2))
	if m.Streams[1].Label != "2" || len(m.Files) != 1 || m.Files[0].Name != "02-stream-2.wav" {
		t.Errorf("label %q, files %v", m.Streams[1].Label, filesOf(m))
	}
}
