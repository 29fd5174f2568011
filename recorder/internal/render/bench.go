package render

import (
	"os"
	"sync"
	"sync/atomic"

	"github.com/siprecd/siprecd/recorder/internal/capture"
)

// A Bench lends the working memory of a Run to the next one: some 600 KiB, which would
// otherwise have to be collected after each recording. It is for any number of
// goroutines. The zero Bench is ready for use.
//
// It also has room to keep captures while they are worked with, which else are read and
// opened again for each track: those of up to keepEach octets, and keepAll of all.
type Bench struct {
	pool  sync.Pool
	rooms sync.Pool    // to keep captures in, wiped by their Readers
	kept  atomic.Int64 // octets of those that are lent
}

// Six minutes of two streams of G.711 are some 6.5 MB. Rooms are of whole steps.
const (
	keepEach = 8 << 20
	keepAll  = 32 << 20
	keepStep = 1 << 20
)

// take gives what another Run put back, or new memory. There may be no bench.
func (b *Bench) take() *workspace {
	if b != nil {
		if w, ok := b.pool.Get().(*workspace); ok {
			return w
		}
	}
	return new(workspace)
}

// put takes memory back, wiped.
func (b *Bench) put(w *workspace) {
	if b == nil {
		return
	}
	w.wipe()
	b.pool.Put(w)
}

// A workspace is what one Run works with at a time. A nil one has nothing to reuse.
type workspace struct {
	window   []int16  // all 0
	out      []byte   // to be written
	back     []byte   // read back
	captures [][]byte // to read captures into, wiped by their Readers
	orders   []*order
	payloads [][]byte
	pcm      [][]int16
}

// wipe overwrites audio that is left.
func (w *workspace) wipe() {
	clear(w.window)
	clear(w.out[:cap(w.out)])
	clear(w.back)
	for _, b := range w.payloads {
		clear(b[:cap(b)])
	}
	for _, b := range w.pcm {
		clear(b[:cap(b)])
	}
}

// silence gives n samples that are 0.
func (w *workspace) silence(n int) []int16 {
	if cap(w.window) < n {
		w.window = make([]int16, n)
	}
	w.window = w.window[:cap(w.window)]
	clear(w.window[:n])
	return w.window[:n]
}

// octets gives an empty buffer to write from.
func (w *workspace) octets() []byte {
	if w.out == nil {
		w.out = make([]byte, 0, bufferOctets)
	}
	return w.out
}

// readBack gives a buffer to read into.
func (w *workspace) readBack() []byte {
	if w.back == nil {
		w.back = make([]byte, backOctets)
	}
	return w.back
}

// reading gives memory to read a capture into.
func (w *workspace) reading() []byte {
	if len(w.captures) == 0 {
		return make([]byte, capture.ReadOctets)
	}
	return pop(&w.captures)
}

// reserve gives memory in which all of a capture can be kept, which has to be released;
// none when it is too long, or too much is being kept.
func (b *Bench) reserve(path string) []byte {
	if b == nil {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() > keepEach-capture.ReadSpare {
		return nil // a file that is not there shows when it is opened
	}
	need := int(info.Size()) + capture.ReadSpare
	if b.kept.Load()+int64(need) > keepAll {
		return nil
	}
	var room []byte
	if lent, ok := b.rooms.Get().(*[]byte); ok {
		room = *lent
	}
	if len(room) < need {
		room = make([]byte, (need+keepStep-1)/keepStep*keepStep)
	}
	if b.kept.Add(int64(len(room))) > keepAll {
		b.release(room)
		return nil
	}
	return room
}

// release takes it back.
func (b *Bench) release(room []byte) {
	b.kept.Add(-int64(len(room)))
	b.rooms.Put(&room)
}

// haveRead takes it back.
func (w *workspace) haveRead(room []byte) { w.captures = append(w.captures, room) }

// order gives one that has to be reset.
func (w *workspace) order() *order {
	if w == nil || len(w.orders) == 0 {
		return new(order)
	}
	return pop(&w.orders)
}

// shelve takes orders back.
func (w *workspace) shelve(orders []*order) {
	if w == nil {
		return
	}
	for _, o := range orders {
		clear(o.held[:cap(o.held)])
		*o = order{held: o.held[:0]}
	}
	w.orders = append(w.orders, orders...)
}

// pop takes the last of a list that has one.
func pop[T any](list *[]T) (last T) {
	n := len(*list) - 1
	last, (*list)[n] = (*list)[n], last
	*list = (*list)[:n]
	return last
}
