package load

import "bytes"

// A sighting is a packet that was found in samples.
type sighting struct {
	run, stream, packet int
	at                  int64 // sample at which it begins, from 0
	whole               bool  // all of its samples are as they were sent
}

// A finder looks for packets in one channel, which comes to it in pieces.
type finder struct {
	code *code
	seen func(sighting)
	kept []byte // samples that are not judged yet
	base int64  // number of the first of them
}

// feed takes the next samples, little-endian of 16 bits.
func (f *finder) feed(pcm []byte) {
	f.kept = append(f.kept, pcm...)
	f.judge(2 * f.code.words)
}

// end judges what is left when the channel is over.
func (f *finder) end() { f.judge(2 * codeWords) }

// judge looks at every mark that has at least so many octets from it on.
func (f *finder) judge(enough int) {
	at := 0
	for {
		next := f.nextMark(at)
		if next < 0 {
			// The last octets may be the beginning of a mark.
			at = max(at, (len(f.kept)-len(f.code.mark)+2)&^1)
			break
		}
		at = next
		if len(f.kept)-at < enough {
			break
		}
		at += f.look(at)
	}
	at = min(at, len(f.kept))
	f.base += int64(at / 2)
	f.kept = f.kept[:copy(f.kept, f.kept[at:])]
}

// nextMark is the place of a mark, in octets, at or behind another place; -1 when
// there is none.
func (f *finder) nextMark(from int) int {
	for from < len(f.kept) {
		i := bytes.Index(f.kept[from:], f.code.mark)
		if i < 0 {
			return -1
		}
		if i%2 == 0 {
			return from + i
		}
		from += i + 1
		from += from % 2
	}
	return -1
}

// look judges the packet at a mark and says how many octets belong to it.
func (f *finder) look(at int) int {
	run, stream, packet, ok := f.code.read(f.kept[at:])
	if !ok {
		return len(f.code.mark)
	}
	s := sighting{run: run, stream: stream, packet: packet, at: f.base + int64(at/2)}
	head, whole := at+2*codeWords, 2*f.code.words
	s.whole = len(f.kept)-at >= whole && bytes.Equal(f.kept[head:at+whole], f.code.rest(stream, packet))
	f.seen(s)
	if s.whole {
		return whole
	}
	return 2 * codeWords
}
