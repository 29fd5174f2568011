package account

import (
	"testing"

	"github.com/siprecd/siprecd/recorder/store"
)

// What a recording client says of a hold or a pause is said so, not as if somebody of
// the call had pressed something.
func TestSaidByAClient(t *testing.T) {
	for want, f := range map[string]Fact{
		"alice puts the call on hold": {Kind: "held"},
		"alice retrieves the call":    {Kind: "retrieved"},
		"alice presses pause":         {Kind: "pause"},
		"alice presses resume":        {Kind: "resume"},
		"the call is held, says the streams that sbc1 makes inactive": {Kind: "held", Owner: "sdp of sbc1"},
		"the call is held no more, says a signal of sbc1":             {Kind: "retrieved", Owner: "signal of sbc1"},
		"the recording is paused, says a signal of sbc1":              {Kind: "pause", Owner: "signal of sbc1"},
		"the recording is paused no more, says the desk":              {Kind: "resume", Owner: "the desk"},
	} {
		if got := plain(&f, "alice", "bob"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	a := &Account{}
	for owner, want := range map[string]string{"sdp": "by the SDP of the recording client", "sdp of sbc1": "by the streams that sbc1 makes inactive", "signal of sbc1": "by a signal of sbc1", "call": ""} {
		if got := a.owner(store.Cause{Cause: "manual", Owner: owner}); got != want {
			t.Errorf("%s: %q, want %q", owner, got, want)
		}
	}
}
