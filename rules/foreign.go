package rules

// foreign is what somebody says of the call who is none of its parties, such as an SRC by
// an inactive stream: owners of a hold and of a pause. No party takes back what such an
// owner says, and it takes back nothing of a party: a conference, a transfer or a resume
// leaves it in force until its owner ends it.
type foreign struct {
	holds  []string
	pauses []string
}

// pause takes PausePressed or ResumePressed.
func (f *foreign) pause(ev *Event) {
	if ev.Kind == PausePressed {
		f.pauses = with(f.pauses, ev.Owner)
		return
	}
	f.pauses = without(f.pauses, ev.Owner)
}
