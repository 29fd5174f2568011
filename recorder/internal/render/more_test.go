package render

import (
	"cmp"
	"github.com/siprecd/siprecd/recorder/internal/capture"
	"slices"
)

func sortByArrival(ps []capture.Packet) {
	slices.SortStableFunc(ps, func(a, b capture.Packet) int { return cmp.Compare(a.Arrival, b.Arrival) })
}
