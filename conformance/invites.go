package conformance

import (
	"bytes"
	"fmt"
	"strings"
	"sync"

	"github.com/siprecd/siprecd/conformance/src"
)

// invites counts what became of the INVITEs of a run.
type invites struct {
	mu       sync.Mutex
	sent     int // transmissions
	accepted int
	refused  map[string]int // by status and reason
	said     bool           // somebody gave a password for the server
}

// watch puts the count in front of another watcher of packets, which may be nil.
func (n *invites) watch(next func(src.Packet)) func(src.Packet) {
	return func(p src.Packet) {
		n.see(p)
		if next != nil {
			next(p)
		}
	}
}

func (n *invites) see(p src.Packet) {
	if p.Protocol != src.SIP {
		return
	}
	if p.Direction == src.Out {
		if bytes.HasPrefix(p.Data, []byte("INVITE ")) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.sent++
		}
		return
	}
	m, err := src.Parse(p.Data)
	if err != nil || m.Status < 200 {
		return
	}
	if _, method := m.CSeq(); method != "INVITE" {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if m.Status < 300 {
		n.accepted++
		return
	}
	if n.refused == nil {
		n.refused = make(map[string]int)
	}
	n.refused[fmt.Sprintf("%d %s", m.Status, m.Reason)]++
}

// passwordHint is that of a server which asks for a password.
func (n *invites) passwordHint(times int, status string) string {
	if n.said {
		return fmt.Sprintf("The server accepted no INVITE, and refused %d of them with %q although a password was said: check --user and --password-file.", times, status)
	}
	return fmt.Sprintf("The server accepted no INVITE, and refused %d of them with %q: it asks for a password, say one with --user and --password-file.", times, status)
}

// hint says what may be wrong when INVITEs were sent and none was accepted; empty
// otherwise.
func (n *invites) hint() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.sent == 0 || n.accepted > 0 {
		return ""
	}
	most, times := "", 0
	for status, count := range n.refused {
		if count > times || count == times && status < most {
			most, times = status, count
		}
	}
	if most == "" {
		return "The server answers, but not to INVITE: check that it is a Session Recording Server, and that this machine may record there."
	}
	if strings.HasPrefix(most, "401 ") || strings.HasPrefix(most, "407 ") {
		return n.passwordHint(times, most)
	}
	if strings.HasPrefix(most, "3") {
		return fmt.Sprintf("The server accepted no INVITE, and sent %d of them elsewhere with %q: give what its Contact names as --target.", times, most)
	}
	return fmt.Sprintf("The server accepted no INVITE, and refused %d of them with %q: check that it is a Session Recording Server, and that this machine may record there.", times, most)
}
