package account_test

import (
	"slices"
	"testing"

	"github.com/siprecd/siprecd/recorder/account"
	"github.com/siprecd/siprecd/recorder/store"
)

// Digits are told with who pressed them by name, or the stream that brought them.
func TestDigits(t *testing.T) {
	a, err := account.Of(account.Evidence{
		Finished: true, Journal: []account.Line{started(), ended(5000)},
		Manifest: store.Manifest{
			Times:        store.Times{Invite: begun, End: at(5000)},
			Participants: []store.Participant{{ID: "p1", Names: []string{"Alice"}}, {ID: "p2", AORs: []string{"sip:bob@example.com"}}},
			Digits: []store.Digit{
				{Digit: "5", FromMS: 1000, DurationMS: 100, Stream: "0.0", Participants: []string{"p1"}},
				{Digit: "#", FromMS: 2000, DurationMS: 80, Stream: "1.0", Participants: []string{"p1", "p2"}},
				{Digit: "0", FromMS: 3000, DurationMS: 60, Stream: "2.0"},
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []account.Digit{{1000, 100, "5", "Alice"}, {2000, 80, "#", "Alice, sip:bob@example.com"}, {3000, 60, "0", "stream 2.0"}}
	if !slices.Equal(a.Digits, want) {
		t.Errorf("digits %+v, want %+v", a.Digits, want)
	}
}
