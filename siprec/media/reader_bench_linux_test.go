package media

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	senderEnv = "SIPRECD_TEST_MEDIA_SENDER"
	tick      = time.Millisecond
	ptime     = 20 * time.Millisecond
)

// sendMany is a process of its own, so that what it uses of the processor is not
// counted as the reader's. It reads "PACKETS PORT PORT ..." and sends each port a packet
// every 20 ms, spread over them, until it has sent as many. It says from where it sends
// when it begins, and how many it sent when it ends.
func sendMany(in io.Reader, out io.Writer) error {
	s, err := listenRaw(loopback4, 0, 0)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, s.local())
	line, err := bufio.NewReaderSize(in, 1<<20).ReadString('\n')
	if err != nil {
		return err
	}
	words := strings.Fields(line)
	total, err := strconv.Atoi(words[0])
	if err != nil {
		return err
	}
	headers := make([]mmsghdr, len(words)-1)
	packets := make([][]byte, len(headers))
	for i, word := range words[1:] {
		port, err := strconv.ParseUint(word, 10, 16)
		if err != nil {
			return err
		}
		packets[i] = make([]byte, fixedHeader+160)
		packets[i][0] = versionTwo << 6
		binary.BigEndian.PutUint32(packets[i][8:], uint32(port))
		vector := &unix.Iovec{Base: &packets[i][0]}
		vector.SetLen(len(packets[i]))
		name := &unix.RawSockaddrInet4{Family: unix.AF_INET, Port: networkOrder(uint16(port)), Addr: loopback4.As4()}
		headers[i].header = unix.Msghdr{Name: (*byte)(unsafe.Pointer(name)), Namelen: unix.SizeofSockaddrInet4, Iov: vector}
		headers[i].header.SetIovlen(1)
	}
	sent := 0
	began := time.Now()
	for slot := 0; sent < total; slot++ {
		time.Sleep(time.Until(began.Add(time.Duration(slot) * tick)))
		slots := int(ptime / tick)
		from, to := len(headers)*(slot%slots)/slots, len(headers)*(slot%slots+1)/slots
		to = min(to, from+total-sent)
		for i := from; i < to; i++ {
			binary.BigEndian.PutUint16(packets[i][2:], uint16(slot/slots))
			binary.BigEndian.PutUint32(packets[i][4:], uint32(slot/slots*160))
		}
		for from < to {
			n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&headers[from])), uintptr(to-from), 0, 0, 0)
			if errno != 0 {
				return errno
			}
			from, sent = from+int(n), sent+int(n)
		}
	}
	fmt.Fprintln(out, sent)
	return nil
}

// tally is a sink that counts.
type tally struct{ packets, octets int }

func (c *tally) WriteRTP(p *Packet) {
	c.packets++
	c.octets += len(p.Payload)
}

// BenchmarkReaders is what a packet costs from the kernel to the sink, at 50 packets
// a second for each receiver. cpu-ns/packet is of this process, by getrusage; B/receiver
// is memory of an idle one.
func BenchmarkReaders(b *testing.B) {
	for _, receivers := range []int{100, 1000, 3000, 6000} {
		for _, reader := range []Reader{ReaderSweep, ReaderSimple} {
			b.Run(fmt.Sprintf("%s/%d", reader, receivers), func(b *testing.B) { benchReader(b, reader, receivers) })
		}
	}
}

func benchReader(b *testing.B, reader Reader, receivers int) {
	child, in, out := startSender(b)
	line, err := out.ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	from := netip.MustParseAddrPort(strings.TrimSpace(line))

	plane := newPlane(b, Config{Reader: reader})
	before := memory()
	rs := make([]*Receiver, receivers)
	sinks := make([]tally, receivers)
	list := strconv.Itoa(b.N)
	for i := range rs {
		rs[i] = open(b, plane, loopback4)
		list += " " + strconv.Itoa(int(rs[i].RTPAddr().Port()))
	}
	each := (memory() - before) / int64(receivers)
	for i, r := range rs {
		r.Expect(Expected{RTP: from})
		r.Attach(&sinks[i])
	}
	b.ResetTimer()
	used, mallocs := processor(b), allocations()
	fmt.Fprintln(in, list)
	if _, err := out.ReadString('\n'); err != nil {
		b.Fatal(err)
	}
	got := 0
	for i, r := range rs {
		r.Drain()
		got += sinks[i].packets
	}
	spent := processor(b) - used
	b.StopTimer()
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N), "cpu-ns/packet")
	b.ReportMetric(float64(allocations()-mallocs)/float64(b.N), "allocs/packet")
	b.ReportMetric(float64(each), "B/receiver")
	if err := child.Wait(); err != nil || got != b.N {
		b.Fatalf("%d packets of %d came, sender: %v", got, b.N, err)
	}
}

func startSender(b *testing.B) (*exec.Cmd, io.Writer, *bufio.Reader) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), senderEnv+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd, in, bufio.NewReader(out)
}

// processor is what this process has used of the processors.
func processor(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// memory is heap and stacks in use.
func memory() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

func allocations() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}
