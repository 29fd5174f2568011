package capture

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// commitFiles makes files below dir durable, all of them in one call where the
// kernel can do that.
func commitFiles(dir *os.File, files []output) error {
	err := unix.Syncfs(int(dir.Fd()))
	if errors.Is(err, unix.ENOSYS) {
		return syncEach(files)
	}
	return os.NewSyscallError("syncfs", err)
}
