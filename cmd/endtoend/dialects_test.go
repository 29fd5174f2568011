package endtoend

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/siprec"
)

// samples is the folder of messages of real devices, which is not part of this
// repository.
func samples(t *testing.T) []string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "dialects", "samples")
	files, err := filepath.Glob(filepath.Join(dir, "*.sip"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("no samples of real devices beside the repository")
	}
	return files
}

// TestDialects sends the first INVITE of every sample as it is, but for the Via,
// which must lead back here. Each must be answered, and rightly.
func TestDialects(t *testing.T) {
	l := newLab(t, "127.0.0.1", func(c *siprec.Config) {
		c.Admit = func(siprec.Origin) (siprec.SRC, error) { return siprec.SRC{Name: "any", PlainInvite: true}, nil }
	})
	type row struct {
		file, callID    string
		status, streams int
	}
	var rows []row
	for _, file := range samples(t) {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		msg, err := src.Parse(raw)
		if err != nil || msg.Method != "INVITE" || strings.Contains(msg.Get("To"), "tag=") {
			continue
		}
		name := filepath.Base(file)
		// A Call-ID of its own: several samples are of one dialog.
		callID := fmt.Sprintf("sample-%d@test.example", len(rows))
		res := exchange(t, l.address("udp"), name, raw, callID)
		offer := offerOf(t, name, msg)
		r := row{file: name, callID: callID, status: res.Status}
		if res.Status == 200 {
			r.streams = checkAnswer(t, name, offer, res)
		} else {
			t.Errorf("%s answered %d %s", name, res.Status, res.Get("Warning"))
		}
		rows = append(rows, r)
	}
	found := map[string]store.Manifest{}
	for _, m := range l.manifests() {
		found[m.CallID] = m
	}
	var table bytes.Buffer
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "sample\tstatus\tstreams\tparticipants\tmetadata")
	for _, r := range rows {
		m := found[r.callID]
		readable := "none"
		if len(m.Metadata) > 0 {
			readable = fmt.Sprint(m.Metadata[0].Readable)
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\n", r.file, r.status, r.streams, len(m.Participants), readable)
	}
	w.Flush()
	t.Logf("%d samples\n%s", len(rows), table.String())
	if len(rows) < 30 {
		t.Errorf("only %d samples hold a first INVITE", len(rows))
	}
}

// offerOf reads the offer of a sample: its first description, for one sample has
// a second one after a stray delimiter.
func offerOf(t *testing.T, name string, msg *src.Message) *src.SDP {
	t.Helper()
	begin := bytes.Index(msg.Body, []byte("v=0"))
	if begin < 0 { // those in RFC 8068 are cut short
		begin = bytes.Index(msg.Body, []byte("m="))
	}
	if begin < 0 {
		t.Fatalf("%s holds no SDP", name)
	}
	text := msg.Body[begin:]
	if i := bytes.Index(text, []byte("\n--")); i >= 0 {
		text = text[:i+1]
	}
	offer, err := src.ParseSDP(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return offer
}

var (
	viaLine     = regexp.MustCompile(`(?im)^(via|v)\s*:.*\r?\n`)
	callIDLine  = regexp.MustCompile(`(?im)^(call-id|i)\s*:.*?(\r?\n)`)
	requestLine = regexp.MustCompile(`^[^\r\n]*\r?\n`)
)

// exchange sends an INVITE over UDP, waits for its final response, acknowledges
// it and ends what it opened.
func exchange(t *testing.T, target, name string, raw []byte, callID string) *src.Message {
	t.Helper()
	conn, err := net.Dial("udp", target)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	via := fmt.Sprintf("Via: SIP/2.0/UDP %s;branch=z9hG4bK-%s\r\n", conn.LocalAddr(), callID)
	head, rest, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	head = append(head, '\r', '\n')
	head = viaLine.ReplaceAll(head, nil)
	head = callIDLine.ReplaceAll(head, []byte("Call-ID: "+callID+"\r\n"))
	head = requestLine.ReplaceAll(head, append([]byte("${0}"), via...))
	send := func(text []byte) {
		if _, err := conn.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	send(append(append(head, '\r', '\n'), rest...))
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	final := await(t, conn, name)
	cseq, _ := final.CSeq()
	follow := func(method string, number uint32) []byte {
		return fmt.Appendf(nil, "%s sip:srs@%s SIP/2.0\r\n%sFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
			method, target, strings.Replace(via, "branch=z9hG4bK-", "branch=z9hG4bK-"+method, 1), final.Get("From"), final.Get("To"), callID, number, method)
	}
	if final.Status != 200 {
		send(bytes.Replace(follow("ACK", cseq), []byte("branch=z9hG4bK-ACK"), []byte("branch=z9hG4bK-"), 1))
		return final
	}
	send(follow("ACK", cseq))
	send(follow("BYE", cseq+1))
	if bye := await(t, conn, name); bye.Status != 200 {
		t.Errorf("%s: BYE answered %d", name, bye.Status)
	}
	return final
}

// await reads the next final response that is no repetition of the INVITE's.
func await(t *testing.T, conn net.Conn, name string) *src.Message {
	t.Helper()
	buf := make([]byte, 65535)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatalf("%s was met with silence: %v", name, err)
		}
		m, err := src.Parse(bytes.Clone(buf[:n]))
		if err != nil {
			t.Fatalf("%s: response cannot be read: %v", name, err)
		}
		if m.Status >= 200 {
			return m
		}
	}
}

