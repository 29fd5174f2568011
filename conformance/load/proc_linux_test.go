package load

import (
	"net"
	"os"
	"testing"
	"time"
)

func TestGauge(t *testing.T) {
	before, err := gauge(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for began, x := time.Now(), 0; ; x++ { // until it has used three ticks
		g, err := gauge(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if g.CPU-before.CPU >= 3*userTick {
			break
		}
		if time.Since(began) > 20*time.Second {
			t.Fatalf("%v of CPU in 20 s", g.CPU-before.CPU)
		}
	}
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	after, err := gauge(os.Getpid())
	if err != nil || after.Descriptors <= before.Descriptors || after.RSS < 1<<20 {
		t.Errorf("%+v after %+v, %v", after, before, err)
	}
	if _, err := newMeter(1 << 30); err == nil {
		t.Error("a process that is not there is measured")
	}
}

// TestKernelDropsAreCounted overruns a socket that nobody reads.
func TestKernelDropsAreCounted(t *testing.T) {
	conn, to := catcher(t)
	other, _ := catcher(t)
	before, ok := udpCounters()
	if !ok {
		t.Fatal("no counters")
	}
	const packets = 4000
	b, err := newBurst(other, 1, 2000)
	if err != nil {
		t.Fatal(err)
	}
	for range packets {
		b.add(b.room()[:1500], to)
		if _, err := b.flush(); err != nil {
			t.Fatal(err)
		}
	}
	got, ok := socketDrops(map[uint16]bool{portOf(conn): true})
	if !ok || got == 0 || got >= packets {
		t.Errorf("%d of %d were dropped, %t", got, packets, ok)
	}
	if n, ok := socketDrops(map[uint16]bool{portOf(other): true}); !ok || n != 0 {
		t.Errorf("%d were dropped at another port, %t", n, ok)
	}
	after, ok := udpCounters()
	if d := after.since(before); !ok || d.ReceiveBuffer < got {
		t.Errorf("the machine counts %+v, the socket %d", d, got)
	}
}

func TestCountersAreReadByName(t *testing.T) {
	var k Kernel
	k.snmp6("Udp6InDatagrams 5\nUdp6NoPorts                 \t2\nUdp6RcvbufErrors 3\nUdpLite6NoPorts 9\n")
	k.snmp("Udp: InDatagrams NoPorts SndbufErrors\nUdp: 7 40 1\nUdpLite: NoPorts\nUdpLite: 6\n", "Udp:")
	if k != (Kernel{ReceiveBuffer: 3, SendBuffer: 1, NoPort: 42}) {
		t.Errorf("%+v", k)
	}
}

func TestOverIPv6(t *testing.T) {
	v6, err := net.ListenUDP("udp6", &net.UDPAddr{IP: net.IPv6loopback})
	if err != nil {
		t.Skip("no IPv6 here")
	}
	defer v6.Close()
	b, err := newBurst(v6, 1, 2000)
	if err != nil {
		t.Fatal(err)
	}
	b.add(b.room()[:1500], newAddress(v6.LocalAddr().(*net.UDPAddr).AddrPort()))
	if _, err := b.flush(); err != nil {
		t.Error(err)
	}
	if n, err := v6.Read(make([]byte, 2000)); n != 1500 || err != nil {
		t.Errorf("over IPv6 came %d octets, %v", n, err)
	}
}
