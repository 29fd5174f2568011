// Package notify brings the notices of a recorder to another system: as signed HTTP
// POSTs, at least once each and in the order of each recording, from an outbox on disk
// that outlives the process. What a receiver has to know stands in docs/notices.md.
//
//	n, err := notify.New(notify.Config{URL: "https://cti.example.com/siprecd", Secrets: secrets, Dir: "data/notices"})
//	rec, err := recorder.New(recorder.Config{Notify: n.Notify, ...})
//	// at the end, after rec.Close:
//	err = n.Close(ctx)
package notify

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder"
)

// Version is that of the form of a delivery. A field that is added does not change it.
const Version = 1

const (
	// mostHanded is how many notices wait in memory for the outbox.
	mostHanded = 8192
	// mostTogether is how many notices one delivery holds, mostOctets how long it may
	// become when it holds several.
	mostTogether = 100
	mostOctets   = 256 << 10
	// syncEvery is how long what was written may not be durable.
	syncEvery = time.Second
	// settleTime is for how long Settle waits for a disk.
	settleTime = time.Second
	// complainEvery is how long losses are gathered for one line of the log.
	complainEvery = time.Minute
)

// A Config says where notices go, and how.
type Config struct {
	// URL is https, or http of this machine: see [CheckURL].
	URL string
	// Secrets sign each delivery, each by itself; see [ReadSecrets] for how long and how
	// many they are.
	Secrets []string
	// Dir is the folder of the outbox; it is made when it is not there. Several
	// processes may have the same.
	Dir string
	// Client sends; nil for one that verifies certificates and follows no redirects,
	// with one connection and 10 s for each try.
	Client *http.Client
	// Agent is the User-Agent; empty for siprecd.
	Agent string
	// Log tells of failures, once each; nil for none.
	Log *zap.Logger

	// Size is how many octets of notices may wait; 0 means 64 MiB. The oldest are given
	// up for newer ones.
	Size int64
	// Limit is for how long a notice is tried to be delivered; 0 means 24 h.
	Limit time.Duration
	// FirstWait and MostWait are how long to wait after the first failure, and at most:
	// it doubles from one to the next; a random part of up to a half is taken off. 0
	// means 1 s and 10 min.
	FirstWait, MostWait time.Duration
}

// A message is a notice as a receiver gets it.
type message struct {
	ID       string `json:"id"`
	Sequence uint64 `json:"sequence,omitempty"`
	recorder.Notice
}

// counted reports whether a notice has a place in the sequence of its recording: what
// happens to it once it is finished has none.
func counted(n recorder.Notice) bool {
	return n.Recording != "" && n.Type != recorder.NoticeHeld && n.Type != recorder.NoticeReleased && n.Type != recorder.NoticeErased
}

// last reports whether a notice is the last of its recording that is counted.
func last(n recorder.Notice) bool { return n.Type == recorder.NoticeVerdict }

// A Notifier delivers notices. Its methods may be called by many goroutines.
type Notifier struct {
	cfg      Config
	secrets  atomic.Pointer[[]string]
	handed   chan recorder.Notice
	overflow atomic.Uint64 // notices that found no room in handed
	waits    atomic.Int64  // of the outbox, as of the last step
	lost     atomic.Uint64 // notices that were given up
	settling chan chan struct{}
	closing  chan struct{}
	close    sync.Once
	stopped  chan struct{}
	err      error // of the end; to be read after stopped
	ctx      context.Context
	cancel   context.CancelFunc

	// What follows is of the goroutine that run is.
	box      *outbox
	answers  chan answer
	under    []*entry // under way
	told     uint64   // of lost notices, by what is under way
	together int      // how many notices one delivery holds now
	failures int      // in succession
	until    time.Time
	enough   bool // nothing more is sent
	hurry    bool // closing: what waits is tried once more
	given    int  // up since the log told of it
	unsaved  bool // the last write failed
}

// New opens the outbox and begins to deliver what waits in it. Errors are those of
// [CheckURL], of secrets that are missing or short, and of the folder. Close has to be
// called in the end.
func New(cfg Config) (*Notifier, error) {
	u, err := CheckURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	if err := checkSecrets(cfg.Secrets); err != nil {
		return nil, fmt.Errorf("secret of the webhook: %w", err)
	}
	cfg = cfg.withDefaults()
	cfg.Log = cfg.Log.With(zap.String("webhook", u.Host)) // the rest may be a secret
	box, err := openOutbox(cfg.Dir, cfg.Size)
	if err != nil {
		return nil, fmt.Errorf("outbox of notices: %w", err)
	}
	n := &Notifier{
		cfg: cfg, handed: make(chan recorder.Notice, mostHanded), closing: make(chan struct{}), stopped: make(chan struct{}),
		settling: make(chan chan struct{}),
		box:      box, answers: make(chan answer, 1), together: mostTogether,
	}
	n.secrets.Store(&cfg.Secrets)
	n.ctx, n.cancel = context.WithCancel(context.Background())
	if waiting := len(box.waiting); waiting > 0 {
		cfg.Log.Info("notices of an earlier process wait to be delivered", zap.Int("notices", waiting))
	}
	go n.run()
	return n, nil
}

