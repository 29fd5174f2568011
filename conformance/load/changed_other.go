//go:build !linux

package load

import (
	"io/fs"
	"time"
)

// changed is when the content of a file changed last.
func changed(info fs.FileInfo) time.Time { return info.ModTime() }
