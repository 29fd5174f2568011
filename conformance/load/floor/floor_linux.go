package floor

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// batch is how many datagrams one system call reads.
	batch = 32
	// longest is the longest datagram, in octets.
	longest = 2048
	// pageOctets is how much of a socket is gathered before it is written.
	pageOctets = 4096
)

// message is struct mmsghdr (recvmmsg(2)).
type message struct {
	head unix.Msghdr
	size uint32
}

// A well is one socket with what was read from it and is not written yet.
type well struct {
	fd   int
	file int
	page []byte
}

// A sweeper is one thread and its sockets.
type sweeper struct {
	wells    []*well
	messages []message
	vectors  []unix.Iovec
	space    []byte
	received int64
}

func run(ctx context.Context, c Config, out io.Writer) (err error) {
	files, err := openFiles(c)
	defer func() {
		for _, fd := range files {
			err = errors.Join(err, unix.Close(fd))
		}
	}()
	if err != nil {
		return err
	}
	sweepers := make([]*sweeper, c.Threads)
	for i := range sweepers {
		sweepers[i] = newSweeper()
	}
	defer func() {
		for _, s := range sweepers {
			for _, w := range s.wells {
				err = errors.Join(err, unix.Close(w.fd))
			}
		}
	}()
	text := bufio.NewWriter(out)
	for i := range c.Sockets {
		fd, port, err := open(c)
		if err != nil {
			return fmt.Errorf("open socket %d: %w", i+1, err)
		}
		s := sweepers[i%c.Threads]
		s.wells = append(s.wells, &well{fd: fd, file: files[i/c.Files], page: make([]byte, 0, pageOctets)})
		if _, err := fmt.Fprintln(text, "port", port); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintln(text, "ready"); err != nil {
		return err
	}
	if err := text.Flush(); err != nil {
		return err
	}
	received, err := sweep(ctx, sweepers, c.Sweep)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, "received", received)
	return err
}

func openFiles(c Config) (list []int, err error) {
	for i := range (c.Sockets + c.Files - 1) / c.Files {
		name := filepath.Join(c.Dir, fmt.Sprintf("%05d.floor", i))
		fd, err := unix.Open(name, unix.O_WRONLY|unix.O_CREAT|unix.O_APPEND|unix.O_CLOEXEC, 0o600)
		if err != nil {
			return list, &os.PathError{Op: "open", Path: name, Err: err}
		}
		list = append(list, fd)
	}
	return list, nil
}

// open makes a socket that nobody is woken for.
func open(c Config) (fd int, port uint16, err error) {
	family, at := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Addr: c.Address.As16()})
	if c.Address.Is4() {
		family, at = unix.AF_INET, &unix.SockaddrInet4{Addr: c.Address.As4()}
	}
	if fd, err = unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0); err != nil {
		return 0, 0, err
	}
	if err = unix.Bind(fd, at); err == nil {
		at, err = unix.Getsockname(fd)
	}
	if err != nil {
		return 0, 0, errors.Join(err, unix.Close(fd))
	}
	switch a := at.(type) {
	case *unix.SockaddrInet4:
		return fd, uint16(a.Port), nil
	case *unix.SockaddrInet6:
		return fd, uint16(a.Port), nil
	}
	return 0, 0, errors.Join(errors.New("a socket without a port"), unix.Close(fd))
}

func newSweeper() *sweeper {
	s := &sweeper{messages: make([]message, batch), vectors: make([]unix.Iovec, batch), space: make([]byte, batch*longest)}
	for i := range s.messages {
		s.vectors[i].Base = &s.space[i*longest]
		s.vectors[i].SetLen(longest)
		s.messages[i].head.Iov = &s.vectors[i]
		s.messages[i].head.SetIovlen(1)
	}
	return s
}

// sweep lets the threads read until the context ends, and once more.
func sweep(ctx context.Context, sweepers []*sweeper, every time.Duration) (received int64, err error) {
	var wg sync.WaitGroup
	errs := make([]error, len(sweepers))
	for i, s := range sweepers {
		wg.Go(func() {
			t := time.NewTicker(every)
			defer t.Stop()
			for over := false; !over && errs[i] == nil; {
				select {
				case <-t.C:
				case <-ctx.Done():
					over = true
				}
				errs[i] = s.round(over)
			}
		})
	}
	wg.Wait()
	for _, s := range sweepers {
		received += s.received
	}
	return received, errors.Join(errs...)
}

// round reads all sockets once; with all it also writes pages that are not full.
func (s *sweeper) round(all bool) error {
	for _, w := range s.wells {
		for {
			n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(w.fd), uintptr(unsafe.Pointer(&s.messages[0])), batch, unix.MSG_DONTWAIT, 0, 0)
			if errno == unix.EAGAIN {
				break
			}
			if errno == unix.EINTR {
				continue
			}
			if errno != 0 {
				return fmt.Errorf("read a socket: %w", errno)
			}
			for i := range int(n) {
				if err := w.take(s.space[i*longest : i*longest+int(s.messages[i].size)]); err != nil {
					return err
				}
			}
			s.received += int64(n)
			if n < batch {
				break
			}
		}
		if all {
			if err := w.write(); err != nil {
				return err
			}
		}
	}
	return nil
}

// take appends a datagram with its length.
func (w *well) take(datagram []byte) error {
	if len(w.page)+2+len(datagram) > pageOctets {
		if err := w.write(); err != nil {
			return err
		}
	}
	w.page = binary.BigEndian.AppendUint16(w.page, uint16(len(datagram)))
	w.page = append(w.page, datagram...)
	return nil
}

// write appends the page to the file. A regular file takes all of it, or there is no
// room.
func (w *well) write() error {
	n, err := unix.Write(w.file, w.page)
	if err == nil && n < len(w.page) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return fmt.Errorf("append to a file: %w", err)
	}
	w.page = w.page[:0]
	return nil
}
