package recorder

import (
	"os"

	"github.com/siprecd/siprecd/recorder/internal/flock"
)

// locks says that lockFile tells the truth.
const locks = flock.Works

// lockFile takes a lock that ends with the process.
func lockFile(f *os.File) bool { return flock.Take(f) }
