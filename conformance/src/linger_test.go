package src

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// TestPortsLinger: after the end nobody reads or writes any more, and nobody else gets the
// ports until they are given back.
func TestPortsLinger(t *testing.T) {
	loopback := netip.MustParseAddr("127.0.0.1")
	synctest.Test(t, func(t *testing.T) {
		c, err := listen(loopback, 0)
		if err != nil {
			t.Fatal(err)
		}
		port := portOf(c)
		st := &Stream{rtp: c, dialog: &Dialog{src: &SRC{conn: &conn{}, cfg: Config{Linger: time.Second}}}}
		st.close()
		if _, _, err := st.readDatagram(t.Context(), c); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("reading: %v", err)
		}
		if other, err := listen(loopback, port); err == nil {
			t.Error("the port is given to another at once")
			other.Close()
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if _, err := c.Write(nil); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the socket is open still: %v", err)
		}
	})
}
