package policy

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/siprecd/siprecd/rules"
)

// pauseAlarm takes any duration, or never.
func pauseAlarm() setting {
	const none = "No pause raises an alarm."
	return setting{
		key: "pause-alarm", sections: []section{inAccount},
		set: func(f *rules.Flags, word string) { f.PauseAlarm, _ = time.ParseDuration(word) }, // never is 0
		holds: func(f rules.Flags) string {
			if f.PauseAlarm == 0 {
				return "never"
			}
			return spell(f.PauseAlarm)
		},
		amount: &amount{
			reads: func(text string) bool {
				d, _ := time.ParseDuration(text) // what is no time is 0
				return text == "never" || d >= time.Second && d <= 24*time.Hour
			},
			want: "neither a time from 1s to 24h, such as 10m, nor never",
			rows: []value{
				{word: "never", sentence: none},
				{word: "10m", sentence: "A pause of more than this time, such as 90s or 10m, raises an alarm; it resumes nothing."},
			},
			tells: func(f rules.Flags) string {
				if f.PauseAlarm == 0 {
					return none
				}
				return fmt.Sprintf("A pause of more than %s raises an alarm; it resumes nothing.", spell(f.PauseAlarm))
			},
		},
	}
}

// spell writes a time as it may stand in a file, without parts that are 0.
func spell(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// userRecordingsKept takes a number of days, or forever.
func userRecordingsKept() setting {
	return setting{
		key: "user-recordings-kept", sections: []section{inAccount},
		set: func(f *rules.Flags, word string) { f.UserDays, _ = daysOf(word) }, // forever is 0
		holds: func(f rules.Flags) string {
			if f.UserDays == 0 {
				return "forever"
			}
			return inDays(f.UserDays)
		},
		amount: &amount{
			reads: func(text string) bool {
				_, ok := daysOf(text)
				return ok || text == "forever"
			},
			want: "neither a number of days from 1 to 36500, such as 30 days, nor forever",
			rows: []value{
				{word: "forever", sentence: "Recordings that users made are kept without end."},
				{word: "365 days", sentence: "Recordings that users made are deleted after so many days, whatever retention says."},
			},
			tells: func(f rules.Flags) string {
				switch {
				case !f.UserRecordings.All && len(f.UserRecordings.Names) == 0:
					return ""
				case f.UserDays == 0:
					return "Recordings that users made are kept without end."
				default:
					return fmt.Sprintf("Recordings that users made are deleted after %s.", inDays(f.UserDays))
				}
			},
		},
	}
}

// mostDays is the longest period that a file may give: a century.
const mostDays = 36500

// daysOf reads a number of days, such as 30 days.
func daysOf(text string) (int, bool) {
	number, unit, _ := strings.Cut(text, " ")
	n, _ := strconv.Atoi(number) // what is no number is 0, or as far away as can be
	if n < 1 || n > mostDays || unit != "days" && unit != "day" {
		return 0, false
	}
	return n, true
}

func inDays(n int) string {
	if n == 1 {
		return "1 day"
	}
	return strconv.Itoa(n) + " days"
}
