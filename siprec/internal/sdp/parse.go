package sdp

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// maxOddities bounds the list that a hostile text can make us write.
const maxOddities = 64

// lineEnds are the octets that cannot be within a line (RFC 8866 §9, byte-string).
const lineEnds = "\r\n\x00"

// Parse reads a session description. Lines end with CRLF, LF or CR; lines that
// cannot be read are left out and named in Oddities. The only error is
// ErrNotSDP. Time is linear in len(b).
func Parse(b []byte) (*Description, error) {
	r := &reader{d: &Description{}}
	text := string(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")))
	for text != "" && !r.done {
		end := strings.IndexAny(text, lineEnds)
		if end < 0 {
			r.line(text)
			break
		}
		r.line(text[:end])
		text = text[end+1:]
	}
	r.flush()
	if !r.seen['v'] && !r.seen['m'] {
		return nil, ErrNotSDP
	}
	r.missing()
	return r.d, nil
}

// A reader is the state of Parse.
type reader struct {
	d *Description
	// seen holds the letters of the lines so far.
	seen [256]bool
	// top is what m-lines without their own inherit.
	top shared
	// cur is the m-line that is being read, kept in store; nil before the first
	// and beyond MaxMedia.
	cur   *pending
	store pending
	// skip says that lines belong to an m-line beyond MaxMedia.
	skip bool
	// done says that a second description begins.
	done bool
	// attributes counts what is kept.
	attributes int
	// labels are those of live m-lines.
	labels map[string]bool
}

// shared is what both levels of a description may hold.
type shared struct {
	conn               connection
	hasConn            bool
	direction          string
	crypto             []string
	fingerprint, setup string
}

// pending is an m-line whose formats are not yet resolved.
type pending struct {
	m Media
	shared
	rtpmap, fmtp [128]string
}

func (r *reader) odd(format string, args ...any) {
	if len(r.d.Oddities) >= maxOddities {
		return
	}
	if r.cur != nil {
		format = fmt.Sprintf("m-line %d: ", len(r.d.Media)+1) + format
	}
	r.d.Oddities = append(r.d.Oddities, fmt.Sprintf(format, args...))
}

// line reads one line, `letter=value` (RFC 8866 §5).
func (r *reader) line(line string) {
	line = strings.Trim(line, " \t")
	if line == "" {
		return
	}
	if len(line) > MaxLine {
		r.odd("line longer than %d octets is cut", MaxLine)
		line = line[:MaxLine]
	}
	key := line[0]
	value, ok := strings.CutPrefix(strings.TrimLeft(line[1:], " \t"), "=")
	if !ok || key < 'a' || key > 'z' {
		r.odd("unreadable line")
		return
	}
	value = strings.Trim(value, " \t")
	switch key {
	case 'v':
		r.version(value)
	case 'm':
		r.media(value)
	case 'c':
		r.connection(value)
	case 'a':
		r.attribute(value)
	case 'o':
		r.origin(value)
	case 't':
		r.time(value)
	case 's', 'i', 'u', 'e', 'p', 'b', 'r', 'z', 'k':
		// Nothing in them matters to a recording server.
	default:
		if !r.seen[key] {
			r.odd("unknown line %c=", key)
		}
	}
	r.seen[key] = true
}

func (r *reader) version(value string) {
	if r.seen['v'] && r.seen['m'] {
		r.odd("a second description is left out")
		r.done = true
		return
	}
	if value != "0" {
		r.odd("version of v= is not 0")
	}
}

// time reads `start stop`, of the first such line.
func (r *reader) time(value string) {
	f := strings.Fields(value)
	if r.d.Time != "" || len(f) != 2 {
		return
	}
	for _, n := range f {
		if _, err := strconv.ParseUint(n, 10, 64); err != nil {
			return
		}
	}
	r.d.Time = f[0] + " " + f[1]
}

// origin reads `user id version net type address`. Of the six the user name is
// the one that devices write with blanks in it.
func (r *reader) origin(value string) {
	if r.seen['o'] {
		r.odd("more than one o= line")
		return
	}
	f := strings.Fields(value)
	if len(f) > 6 {
		r.odd("blanks in the user name of o=")
		at := len(f) - 5
		f = append([]string{strings.Join(f[:at], " ")}, f[at:]...)
	} else if len(f) < 6 {
		r.odd("o= has less than six fields")
	}
	o := &r.d.Origin
	for i, to := range []*string{&o.User, &o.ID, &o.Version, &o.Net, &o.AddrType, &o.Addr} {
		if i < len(f) {
			*to = f[i]
		}
	}
}

// connection reads c= of either level (RFC 8866 §5.7).
func (r *reader) connection(value string) {
	if r.skip {
		return
	}
	level := r.level()
	if level.hasConn {
		r.odd("more than one c= line")
		return
	}
	level.hasConn = true
	level.conn = readConnection(value)
	if !level.conn.addr.IsValid() && !level.conn.null {
		r.odd("c= holds no address")
	}
}

// level is where the line that is being read belongs.
func (r *reader) level() *shared {
	if r.cur != nil {
		return &r.cur.shared
	}
	return &r.top
}

// media begins an m-line, `media port[/count] proto format ...`
// (RFC 8866 §5.14). Even one that cannot be read takes its place.
func (r *reader) media(value string) {
	r.flush()
	if len(r.d.Media) == MaxMedia {
		if !r.skip {
			r.odd("more than %d m-lines, the rest is left out", MaxMedia)
		}
		r.skip = true
		return
	}
	r.store = pending{}
	r.cur = &r.store
	m := &r.cur.m
	f := strings.Fields(value)
	if len(f) < 4 {
		r.odd("m= has less than four fields")
	}
	if len(f) > 0 {
		m.Type = f[0]
	}
	if len(f) > 1 {
		m.Port = r.port(f[1])
	}
	if len(f) > 2 {
		m.Proto, m.Formats = f[2], f[3:]
	}
}

// port reads a port, which may be followed by a number of ports.
func (r *reader) port(value string) int {
	value, _, counted := strings.Cut(value, "/")
	if counted {
		r.odd("m= asks for several ports, the first is taken")
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > 65535 {
		r.odd("unreadable port, taken for 0")
		return 0
	}
	return n
}

// flush completes the m-line that was being read and adds it.
func (r *reader) flush() {
	if r.cur == nil {
		return
	}
	r.inherit()
	if r.cur.m.IsRTP() {
		r.formats()
	}
	r.checkLabel()
	r.d.Media = append(r.d.Media, r.cur.m)
	r.cur = nil
}

// inherit gives the m-line what is only said at the top level.
func (r *reader) inherit() {
	p, m := r.cur, &r.cur.m
	if !p.hasConn {
		p.conn = r.top.conn
		if !r.top.hasConn && m.Port != 0 {
			r.odd("no c= line") // RFC 8866 §5.7
		}
	}
	m.Addr, m.Null = p.conn.addr, p.conn.null
	m.Direction = p.direction
	if m.Direction == "" {
		m.Direction = r.top.direction
	}
	m.DirectionGiven = m.Direction != ""
	if !m.DirectionGiven {
		m.Direction = SendRecv // RFC 3264 §5.1
	}
	m.Crypto, m.Fingerprint, m.Setup = p.crypto, p.fingerprint, p.setup
	if m.Crypto == nil {
		m.Crypto = r.top.crypto
	}
	if m.Fingerprint == "" {
		m.Fingerprint = r.top.fingerprint
	}
	if m.Setup == "" {
		m.Setup = r.top.setup
	}
}

// checkLabel notes what keeps a live m-line from being told from others by its
// label (RFC 7866 §7.1.1). A removed one may keep a label that is used again.
func (r *reader) checkLabel() {
	m := &r.cur.m
	switch {
	case m.Port == 0:
	case m.Label == "":
		r.odd("no label")
	case r.labels[m.Label]:
		r.odd("label of another m-line")
	default:
		if r.labels == nil {
			r.labels = make(map[string]bool)
		}
		r.labels[m.Label] = true
	}
}

// missing notes lines that RFC 8866 §5 requires.
func (r *reader) missing() {
	for _, key := range "vost" {
		if !r.seen[key] {
			r.odd("no %c= line", key)
		}
	}
}
