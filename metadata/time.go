package metadata

import (
	"strings"
	"time"
)

// A Time is an instant as a document gave it (RFC 7865 §6.9). Devices send times
// without a zone, decades off or out of order, so a Time is for display and
// never decides the order of anything (M26).
type Time struct {
	Raw string    // as sent, trimmed; empty when the element was absent or empty
	At  time.Time // zero when Raw cannot be read
	// Odd says that Raw is not of the form RFC 7865 §6.9 demands. A missing zone
	// is read as UTC.
	Odd bool
}

// IsSet reports whether the document held the time, readable or not.
func (t Time) IsSet() bool { return t.Raw != "" }

func parseTime(raw string) Time {
	t := Time{Raw: strings.TrimSpace(raw)}
	if t.Raw == "" {
		return t
	}
	if at, err := time.Parse(time.RFC3339, t.Raw); err == nil {
		t.At = at
		return t
	}
	t.Odd = true
	text := strings.ToUpper(t.Raw)
	text = strings.Replace(text, " ", "T", 1)
	for _, form := range []string{
		time.RFC3339,
		"2006-01-02T15:04:05Z0700", // zone without a colon
		"2006-01-02T15:04:05",      // no zone
	} {
		if at, err := time.Parse(form, text); err == nil {
			t.At = at
			return t
		}
	}
	return t
}
