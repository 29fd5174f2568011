package front

import "bytes"

// A frame is what a framer found: a message, well formed or not, or a keep-alive.
type frame struct {
	ping  bool   // CRLFCRLF (RFC 5626 §4.4.1); nothing else is set
	head  head   // start line and header fields
	body  []byte // valid until the framer is fed again
	fault *fault // set when the message cannot be taken as it is
}

type framerState int

const (
	between  framerState = iota // between messages
	inHead                      // the start line was seen
	inDebris                    // in lines that do not begin as a message does
	inBody                      // need octets of the body are awaited
	skipping                    // need octets of a body are thrown away
	seeking                     // lines are thrown away until one begins a message
)

// maxDebris bounds a line in which a start line is looked for; longer ones are
// thrown away as they come.
const maxDebris = 16 << 10

// A framer cuts a stream into messages (RFC 3261 §7.5, §18.3). What it finds
// depends on the octets only, not on the pieces in which they come, and no
// octets can make it stop: after anything it cannot use it goes on at the next
// line that looks like the start line of a message.
type framer struct {
	limits Limits
	state  framerState
	buf    []byte // not yet consumed, from pos
	pos    int
	line   int    // inHead, inDebris: offset from pos of the first line not looked at
	need   int    // inBody, skipping
	head   head   // inBody
	crlfs  int    // between: CRLFs in a row
	flood  bool   // seeking: in a line that is longer than maxDebris
	given  *frame // abandoned, to be returned first
}

func newFramer(limits Limits) *framer { return &framer{limits: limits} }

// feed appends what was read.
func (f *framer) feed(p []byte) {
	if f.pos == len(f.buf) {
		if cap(f.buf) > 4*readSize { // do not keep the room of a large message
			f.buf = nil
		}
		f.buf, f.pos = f.buf[:0], 0
	} else if f.pos > 0 && len(f.buf)+len(p) > cap(f.buf) {
		f.buf, f.pos = append(f.buf[:0], f.buf[f.pos:]...), 0
	}
	f.buf = append(f.buf, p...)
}

// partial says whether a message has begun that is not complete.
func (f *framer) partial() bool {
	return f.state == inHead || f.state == inDebris || f.state == inBody
}

// next returns the next frame, or false when more must be fed first.
func (f *framer) next() (frame, bool) {
	if fr := f.given; fr != nil {
		f.given = nil
		return *fr, true
	}
	for {
		var fr frame
		var found, on bool
		switch f.state {
		case between:
			fr, found, on = f.skipBlank()
		case inHead, inDebris:
			fr, found, on = f.readHead()
		case inBody:
			return f.readBody()
		case skipping:
			on = f.skip()
		case seeking:
			on = f.seek()
		}
		if found {
			return fr, true
		}
		if !on {
			return frame{}, false
		}
	}
}

func (f *framer) rest() []byte { return f.buf[f.pos:] }

func (f *framer) enter(s framerState) {
	f.state, f.line, f.crlfs, f.flood = s, 0, 0, false
}

// skipBlank skips what may stand before a start line (RFC 3261 §7.5).
func (f *framer) skipBlank() (fr frame, found, on bool) {
	for f.pos < len(f.buf) {
		switch f.buf[f.pos] {
		case '\r':
			if f.pos+1 == len(f.buf) {
				return frame{}, false, false
			}
			if f.buf[f.pos+1] != '\n' {
				f.pos++
				continue
			}
			f.pos += 2
			if f.crlfs++; f.crlfs == 2 {
				f.crlfs = 0
				return frame{ping: true}, true, true
			}
		case '\n', 0, ' ', '\t':
			f.pos++
		default:
			f.enter(inHead)
			return frame{}, false, true
		}
	}
	return frame{}, false, false
}

