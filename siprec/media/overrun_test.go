package media

import (
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// TestOverrunsAreToldTogether: however many ports lose packets, there is a line in 10 s,
// which counts them all.
func TestOverrunsAreToldTogether(t *testing.T) {
	core, logs := observer.New(zap.ErrorLevel)
	var o overruns
	zero := time.Unix(1_700_000_000, 0)
	for i := range 3000 {
		o.note(2, uint16(i), zero.Add(time.Duration(i)*10*time.Millisecond), zap.New(core))
	}
	var told []uint64
	for _, line := range logs.All() {
		n, _ := line.ContextMap()["packets"].(uint64)
		told = append(told, n)
	}
	if len(told) != 3 || told[0] != 2 || told[1] != 2000 || told[2] != 2000 {
		t.Errorf("told of %v packets", told)
	}
}
