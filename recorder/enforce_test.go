package recorder

import (
	"slices"
	"testing"

	"github.com/siprecd/siprecd/siprec"
)

// The SRC is asked to pause while a cause for the whole interaction withholds
// every stream, not while one stream is withheld, and only if it is configured.
// Shows 7866-7.2-02.
func TestEnforceAtSource(t *testing.T) {
	alice, bob := sends("p1", "sip:alice@example.com", "s1"), sends("p2", "sip:bob@example.net", "s2")
	silent := bob
	silent.sends = nil
	call := document("complete", twoStreams, alice, bob)
	hold := document("partial", nil, alice, silent)
	retrieve := document("partial", nil, alice, bob)
	enforced := func(f *fake) *siprec.Event { f.enforced = true; return nil }
	script := []func(*fake) *siprec.Event{offered(both, call), changed(1, nil, hold), changed(2, nil, retrieve), ended(3)}
	inactive := []siprec.Stream{mline(0, "1", siprec.Inactive), mline(1, "2", siprec.Inactive)}
	for _, tt := range []struct {
		name, file string
		script     []func(*fake) *siprec.Event
		want       []string
	}{
		{"a hold", trunkFile("", ""), append([]func(*fake) *siprec.Event{enforced}, script...), []string{"resume", "[0 1]", "resume"}},
		{"not configured", trunkFile("", ""), script, nil},
		{"one stream is not kept", trunkFile("    owner: {agent-only: on}\n", ""), []func(*fake) *siprec.Event{enforced, offered(both, call), ended(1)}, []string{"resume"}},
		{"the SRC made them inactive", trunkFile("", ""), []func(*fake) *siprec.Event{enforced, offered(both, call), changed(1, inactive), ended(2)}, []string{"resume", "resume"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, _, f := runUnder(t, tt.file, tt.script...); !slices.Equal(f.paused, tt.want) {
				t.Errorf("asked for %v, want %v", f.paused, tt.want)
			}
		})
	}
}

// A command asks for a pause of the source at once, and not only with the next message.
func TestEnforcedByCommand(t *testing.T) {
	r := linking(t, t.TempDir(), trunkFile("    control: all\n", ""))
	f := newFake(t, func(f *fake) *siprec.Event { f.enforced = true; return nil },
		offered(both, inGroup("group-0001", "cs-0000001", alice, customer)),
		commanded1(r, Query{}, Command{Action: ActPause, Party: "p1", At: sec(1)}),
		func(f *fake) *siprec.Event {
			if want := []string{"resume", "[0 1]"}; !slices.Equal(f.paused, want) {
				t.Errorf("asked for %v, want %v", f.paused, want)
			}
			return nil
		},
		commanded1(r, Query{}, Command{Action: ActResume, Party: "p1", At: sec(2)}), ended(3))
	r.serve(t.Context(), f)
	if want := []string{"resume", "[0 1]", "resume"}; !slices.Equal(f.paused, want) {
		t.Errorf("asked for %v, want %v", f.paused, want)
	}
	manifests(t, r)
}
