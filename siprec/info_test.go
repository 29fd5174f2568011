package siprec

import (
	"testing"

	"github.com/siprecd/siprecd/conformance/src"
)

// TestInfoIsNews: what an INFO says in its header fields is told each time it is said, an
// INFO that says nothing is not, and an UPDATE that says what was said before neither.
func TestInfoIsNews(t *testing.T) {
	d := newDesk(t, nil)
	dialog := d.invite(src.Request{})
	d.want(Offered)
	said := src.Request{Headers: []src.Header{{Name: "X-Recording", Value: "pause"}}}
	for _, method := range []string{"INFO", "INFO", "UPDATE", "INFO"} {
		if m, err := dialog.Do(t.Context(), method, said); err != nil || m.Status != 200 {
			t.Fatalf("%s: %v, %v", method, m, err)
		}
		if method == "UPDATE" {
			continue
		}
		if ev := d.want(Changed); ev.Method != method || len(ev.Header("X-Recording")) != 1 {
			t.Errorf("%s with %v", ev.Method, ev.Headers)
		}
	}
	if m, err := dialog.Do(t.Context(), "INFO", src.Request{}); err != nil || m.Status != 200 {
		t.Fatalf("INFO: %v, %v", m, err)
	}
	if _, err := dialog.Bye(t.Context(), src.Request{}); err != nil {
		t.Fatal(err)
	}
	d.want(Ended)
}