func (cfg Config) withDefaults() Config {
	if cfg.Client == nil {
		cfg.Client = newClient()
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	cfg.Agent = cmp.Or(cfg.Agent, "siprecd")
	cfg.Size = cmp.Or(cfg.Size, 64<<20)
	cfg.Limit = cmp.Or(cfg.Limit, 24*time.Hour)
	cfg.FirstWait, cfg.MostWait = cmp.Or(cfg.FirstWait, time.Second), cmp.Or(cfg.MostWait, 10*time.Minute)
	return cfg
}

// Notify hands a notice over. It never blocks: what finds no room is lost, and counted.
func (n *Notifier) Notify(notice recorder.Notice) {
	select {
	case n.handed <- notice:
	default:
		n.overflow.Add(1)
	}
}

// Figures are how many notices wait to be delivered, and how many were given up since
// New: for want of room or of time, or because the receiver refused them.
func (n *Notifier) Figures() (waiting int, givenUp uint64) {
	return int(n.waits.Load()) + len(n.handed), n.lost.Load()
}

// Settle returns when all that was handed over before is in the outbox, where it
// survives the end of the process; or after 1 s, when the disk does not keep up.
func (n *Notifier) Settle() {
	late := time.NewTimer(settleTime)
	defer late.Stop()
	done := make(chan struct{})
	select {
	case n.settling <- done:
	case <-n.stopped:
		return
	case <-late.C:
		return
	}
	select {
	case <-done:
	case <-late.C:
	}
}

// SetSecrets has deliveries signed with other secrets from now on. Those that
// [ReadSecrets] would refuse change nothing.
func (n *Notifier) SetSecrets(secrets []string) error {
	if err := checkSecrets(secrets); err != nil {
		return fmt.Errorf("secret of the webhook: %w", err)
	}
	n.secrets.Store(&secrets)
	return nil
}

// Close delivers what waits until a delivery fails or ctx is done, and ends. What is
// left then is delivered by the next process with the same folder. Its error is that of
// the disk.
func (n *Notifier) Close(ctx context.Context) error {
	n.close.Do(func() { close(n.closing) })
	stop := context.AfterFunc(ctx, n.cancel)
	<-n.stopped
	stop()
	n.cancel()
	return n.err
}

// run is the goroutine that has the outbox.
func (n *Notifier) run() {
	defer close(n.stopped)
	due := time.NewTimer(0)
	defer due.Stop()
	closing := n.closing
	var tidy, complain <-chan time.Time
	for {
		n.deliver(due)
		n.waits.Store(int64(len(n.box.waiting)))
		if n.hurry && n.under == nil {
			break
		}
		if tidy == nil && (n.box.dirty || n.unsaved) {
			tidy = time.After(syncEvery)
		}
		if complain == nil && n.given > 0 {
			complain = time.After(complainEvery)
		}
		select {
		case notice := <-n.handed:
			n.put(notice)
			n.takeAll()
		case done := <-n.settling:
			n.takeAll()
			close(done)
		case a := <-n.answers:
			n.answered(a)
		case <-due.C:
		case <-tidy:
			tidy = nil
			n.onDisk(n.box.settle())
		case <-complain:
			complain = nil
			n.complain()
		case <-closing:
			closing, n.hurry, n.until = nil, true, time.Time{}
			n.takeAll()
		}
	}
	n.complain()
	n.cfg.Client.CloseIdleConnections()
	n.err = n.box.close()
}

// takeAll takes all that was handed over into the outbox.
func (n *Notifier) takeAll() {
	for range len(n.handed) {
		n.put(<-n.handed)
	}
	if over := n.overflow.Swap(0); over > 0 {
		n.box.lose(over)
		n.givenUp(int(over))
	}
	n.save()
	if dropped := n.box.trim(); dropped > 0 {
		n.givenUp(dropped)
		n.save()
	}
}

// save writes the outbox. That the disk is well again is told when all is durable.
func (n *Notifier) save() {
	if err := n.box.save(); err != nil {
		n.onDisk(err)
	}
}

func (n *Notifier) put(notice recorder.Notice) {
	notice.At = notice.At.UTC()
	b, err := json.Marshal(notice)
	if err == nil {
		sum := sha256.Sum256(b)
		err = n.box.put(message{ID: hex.EncodeToString(sum[:16]), Notice: notice}, time.Now())
	}
	if err != nil {
		n.cfg.Log.Error("notice cannot be written", zap.Error(err))
	}
}

// onDisk tells once when the disk fails, and when it is well again.
func (n *Notifier) onDisk(err error) {
	if failed := err != nil; failed != n.unsaved {
		n.unsaved = failed
		if failed {
			n.cfg.Log.Error("notices cannot be written to disk: they wait in memory", zap.Error(err))
		} else {
			n.cfg.Log.Info("notices are written to disk again")
		}
	}
}

// givenUp counts notices that nobody will be told.
func (n *Notifier) givenUp(notices int) {
	n.given += notices
	n.lost.Add(uint64(notices))
}

// complain tells how many notices were given up since it did so last.
func (n *Notifier) complain() {
	if n.given > 0 {
		n.cfg.Log.Error("alarm: notices were not delivered and are given up", zap.Int("notices", n.given), zap.Int("waiting", len(n.box.waiting)))
		n.given = 0
	}
}

// CheckURL reads the URL of a webhook. It is https, or http of a loopback address, has a
// host, and no user or password: deliveries are signed instead.
func CheckURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("webhook: not a URL") // the error would tell the whole of it
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Hostname() == "":
		return nil, errors.New("webhook: not an https URL with a host")
	case u.User != nil:
		return nil, errors.New("webhook: a user or password in the URL is not sent: deliveries are signed")
	case u.Fragment != "":
		return nil, errors.New("webhook: a fragment is not sent")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, fmt.Errorf("webhook: http to %s is not encrypted: make it https; http is for loopback addresses", u.Hostname())
	}
	return u, nil
}

// wait is how long to wait after so many failures in succession.
func (cfg *Config) wait(failures int) time.Duration {
	d := cfg.FirstWait
	for range min(failures-1, 40) {
		if d *= 2; d >= cfg.MostWait {
			d = cfg.MostWait
			break
		}
	}
	return d/2 + time.Duration(rand.Int64N(int64(d/2)+1))
}
