package load

import (
	"io/fs"
	"syscall"
	"time"
)

// changed is when the content or the name of a file changed last: a file that is
// given its name when it is complete was finished then.
func changed(info fs.FileInfo) time.Time {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(st.Ctim.Unix())
	}
	return info.ModTime()
}
