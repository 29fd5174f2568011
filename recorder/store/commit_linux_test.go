package store

import (
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// inMemory counts the pages of a file that the system keeps in memory.
func inMemory(t *testing.T, path string) (n int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	b, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Munmap(b) }()
	pages := make([]byte, (len(b)+os.Getpagesize()-1)/os.Getpagesize())
	if _, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), uintptr(unsafe.Pointer(&pages[0]))); errno != 0 {
		t.Fatal(errno)
	}
	for _, p := range pages {
		n += int(p & 1)
	}
	return n
}

// TestFinishedFilesAreLetGo: what a finished file was written through is free for what
// comes next; a file that the manifest does not name stays where it is.
func TestFinishedFilesAreLetGo(t *testing.T) {
	folder := t.TempDir()
	var kind unix.Statfs_t
	if err := unix.Statfs(folder, &kind); err != nil {
		t.Fatal(err)
	}
	if kind.Type == unix.TMPFS_MAGIC {
		t.Skip("the folder for tests is in memory only")
	}
	for _, name := range []string{"finished.wav", "capture"} {
		if err := os.WriteFile(filepath.Join(folder, name), make([]byte, 4<<20), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m := Manifest{Recording: "r", Files: []File{{Name: "finished.wav"}, {Name: "gone.wav"}}}
	if err := NewCommitter(folder).Finish(folder, m, nil); err != nil {
		t.Fatal(err)
	}
	capture := inMemory(t, filepath.Join(folder, "capture"))
	if finished := inMemory(t, filepath.Join(folder, "finished.wav")); finished > 0 || capture == 0 {
		t.Errorf("%d pages of the finished file are in memory, want none; %d of another, want some", finished, capture)
	}
}