// readHead looks at lines up to the empty one.
func (f *framer) readHead() (fr frame, found, on bool) {
	for {
		b := f.rest()
		end, line := nextLine(b[:min(len(b), f.limits.MaxHeaderBytes)], f.line)
		if end < 0 {
			if len(b) < f.limits.MaxHeaderBytes {
				return frame{}, false, false
			}
			return f.broken(f.limits.MaxHeaderBytes, seeking, "header section too long"), true, true
		}
		first := f.line == 0
		if first && !isStartLine(line) {
			f.state = inDebris
		}
		if at := f.startWithin(line, first); at >= 0 {
			if at += f.line; at > 0 { // something without an end stood before it
				return f.broken(at, inHead, "header section without an end"), true, true
			}
			f.state = inHead
		}
		f.line = end
		if len(line) == 0 {
			fr, found = f.headComplete(end)
			return fr, found, true
		}
	}
}

// startWithin returns the offset of a start line in line, or -1. After a proper
// start line only a whole line can be another one: header fields may contain
// anything.
func (f *framer) startWithin(line []byte, first bool) int {
	if f.state == inDebris {
		return findStart(line)
	}
	if first {
		return findBehindRest(line)
	}
	if isStartLine(line) {
		return 0
	}
	return -1
}

// broken consumes the first n octets as a message that cannot be used.
func (f *framer) broken(n int, then framerState, why string) frame {
	fr := frame{head: scanHead(string(f.rest()[:n])), fault: badRequest(why)}
	f.pos += n
	f.enter(then)
	return fr
}

// headComplete decides what follows a head of n octets.
func (f *framer) headComplete(n int) (frame, bool) {
	if f.state == inDebris {
		return f.broken(n, seeking, "no start line"), true
	}
	h := scanHead(string(f.rest()[:n]))
	f.pos += n
	length, present, flt := h.contentLength()
	switch {
	case flt != nil:
		f.enter(seeking)
		return frame{head: h, fault: flt}, true
	case !present:
		return f.withoutLength(h), true
	case length > f.limits.MaxMessage-n:
		f.enter(seeking)
		if length <= 16*f.limits.MaxMessage { // more is no length, but nonsense
			f.enter(skipping)
			f.need = length
		}
		return frame{head: h, fault: tooLarge()}, true
	}
	f.enter(inBody)
	f.head, f.need = h, length
	return frame{}, false
}

// withoutLength takes a message without Content-Length, which streams MUST have
// (RFC 3261 §18.3). Without a Content-Type there is no body (§20.15), so that
// such a message, a BYE for example, is clear all the same.
func (f *framer) withoutLength(h head) frame {
	if !h.has("Content-Type") {
		f.enter(between)
		h.odd("no Content-Length on a stream")
		return frame{head: h}
	}
	f.enter(seeking)
	return frame{head: h, fault: badRequest("no Content-Length on a stream")}
}

func (f *framer) readBody() (frame, bool) {
	if len(f.rest()) < f.need {
		return frame{}, false
	}
	fr := frame{head: f.head, body: f.rest()[:f.need]}
	f.pos += f.need
	f.head = head{}
	f.enter(between)
	return fr, true
}

func (f *framer) skip() (on bool) {
	n := min(f.need, len(f.rest()))
	f.pos += n
	f.need -= n
	if f.need > 0 {
		return false
	}
	f.enter(between)
	return true
}

// seek throws lines away until one holds a start line.
func (f *framer) seek() (on bool) {
	for {
		b := f.rest()
		end := bytes.IndexByte(b, '\n') + 1
		if f.flood || end > maxDebris || (end == 0 && len(b) >= maxDebris) {
			f.flood = end == 0
			if end == 0 {
				end = len(b)
			}
			f.pos += end
			if f.flood {
				return false
			}
			continue
		}
		if end == 0 {
			return false
		}
		if at := findStart(b[:end]); at >= 0 {
			f.pos += at
			f.enter(inHead)
			return true
		}
		f.pos += end
	}
}

// abandon gives up a message that does not become complete: next returns it with
// a fault, and what was taken for its body is looked through for the next one.
func (f *framer) abandon() {
	switch f.state {
	case inHead, inDebris:
		fr := f.broken(len(f.rest()), seeking, "header section not completed in time")
		f.given = &fr
	case inBody:
		f.given = &frame{head: f.head, fault: badRequest("body shorter than Content-Length")}
		f.head = head{}
		f.enter(seeking)
	}
}