// checkAnswer holds an answer against its offer (RFC 3264 §6, RFC 7866 §7.2) and
// returns how many streams it takes.
func checkAnswer(t *testing.T, name string, offer *src.SDP, res *src.Message) (streams int) {
	t.Helper()
	answer, err := res.SDP()
	if err != nil || answer == nil {
		t.Errorf("%s: no readable SDP in the 200: %v", name, err)
		return 0
	}
	if !strings.Contains(res.Get("Contact"), ">;+sip.srs") {
		t.Errorf("%s: Contact %q lacks +sip.srs", name, res.Get("Contact"))
	}
	if len(answer.Media) != len(offer.Media) {
		t.Errorf("%s: %d m-lines answered to %d", name, len(answer.Media), len(offer.Media))
		return 0
	}
	for i, o := range offer.Media {
		a := answer.Media[i]
		if a.Kind != o.Kind || a.Proto != o.Proto {
			t.Errorf("%s: m-line %d is %s %s, offered %s %s", name, i, a.Kind, a.Proto, o.Kind, o.Proto)
		}
		if a.Label != o.Label {
			t.Errorf("%s: m-line %d has label %q, offered %q", name, i, a.Label, o.Label)
		}
		for _, f := range a.Formats {
			if !strings.Contains(" "+strings.Join(o.Formats, " ")+" ", " "+f+" ") {
				t.Errorf("%s: m-line %d answers format %s that was not offered", name, i, f)
			}
		}
		held := offer.DirectionOf(i) == src.Inactive || offer.DirectionOf(i) == src.RecvOnly || null(offer, i)
		switch {
		case o.Port == 0 || !strings.HasPrefix(o.Proto, "RTP/"):
			if a.Port != 0 {
				t.Errorf("%s: m-line %d cannot be received and has port %d", name, i, a.Port)
			}
		case a.Port == 0:
			t.Errorf("%s: m-line %d is refused", name, i)
		case o.Kind != "audio" || held:
			if answer.DirectionOf(i) != src.Inactive {
				t.Errorf("%s: m-line %d is answered %s, want inactive", name, i, answer.DirectionOf(i))
			}
		default:
			streams++
			if answer.DirectionOf(i) != src.RecvOnly {
				t.Errorf("%s: m-line %d is answered %s, want recvonly", name, i, answer.DirectionOf(i))
			}
		}
	}
	return streams
}

func null(offer *src.SDP, i int) bool {
	c := offer.Media[i].Connection
	if c == "" {
		c = offer.Connection
	}
	return c == "0.0.0.0"
}

// TestOpenSIPS behaves as that proxy does: From, To and Request-URI are one URI,
// an INVITE of 3 kB over UDP, an o= version that never changes, RTP from another
// address and port than the SDP says, and from yet another after a hold.
func TestOpenSIPS(t *testing.T) {
	t.Parallel()
	l := newLab(t, "127.0.0.1", nil)
	c := l.client("udp")
	conv := conversation(c)
	offer := src.TwoParties(src.PCMA())
	for i := range offer {
		offer[i].Address, offer[i].Port = "127.0.0.3", 40000+2*i // not where its RTP comes from
	}
	d := invite(t, c, src.Request{
		Streams: offer, Metadata: conv.OpenSIPS(), SameURI: true,
		Quirks: src.Quirks{Boundary: "OSS-like-boundary", PadTo: 2400},
	})
	first := d.Final().Body
	part := src.PlayOptions{Codec: src.PCMA(), Duration: 2 * time.Second}
	play(t, d, part, src.Tone(440, false), src.Tone(880, false))
	hold := src.Request{Streams: withDirection(offer, src.Inactive), Metadata: conv.OpenSIPS(), FixedVersion: true}
	if answer, err := do(t, d, "INVITE", hold).SDP(); err != nil || answer.DirectionOf(0) != src.Inactive {
		t.Errorf("hold answered %v, %v", answer, err)
	}
	for _, st := range d.Streams() {
		if err := st.Rebind(); err != nil {
			t.Fatal(err)
		}
	}
	resumed, err := do(t, d, "INVITE", src.Request{Streams: offer, Metadata: conv.OpenSIPS(), FixedVersion: true}).SDP()
	if err != nil {
		t.Fatal(err)
	}
	before, err := src.ParseSDP(first)
	if err != nil {
		t.Fatal(err)
	}
	if resumed.OriginID != before.OriginID || resumed.Version != before.Version+2 {
		t.Errorf("o= went from %s to %s, want the same id and two versions more", before.Origin, resumed.Origin)
	}
	play(t, d, part, src.Tone(660, false), src.Tone(990, false))
	do(t, d, "BYE", src.Request{})
	m := l.manifest()
	for i, hz := range [][2]float64{{440, 660}, {880, 990}} {
		s := l.audio(m, []string{"alice", "Bob"}[i])
		// SDP announced a source that never sends: the one that does is taken
		// after a second, and what waited is not lost.
		for _, f := range hz {
			if got := seconds(s, f); got < 1.9 {
				t.Errorf("stream %d: %.0f Hz is heard for %.2f s, want 2 s", i, f, got)
			} else {
				t.Logf("stream %d: %.0f Hz is heard for %.2f s", i, f, got)
			}
		}
	}
}

func withDirection(offer []src.StreamOffer, direction string) []src.StreamOffer {
	out := append([]src.StreamOffer(nil), offer...)
	for i := range out {
		out[i].Direction = direction
	}
	return out
}
