package metadata

import (
	"maps"
	"slices"
)

// A table is a map that remembers the order in which its keys came. It must not be
// changed while it is iterated over, but for values of known keys.
type table[K comparable, V any] struct {
	keys []K
	vals []V
	// places finds a key, once there are more than few. Documents have few of anything,
	// and a map of Go takes room for eight values from the first one on.
	places map[K]int
}

const few = 8

func (t *table[K, V]) place(k K) int {
	if t.places == nil {
		return slices.Index(t.keys, k)
	}
	if i, known := t.places[k]; known {
		return i
	}
	return -1
}

func (t *table[K, V]) get(k K) (v V, known bool) {
	i := t.place(k)
	if i < 0 {
		return v, false
	}
	return t.vals[i], true
}

func (t *table[K, V]) put(k K, v V) {
	if i := t.place(k); i >= 0 {
		t.vals[i] = v
		return
	}
	t.keys, t.vals = append(t.keys, k), append(t.vals, v)
	switch n := len(t.keys); {
	case t.places != nil:
		t.places[k] = n - 1
	case n > few:
		t.find()
	}
}

// find makes places anew.
func (t *table[K, V]) find() {
	t.places = nil
	if len(t.keys) > few {
		t.places = make(map[K]int, len(t.keys))
		for i, k := range t.keys {
			t.places[k] = i
		}
	}
}

// drop removes the keys of a set.
func (t *table[K, V]) drop(gone map[K]bool) {
	if len(gone) == 0 {
		return
	}
	n := 0
	for i, k := range t.keys {
		if !gone[k] {
			t.keys[n], t.vals[n] = k, t.vals[i]
			n++
		}
	}
	clear(t.keys[n:])
	clear(t.vals[n:])
	t.keys, t.vals = t.keys[:n], t.vals[:n]
	t.find()
}

func (t *table[K, V]) clone() table[K, V] {
	return table[K, V]{keys: slices.Clone(t.keys), vals: slices.Clone(t.vals), places: maps.Clone(t.places)}
}

// all iterates in order.
func (t *table[K, V]) all(yield func(K, V) bool) {
	for i, k := range t.keys {
		if !yield(k, t.vals[i]) {
			return
		}
	}
}

// list returns the values in order.
func (t *table[K, V]) list() []V { return append([]V(nil), t.vals...) }

func (t *table[K, V]) len() int { return len(t.keys) }
