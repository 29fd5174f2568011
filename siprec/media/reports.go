package media

import (
	"container/heap"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	// reportInterval is the middle between two reports, of which each interval is
	// 0.5 to 1.5 (RFC 3550 §6.2, for two participants).
	reportInterval = 5 * time.Second
	// firstInterval is the same before the first: between two participants it may
	// leave at once (RFC 3550 §6.2), and a NAT on the way is opened by it.
	firstInterval = time.Second
	// reportSlack is how much early a report may leave, so that many go at once.
	reportSlack = 50 * time.Millisecond
)

// firstReport draws the interval before the first report, nextReport one after it.
func firstReport() time.Duration { return firstInterval/2 + rand.N(firstInterval) }
func nextReport() time.Duration  { return reportInterval/2 + rand.N(reportInterval) }

// A dueReport is the next report of a receiver.
type dueReport struct {
	receiver *Receiver
	at       time.Time
	place    int // in the heap; -1 when it is not there
}

// reports is the schedule of all receivers of a plane, on one timer. A receiver
// may call it under its lock; it calls a receiver without its own.
type reports struct {
	now   func() time.Time
	after func(time.Duration, func()) (stop func() bool)

	mu      sync.Mutex
	queue   reportQueue
	stop    func() bool // of the timer that is pending; nil when none is
	timerAt time.Time   // when it is due
	closed  bool
	running sync.WaitGroup
}

// add plans the next report of a receiver.
func (q *reports) add(d *dueReport, at time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	d.at = at
	heap.Push(&q.queue, d)
	q.arm()
}

// remove takes a receiver out.
func (q *reports) remove(d *dueReport) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if d.place >= 0 {
		heap.Remove(&q.queue, d.place)
	}
	q.arm()
}

// arm lets one timer be pending, for the first that is due; the lock is held.
func (q *reports) arm() {
	if len(q.queue) == 0 || q.closed {
		q.disarm()
		return
	}
	first := q.queue[0].at
	if q.stop != nil && !first.Before(q.timerAt) {
		return // it fires no later than needed
	}
	q.disarm()
	q.timerAt = first
	q.stop = q.after(max(first.Sub(q.now()), 0), q.fire)
}

func (q *reports) disarm() {
	if q.stop != nil {
		q.stop()
		q.stop = nil
	}
}

// fire sends all that is due.
func (q *reports) fire() {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return
	}
	q.running.Add(1)
	defer q.running.Done()
	q.stop = nil
	now := q.now()
	var due []*dueReport
	for len(q.queue) > 0 && !q.queue[0].at.After(now.Add(reportSlack)) {
		d, _ := heap.Pop(&q.queue).(*dueReport)
		due = append(due, d)
	}
	q.mu.Unlock()
	for _, d := range due {
		d.receiver.reportDue(now)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.arm()
}

// close ends all and waits for what runs.
func (q *reports) close() {
	q.mu.Lock()
	q.closed = true
	q.disarm()
	for _, d := range q.queue {
		d.place = -1
	}
	q.queue = nil
	q.mu.Unlock()
	q.running.Wait()
}

// reportQueue is a heap, the first due on top.
type reportQueue []*dueReport

func (q reportQueue) Len() int           { return len(q) }
func (q reportQueue) Less(i, j int) bool { return q[i].at.Before(q[j].at) }

func (q reportQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}

func (q *reportQueue) Push(x any) {
	d, _ := x.(*dueReport)
	d.place = len(*q)
	*q = append(*q, d)
}

func (q *reportQueue) Pop() any {
	last := len(*q) - 1
	d := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	d.place = -1
	return d
}
