package front

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestBurst: INVITEs that come faster than they are handled wait in the socket. A
// buffer of the usual size holds about a hundred of them.
func TestBurst(t *testing.T) {
	text, err := os.ReadFile("/proc/sys/net/core/rmem_max")
	if most, _ := strconv.Atoi(strings.TrimSpace(string(text))); err != nil || most < 1<<20 {
		t.Skipf("the system grants no buffer for a burst: rmem_max %q, %v", text, err)
	}
	const burst = 300
	busy, got := make(chan struct{}), make(chan *Message, burst)
	f, _ := serve(t, Config{Handle: func(m *Message) { <-busy; got <- m }}, Endpoint{Network: "udp", Address: "127.0.0.1:0"})
	client := dialTo(t, f, 0)
	invite := wire{start: "INVITE sip:srs@rec.example.com SIP/2.0", body: strings.Repeat("x", 2000)}.String()
	for range burst {
		write(t, client, invite)
	}
	close(busy)
	for range burst {
		next(t, got)
	}
}
