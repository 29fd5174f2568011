package floor

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestEveryDatagramIsWritten(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1"} {
		t.Run(host, func(t *testing.T) { testFloor(t, host) })
	}
}

func testFloor(t *testing.T, host string) {
	sender, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(host)})
	if err != nil {
		t.Skip("no such address here: ", err)
	}
	defer sender.Close()
	c := Config{Sockets: 5, Address: netip.MustParseAddr(host), Dir: t.TempDir(), Files: 2, Sweep: 5 * time.Millisecond, Threads: 2}
	stdin, stop := io.Pipe()
	lines, stdout := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := Run(t.Context(), c, stdin, stdout)
		stdout.Close()
		ended <- err
	}()
	text := bufio.NewScanner(lines)
	var ports []uint16
	for text.Scan() && text.Text() != "ready" {
		var p uint16
		if _, err := fmt.Sscanf(text.Text(), "port %d", &p); err != nil {
			t.Fatal(err)
		}
		ports = append(ports, p)
	}
	if len(ports) != c.Sockets {
		t.Fatalf("ports %v", ports)
	}
	const each = 100 // more than a page, more than one system call reads
	for i := range each {
		for k, p := range ports {
			if _, err := sender.WriteToUDPAddrPort(datagram(k, i), netip.AddrPortFrom(c.Address, p)); err != nil {
				t.Fatal(err)
			}
		}
	}
	stop.Close()
	if !text.Scan() || text.Text() != fmt.Sprint("received ", each*c.Sockets) {
		t.Errorf("it says %q", text.Text())
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	for file, sockets := range [][]int{{0, 1}, {2, 3}, {4}} {
		b, err := os.ReadFile(filepath.Join(c.Dir, fmt.Sprintf("%05d.floor", file)))
		if err != nil {
			t.Fatal(err)
		}
		next := make(map[byte]int)
		for len(b) > 0 {
			n := int(binary.BigEndian.Uint16(b))
			d := b[2 : 2+n]
			if want := datagram(int(d[0]), next[d[0]]); !slices.Equal(d, want) {
				t.Fatalf("datagram %d of socket %d is not the one sent", next[d[0]], d[0])
			}
			next[d[0]]++
			b = b[2+n:]
		}
		for _, k := range sockets {
			if next[byte(k)] != each {
				t.Errorf("%d datagrams of socket %d", next[byte(k)], k)
			}
		}
		if len(next) != len(sockets) {
			t.Errorf("file %d holds %d sockets", file, len(next))
		}
	}
}

// datagram is the i-th to socket k.
func datagram(k, i int) []byte {
	return slices.Concat([]byte{byte(k), byte(i)}, make([]byte, 100+i))
}

func TestConfigurationsThatCannotBe(t *testing.T) {
	good := Config{Sockets: 1, Address: netip.MustParseAddr("127.0.0.1"), Dir: t.TempDir(), Files: 1, Sweep: time.Millisecond, Threads: 1}
	for i, change := range []func(*Config){
		func(c *Config) { c.Sockets = 0 },
		func(c *Config) { c.Files = 0 },
		func(c *Config) { c.Threads = 0 },
		func(c *Config) { c.Sweep = 0 },
		func(c *Config) { c.Address = netip.Addr{} },
		func(c *Config) { c.Dir = filepath.Join(c.Dir, "nowhere") },
	} {
		c := good
		change(&c)
		if err := Run(t.Context(), c, strings.NewReader(""), io.Discard); err == nil {
			t.Errorf("configuration %d is taken", i)
		}
	}
	if err := Run(t.Context(), good, strings.NewReader(""), io.Discard); err != nil {
		t.Errorf("what can be: %v", err)
	}
}
