package account

import "testing"

// Alarms are told in their words, with what they are about.
func TestAlarmsAreTold(t *testing.T) {
	for want, l := range map[string]Line{
		"alarm: the interaction ended in a pause (manual of call)": {
			Event: lineAlarm, Alarm: "ended-while-paused", AlarmCause: "manual", AlarmOwner: "call", Words: "the interaction ended in a pause"},
		"alarm: silent-stream (stream 1.0)":                      {Event: lineAlarm, Alarm: "silent-stream", Stream: "1.0"},
		"no alarm any more: it is too long (secure of somebody)": {Event: lineAlarmCleared, Alarm: "paused-too-long", AlarmCause: "secure", Words: "it is too long"},
	} {
		if got := new(Account).noted(&l); got != want {
			t.Errorf("told %q, want %q", got, want)
		}
	}
}
