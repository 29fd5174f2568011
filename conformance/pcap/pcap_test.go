package pcap_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/pcap"
	"github.com/siprecd/siprecd/conformance/src"
)

// record is a packet as a reader of captures finds it.
type record struct {
	at       time.Time
	protocol byte
	from, to netip.AddrPort
	seq, ack uint32 // of TCP
	flags    byte
	data     []byte
}

// read reads a capture and holds every header of it to its checksums and lengths.
func read(t *testing.T, b []byte) []record {
	t.Helper()
	le := binary.LittleEndian
	if len(b) < 24 || le.Uint32(b) != 0xa1b23c4d || le.Uint16(b[4:]) != 2 || le.Uint32(b[20:]) != 101 {
		t.Fatalf("the header is % x", b[:min(len(b), 24)])
	}
	snap := le.Uint32(b[16:])
	var out []record
	for b = b[24:]; len(b) > 0; {
		if len(b) < 16 || le.Uint32(b[8:]) != le.Uint32(b[12:]) || le.Uint32(b[8:]) > snap || int(le.Uint32(b[8:])) > len(b)-16 {
			t.Fatalf("the header of record %d is % x", len(out), b[:min(len(b), 16)])
		}
		n := 16 + le.Uint32(b[8:])
		r := readIP(t, b[16:n])
		r.at = time.Unix(int64(le.Uint32(b)), int64(le.Uint32(b[4:])))
		out = append(out, r)
		b = b[n:]
	}
	return out
}

// checksum is 0 over what holds its own: one's complement counts modulo 65535
// (RFC 1071).
func checksum(parts ...[]byte) uint64 {
	all := bytes.Join(parts, nil)
	if len(all)%2 == 1 {
		all = append(all, 0)
	}
	total := uint64(0)
	for i := 0; i < len(all); i += 2 {
		total += uint64(binary.BigEndian.Uint16(all[i:]))
	}
	return total % 0xffff
}

func readIP(t *testing.T, b []byte) (r record) {
	t.Helper()
	var from, to netip.Addr
	var inner []byte
	switch b[0] >> 4 {
	case 4:
		if checksum(b[:20]) != 0 || int(binary.BigEndian.Uint16(b[2:])) != len(b) {
			t.Fatalf("IPv4 header % x of a packet with %d octets", b[:20], len(b))
		}
		from, to = netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:]))
		r.protocol, inner = b[9], b[20:]
	case 6:
		if int(binary.BigEndian.Uint16(b[4:])) != len(b)-40 {
			t.Fatalf("IPv6 header % x of a packet with %d octets", b[:40], len(b))
		}
		from, to = netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:]))
		r.protocol, inner = b[6], b[40:]
	default:
		t.Fatalf("IP version %d", b[0]>>4)
	}
	pseudo := append(append(from.AsSlice(), to.AsSlice()...), 0, r.protocol)
	pseudo = binary.BigEndian.AppendUint16(pseudo, uint16(len(inner)))
	if c := checksum(pseudo, inner); c != 0 {
		t.Fatalf("checksum over % x is off by %x", inner[:min(len(inner), 20)], c)
	}
	r.from = netip.AddrPortFrom(from, binary.BigEndian.Uint16(inner))
	r.to = netip.AddrPortFrom(to, binary.BigEndian.Uint16(inner[2:]))
	if r.protocol == 17 {
		if int(binary.BigEndian.Uint16(inner[4:])) != len(inner) {
			t.Fatalf("UDP length of % x", inner[:8])
		}
		r.data = inner[8:]
		return r
	}
	r.seq, r.ack, r.flags = binary.BigEndian.Uint32(inner[4:]), binary.BigEndian.Uint32(inner[8:]), inner[13]
	r.data = inner[4*(inner[12]>>4):]
	return r
}

const (
	syn = 0x02
	ack = 0x10
)

