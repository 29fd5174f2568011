package recorder

import (
	"strings"
	"time"

	"github.com/siprecd/siprecd/siprec"
)

// dateForm is how a Date header field is written, always in GMT (RFC 3261 §20.17).
const dateForm = "Mon, 02 Jan 2006 15:04:05 GMT"

// dateWindow is how far from its arrival a message may be dated to be believed.
const dateWindow = 24 * time.Hour

// dates are what the SRC says of when the recording session began and ended (RFC 7865
// §6.1). Nothing is cut by them: its clock is not ours.
type dates struct{ invite, end time.Time }

// dated takes the Date header field of the first and of the last message.
func (in *interaction) dated(l *leg, ev *siprec.Event) {
	if ev.Kind == siprec.Changed || ev.Kind == siprec.Resumed {
		return
	}
	for _, text := range ev.Header("Date") {
		at, err := time.Parse(dateForm, strings.TrimSpace(text))
		switch {
		case err != nil:
			in.oddities = appendNew(in.oddities, "Date header field cannot be read")
		case at.Sub(ev.At).Abs() > dateWindow:
			in.oddities = appendNew(in.oddities, "Date header field is more than a day away from the arrival")
		case ev.Kind == siprec.Offered:
			l.dates.invite = at
		default:
			l.dates.end = at
		}
	}
}
