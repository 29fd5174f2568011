package locate

import (
	"cmp"
	"net"
	"slices"
)

// order sorts SRV records by priority, and draws the order of those of one
// priority by their weights (RFC 2782).
func (l locator) order(records []*net.SRV) []*net.SRV {
	sorted := slices.Clone(records)
	slices.SortStableFunc(sorted, func(a, b *net.SRV) int { return cmp.Compare(a.Priority, b.Priority) })
	for start := 0; start < len(sorted); {
		end := start + 1
		for end < len(sorted) && sorted[end].Priority == sorted[start].Priority {
			end++
		}
		l.draw(sorted[start:end])
		start = end
	}
	return sorted
}

// draw puts records of one priority into an order in which a record stands first
// with a probability in proportion to its weight. Those of weight 0 are put in
// front before a draw, which gives them their small chance.
func (l locator) draw(records []*net.SRV) {
	slices.SortStableFunc(records, func(a, b *net.SRV) int {
		return cmp.Compare(min(a.Weight, 1), min(b.Weight, 1))
	})
	for ; len(records) > 1; records = records[1:] {
		total := 0
		for _, r := range records {
			total += int(r.Weight)
		}
		at, sum := l.intn(total+1), 0
		for i, r := range records {
			if sum += int(r.Weight); sum >= at {
				copy(records[1:i+1], records[:i])
				records[0] = r
				break
			}
		}
	}
}