// follow puts the two directions of a connection together, as a reader does: by
// sequence numbers alone.
func follow(t *testing.T, records []record, client, server netip.AddrPort) (sent, received []byte) {
	t.Helper()
	next := make(map[netip.AddrPort]uint32)
	streams := make(map[netip.AddrPort][]byte)
	steps := 0
	for _, r := range records {
		if r.protocol != 6 || (r.from != client || r.to != server) && (r.from != server || r.to != client) {
			continue
		}
		want := []byte{syn, syn | ack, ack}
		switch {
		case steps < 3:
			if r.flags != want[steps] || (r.from == client) != (steps != 1) || len(r.data) > 0 {
				t.Fatalf("step %d of the handshake is %+v", steps, r)
			}
		case r.flags&ack == 0 || r.flags&syn != 0 || len(r.data) == 0 || len(r.data) > 1460:
			t.Fatalf("segment %+v", r)
		}
		if r.flags&syn != 0 {
			next[r.from] = r.seq + 1
		} else if r.seq != next[r.from] {
			t.Fatalf("sequence number %d, expected %d", r.seq, next[r.from])
		}
		if r.flags&ack != 0 && r.ack != next[r.to] {
			t.Fatalf("acknowledged %d, the other side is at %d", r.ack, next[r.to])
		}
		next[r.from] += uint32(len(r.data))
		streams[r.from] = append(streams[r.from], r.data...)
		steps++
	}
	return streams[client], streams[server]
}

func addr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func TestDatagrams(t *testing.T) {
	var out bytes.Buffer
	w, err := pcap.New(&out)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1763769600, 123456789)
	packets := []src.Packet{
		{Direction: src.Out, Protocol: src.SIP, Local: addr("192.0.2.7:5070"), Remote: addr("192.0.2.8:5060"), Data: []byte("OPTIONS sip:a SIP/2.0\r\n\r\n")},
		{Direction: src.In, Protocol: src.SIP, Local: addr("192.0.2.7:5070"), Remote: addr("192.0.2.8:5060"), Data: []byte("odd")},
		{Direction: src.Out, Protocol: src.RTP, Local: addr("[2001:db8::7]:40000"), Remote: addr("[2001:db8::8]:40002"), Data: bytes.Repeat([]byte{0x80}, 172)},
		{Direction: src.In, Protocol: src.RTCP, Local: addr("[::ffff:192.0.2.7]:40001"), Remote: addr("192.0.2.8:40003"), Data: nil},
		{Direction: src.Out, Protocol: src.SIP, Local: addr("192.0.2.7:5070"), Remote: addr("192.0.2.8:5060"), Data: make([]byte, 65507)},
		{Direction: src.Out, Protocol: src.SIP, Local: addr("[2001:db8::7]:5070"), Remote: addr("[2001:db8::8]:5060"), Data: make([]byte, 70000)},
	}
	for i, p := range packets {
		p.At, p.Transport = at.Add(time.Duration(i)), "UDP"
		w.Write(p)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	records := read(t, out.Bytes())
	if len(records) != len(packets) {
		t.Fatalf("%d records of %d packets", len(records), len(packets))
	}
	for i, r := range records {
		p := packets[i]
		from, to := p.Local, p.Remote
		if p.Direction == src.In {
			from, to = to, from
		}
		from, to = netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
		if r.from != from || r.to != to || !bytes.Equal(r.data, p.Data[:min(len(p.Data), 65507)]) || !r.at.Equal(at.Add(time.Duration(i))) {
			t.Errorf("packet %d is from %s to %s at %s with %d octets", i, r.from, r.to, r.at, len(r.data))
		}
	}
}

