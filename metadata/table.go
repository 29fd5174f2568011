package metadata

import (
	"maps"
	"slices"
)

// A table is a map that remembers the order in which its keys came.
type table[K comparable, V any] struct {
	keys []K
	vals map[K]V
}

func (t *table[K, V]) get(k K) (V, bool) {
	v, ok := t.vals[k]
	return v, ok
}

func (t *table[K, V]) put(k K, v V) {
	if t.vals == nil {
		t.vals = make(map[K]V)
	}
	if _, known := t.vals[k]; !known {
		t.keys = append(t.keys, k)
	}
	t.vals[k] = v
}

// drop removes the keys of a set.
func (t *table[K, V]) drop(gone map[K]bool) {
	t.keys = slices.DeleteFunc(t.keys, func(k K) bool { return gone[k] })
	for k := range gone {
		delete(t.vals, k)
	}
}

func (t *table[K, V]) clone() table[K, V] {
	return table[K, V]{keys: slices.Clone(t.keys), vals: maps.Clone(t.vals)}
}

// all iterates in order.
func (t *table[K, V]) all(yield func(K, V) bool) {
	for _, k := range t.keys {
		if !yield(k, t.vals[k]) {
			return
		}
	}
}

// list returns the values in order.
func (t *table[K, V]) list() []V {
	var out []V
	for _, k := range t.keys {
		out = append(out, t.vals[k])
	}
	return out
}

func (t *table[K, V]) len() int { return len(t.keys) }
