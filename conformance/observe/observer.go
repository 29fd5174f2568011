package observe

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// DefaultWait is how long files may take to come after the end of a recording session.
const DefaultWait = 10 * time.Second

// maxFile bounds a file, in octets.
const maxFile = 512 << 20

// An Observer finds the WAV files that a server wrote. Its methods may be called by
// several goroutines.
type Observer struct {
	folder   string
	template string
	wait     time.Duration
	client   *http.Client
	calls    atomic.Uint32
}

// Folder looks at all WAV files in a folder and below it, however they are named; names
// that begin with a dot are not finished. Wait is how long files may take to come after
// the end of a recording session; it is above 0.
func Folder(dir string, wait time.Duration) (*Observer, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("folder of files: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("folder of files: %s is none", dir)
	}
	if wait <= 0 {
		return nil, fmt.Errorf("wait of %s for files is not above 0", wait)
	}
	o := &Observer{folder: dir, wait: wait}
	o.calls.Store(rand.Uint32())
	return o, nil
}

// The words of a template.
const (
	wordCallID = "{call-id}"
	wordNumber = "{n}"
)

// Template fetches files over HTTP from URLs in which {call-id} becomes the Call-ID of
// the recording session, percent-encoded, and {n} 1, 2 and so on until there is no such
// file (404). Without {n} there is one file. Wait is as for [Folder]; one request takes
// no longer than it either.
func Template(template string, wait time.Duration) (*Observer, error) {
	u, err := url.Parse(fill(template, "call", 1))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("template %q of files makes no http or https URL", template)
	}
	if !strings.Contains(template, wordCallID) {
		return nil, fmt.Errorf("template %q of files has no %s", template, wordCallID)
	}
	if wait <= 0 {
		return nil, fmt.Errorf("wait of %s for files is not above 0", wait)
	}
	o := &Observer{template: template, wait: wait, client: &http.Client{Timeout: wait}}
	o.calls.Store(rand.Uint32())
	return o, nil
}

func fill(template, callID string, n int) string {
	return strings.NewReplacer(wordCallID, url.PathEscape(callID), wordNumber, strconv.Itoa(n)).Replace(template)
}

// NextCall is a number for the voices of a recording session: another one each time, and
// in each run of the suite, as chance has it.
func (o *Observer) NextCall() int { return int(o.calls.Add(1) % MaxCalls) }

// Wait is how long files may take to come.
func (o *Observer) Wait() time.Duration { return o.wait }

// A file is one that may hold what is looked for.
type file struct {
	name string // of the folder or URL
	mark string // is another one when the content may be
	read func() ([]byte, error)
}

// files are those of a recording session that began at an instant.
func (o *Observer) files(ctx context.Context, callID string, since time.Time) ([]file, error) {
	if o.template != "" {
		return o.fetch(ctx, callID)
	}
	return o.walk(since)
}

// walk lists the WAV files of the folder that were written since then.
func (o *Observer) walk(since time.Time) (out []file, err error) {
	// File systems may know no more than even seconds.
	since = since.Add(-2 * time.Second)
	err = filepath.WalkDir(o.folder, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && path != o.folder:
			return nil // renamed or removed meanwhile
		case err != nil:
			return err
		case strings.HasPrefix(d.Name(), ".") && path != o.folder:
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case !d.Type().IsRegular() || !strings.EqualFold(filepath.Ext(path), ".wav"):
			return nil
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if !info.ModTime().Before(since) && info.Size() <= maxFile {
			out = append(out, file{path, fmt.Sprint(info.Size(), info.ModTime().UnixNano()), func() ([]byte, error) { return os.ReadFile(path) }})
		}
		return nil
	})
	return out, err
}

// maxNumber bounds the files of one recording session.
const maxNumber = 256

// fetch gets the files of a Call-ID.
func (o *Observer) fetch(ctx context.Context, callID string) (out []file, err error) {
	for n := 1; n <= maxNumber; n++ {
		at := fill(o.template, callID, n)
		body, err := o.get(ctx, at)
		if err != nil {
			return nil, err
		}
		if body == nil {
			break
		}
		sum := sha256.Sum256(body)
		out = append(out, file{at, string(sum[:]), func() ([]byte, error) { return body, nil }})
		if !strings.Contains(o.template, wordNumber) {
			break
		}
	}
	return out, nil
}

// get is the body of a response; nil when there is no such file.
func (o *Observer) get(ctx context.Context, at string) (body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	res, err := o.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	switch res.StatusCode {
	case http.StatusOK:
		return io.ReadAll(io.LimitReader(res.Body, maxFile))
	case http.StatusNotFound:
		return nil, nil
	}
	return nil, fmt.Errorf("%s is answered %s", at, res.Status)
}
