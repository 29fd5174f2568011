package siprec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"
)

// bareSDP offers nothing, so that a recording session costs no ports.
const bareSDP = "v=0\r\no=src 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"

// A bareSRC speaks SIP by prepared text over one socket: what it costs does not
// hide what the server does.
type bareSRC struct {
	conn     net.Conn
	contact  string
	via      string
	metadata string
	buf      []byte
	fill     int
}

func newBareSRC(tb testing.TB, network, target string, metadata int) *bareSRC {
	tb.Helper()
	conn, err := net.Dial(network, target)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close() })
	return &bareSRC{
		conn: conn, contact: conn.LocalAddr().String(), via: strings.ToUpper(network),
		metadata: "<recording><!--" + strings.Repeat("x", metadata) + "--></recording>", buf: make([]byte, 1<<16),
	}
}

// text writes a request; a body makes it multipart of SDP and metadata.
func (c *bareSRC) text(method, callID, toTag string, cseq int, sdp string) []byte {
	to := "<sip:srs@127.0.0.1>"
	if toTag != "" {
		to += ";tag=" + toTag
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s sip:srs@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bK%s%s%d;rport\r\nMax-Forwards: 70\r\n"+
		"From: <sip:src@127.0.0.1>;tag=%s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nContact: <sip:src@%s>;+sip.src\r\nRequire: siprec\r\n",
		method, c.via, c.contact, callID, method, cseq, callID, to, callID, cseq, method, c.contact)
	body := ""
	if sdp != "" {
		b.WriteString("Content-Type: multipart/mixed;boundary=part\r\n")
		body = "--part\r\nContent-Type: application/sdp\r\n\r\n" + sdp +
			"\r\n--part\r\nContent-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n\r\n" + c.metadata + "\r\n--part--\r\n"
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	return b.Bytes()
}

// next reads the next message, which is valid until the call after.
func (c *bareSRC) next() (string, error) {
	if c.via == "UDP" {
		n, err := c.conn.Read(c.buf)
		return string(c.buf[:n]), err
	}
	for {
		if head := bytes.Index(c.buf[:c.fill], []byte("\r\n\r\n")); head >= 0 {
			length, err := strconv.Atoi(field(string(c.buf[:head]), "Content-Length"))
			if err != nil {
				return "", err
			}
			if end := head + 4 + length; end <= c.fill {
				m := string(c.buf[:end])
				c.fill = copy(c.buf, c.buf[end:c.fill])
				return m, nil
			}
		}
		n, err := c.conn.Read(c.buf[c.fill:])
		if err != nil {
			return "", err
		}
		c.fill += n
	}
}

// field is the value of a header field, spelt as the server does.
func field(m, name string) string {
	_, rest, _ := strings.Cut(m, "\r\n"+name+": ")
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}

func tagOf(m string) string {
	_, tag, _ := strings.Cut(field(m, "To"), "tag=")
	return tag
}

// final reads until a final response to a method.
func (c *bareSRC) final(method string) (string, error) {
	for {
		m, err := c.next()
		if err != nil {
			return "", err
		}
		if strings.HasSuffix(field(m, "CSeq"), method) && !strings.HasPrefix(m, "SIP/2.0 1") {
			if !strings.HasPrefix(m, "SIP/2.0 200") {
				return "", errors.New(m)
			}
			return m, nil
		}
	}
}

func (c *bareSRC) open(callID string) (tag string, err error) {
	if _, err := c.conn.Write(c.text("INVITE", callID, "", 1, bareSDP)); err != nil {
		return "", err
	}
	m, err := c.final("INVITE")
	if err != nil {
		return "", err
	}
	_, err = c.conn.Write(c.text("ACK", callID, tagOf(m), 1, ""))
	return tagOf(m), err
}

func (c *bareSRC) call(callID string) error {
	tag, err := c.open(callID)
	if err != nil {
		return err
	}
	if _, err := c.conn.Write(c.text("BYE", callID, tag, 2, "")); err != nil {
		return err
	}
	_, err = c.final("BYE")
	return err
}

// serveEmpty runs a server with a handler that does nothing.
func serveEmpty(tb testing.TB, network string) *Server {
	tb.Helper()
	s, err := Listen(Config{
		Listen: []Endpoint{{Network: network, Address: "127.0.0.1:0"}}, Log: zap.NewNop(), MaxRecordingSessions: 5000,
		Handler: HandlerFunc(func(ctx context.Context, rs *RecordingSession) {
			for {
				if _, err := rs.Next(ctx); err != nil {
					return
				}
			}
		}),
	})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Serve(ctx); err != nil {
			tb.Error(err)
		}
	})
	tb.Cleanup(func() { cancel(); wg.Wait() })
	return s
}

// BenchmarkCall is INVITE, 200, ACK, BYE, 200 with bodies of 5 kB and no media
// ports, by several SRCs at a time in the same process. CPU time is that of the
// process, the SRCs included.
func BenchmarkCall(b *testing.B) {
	for _, network := range []string{"udp", "tcp"} {
		b.Run(network, func(b *testing.B) {
			s := serveEmpty(b, network)
			target := s.Endpoints()[0].Address
			var id atomic.Int64
			before, began := cpuTime(b), time.Now()
			b.ResetTimer()
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				c := newBareSRC(b, network, target, 4600)
				for pb.Next() {
					if err := c.call("call" + strconv.FormatInt(id.Add(1), 10)); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.StopTimer()
			b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(b.N), "CPU-us/call")
			b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "calls/s")
		})
	}
}

// TestHeldDialogMemory holds a thousand recording sessions without media ports
// over one TCP connection: what each costs, stacks included, while the transaction of
// its INVITE is kept, which is for 64*T1, and after it.
func TestHeldDialogMemory(t *testing.T) {
	for _, tt := range []struct {
		name string
		kept time.Duration // the transaction
		most int64         // octets, also under the race detector, which adds a third
	}{
		{"with its transaction", sip.Timer_L, 16 << 10},
		{"after its transaction", 50 * time.Millisecond, 12 << 10},
	} {
		t.Run(tt.name, func(t *testing.T) { holdDialogs(t, tt.kept, tt.most) })
	}
}

func holdDialogs(t *testing.T, kept time.Duration, most int64) {
	const dialogs = 1000
	before := sip.Timer_L
	t.Cleanup(func() { sip.Timer_L = before }) // when the server has ended
	sip.Timer_L = kept
	s := serveEmpty(t, "tcp")
	c := newBareSRC(t, "tcp", s.Endpoints()[0].Address, 4600)
	if _, err := c.open("first"); err != nil { // what is made once
		t.Fatal(err)
	}
	base := inUse()
	for i := range dialogs {
		if _, err := c.open("held" + strconv.Itoa(i)); err != nil {
			t.Fatal(err)
		}
	}
	if up := s.Up(); up != dialogs+1 {
		t.Fatalf("%d recording sessions are up", up)
	}
	left := dialogs + 1
	if kept < before {
		left = 0
	}
	for s.tx.pending() != left {
		runtime.Gosched()
	}
	each := (inUse() - base) / dialogs
	t.Logf("a held dialog costs %d octets", each)
	if each > most {
		t.Errorf("a held dialog costs %d octets, at most %d are allowed", each, most)
	}
}

// pending is how many server transactions there are.
func (t *transactions) pending() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.server)
}

// inUse is the memory of heap and stacks after a collection.
func inUse() int64 {
	var m runtime.MemStats
	for range 3 { // stacks shrink, and pools are emptied at the second
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