// TestConnections: messages over TCP and TLS come back whole and in order, also those
// of a connection that was forgotten.
func TestConnections(t *testing.T) {
	var out bytes.Buffer
	w, err := pcap.New(&out)
	if err != nil {
		t.Fatal(err)
	}
	client, server := addr("192.0.2.7:5070"), addr("192.0.2.8:5061")
	large := bytes.Repeat([]byte("0123456789"), 500)
	w.Write(src.Packet{Direction: src.Out, Transport: "TLS", Protocol: src.SIP, Local: client, Remote: server, Data: large})
	w.Write(src.Packet{Direction: src.In, Transport: "TLS", Protocol: src.SIP, Local: client, Remote: server, Data: []byte("answer")})
	w.Write(src.Packet{Direction: src.Out, Transport: "TLS", Protocol: src.SIP, Local: client, Remote: server, Data: []byte("more")})
	sent, received := follow(t, read(t, out.Bytes()), client, server)
	if !bytes.Equal(sent, append(large, "more"...)) || string(received) != "answer" {
		t.Errorf("sent %d octets, received %q", len(sent), received)
	}
	for i := range 5000 {
		w.Write(src.Packet{Direction: src.Out, Transport: "TCP", Protocol: src.SIP, Local: netip.AddrPortFrom(client.Addr(), uint16(10000+i)), Remote: server, Data: []byte("x")})
	}
	before := out.Len()
	w.Write(src.Packet{Direction: src.In, Transport: "TLS", Protocol: src.SIP, Local: client, Remote: server, Data: []byte("late")})
	head, rest := out.Bytes()[:24], out.Bytes()[before:]
	if _, received = follow(t, read(t, append(bytes.Clone(head), rest...)), client, server); string(received) != "late" {
		t.Errorf("a connection that was forgotten received %q", received)
	}
}

// full is a disk with room for some octets.
type full int

func (f *full) Write(b []byte) (int, error) {
	if *f -= full(len(b)); *f < 0 {
		return 0, errors.New("no space left")
	}
	return len(b), nil
}

func TestErrorOfWriting(t *testing.T) {
	room := full(100)
	w, err := pcap.New(&room)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w.Write(src.Packet{Direction: src.Out, Protocol: src.SIP, Transport: "UDP", Local: addr("192.0.2.7:1"), Remote: addr("192.0.2.8:1"), Data: make([]byte, 100)})
	}
	if err := w.Flush(); err == nil || err.Error() != "no space left" {
		t.Errorf("error is %v", err)
	}
	room = 0
	if _, err := pcap.New(&room); err == nil {
		t.Error("no room for the header is no error")
	}
}

// TestTcpdumpReads: another reader makes the same of it.
func TestTcpdumpReads(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		t.Skip("tcpdump is not installed (Debian package tcpdump)")
	}
	path := filepath.Join(t.TempDir(), "run.pcap")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := pcap.New(f)
	if err != nil {
		t.Fatal(err)
	}
	var hands sync.WaitGroup
	for i := range 4 {
		hands.Go(func() {
			for _, transport := range []string{"UDP", "TCP"} {
				local := netip.AddrPortFrom(netip.MustParseAddr("192.0.2.7"), uint16(6000+i))
				w.Write(src.Packet{
					At: time.Unix(1763769600, 5), Direction: src.Out, Protocol: src.SIP, Transport: transport, Local: local, Remote: addr("192.0.2.8:5060"),
					Data: fmt.Appendf(nil, "OPTIONS sip:srs@192.0.2.8 SIP/2.0\r\nCall-ID: %d\r\n\r\n", i),
				})
			}
		})
	}
	hands.Wait()
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		t.Fatal(err)
	}
	text, err := exec.CommandContext(t.Context(), "tcpdump", "-n", "-vv", "--time-stamp-precision=nano", "-tt", "-r", path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	for want, count := range map[string]int{"1763769600.000000005": 20, "OPTIONS sip:srs@192.0.2.8 SIP/2.0": 4, "Flags [P.]": 4, "udp sum ok": 4, "(correct)": 16, "Flags [S]": 4} {
		if got := strings.Count(string(text), want); got != count {
			t.Errorf("%q stands there %d times, expected %d", want, got, count)
		}
	}
	if strings.Contains(string(text), "bad") || strings.Contains(string(text), "incorrect") {
		t.Errorf("tcpdump finds faults:\n%s", text)
	}
}
