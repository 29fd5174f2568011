package capture

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Reopen goes on with a capture that an earlier process left, under a new epoch.
// A torn end is cut off, and pages that were about to be overwritten are. The error wraps [ErrFormat] when the file is no capture.
// The rest is as with [Spool.Create].
func (s *Spool) Reopen(path string, secret Secret, zero time.Time, onError func(error)) (*Writer, error) {
	streams, doomed, end, err := survey(path, secret)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("reopen capture: %w", err)
	}
	w, err := s.newWriter(f, secret, zero, onError)
	if err == nil && end < fileHeader {
		end = fileHeader
		_, err = f.WriteAt(appendFileHeader(nil), 0)
	}
	if err == nil {
		err = f.Truncate(end)
	}
	if err == nil {
		w.doomed = doomed
		err = w.finishErasing()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reopen capture: %w", err), f.Close())
	}
	w.streams, w.offset = streams, end
	return w, nil
}

// survey reads a capture for what it holds of each stream, and for where what can
// be believed of it ends.
func survey(path string, secret Secret) (streams []streamPages, doomed []place, end int64, err error) {
	r, err := Open(path, secret, nil)
	if err != nil {
		return nil, nil, 0, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	var w Writer
	var p Packet
	for {
		switch err := r.Next(&p); {
		case err == nil:
			s := w.stream(p.Stream)
			s.last = max(s.last, p.Arrival)
		case errors.Is(err, io.EOF):
			return w.streams, r.doomed, r.end, nil
		default:
			return nil, nil, 0, err
		}
	}
}
