package metadata

import "fmt"

// guess fills in who sends what where the documents do not say it, and flags it.
// It adds only where something is missing: an association that says a
// participant sends nothing is a statement, and stays.
func (d *deriver) guess() {
	if d.s.provisional {
		return
	}
	if d.s.media.len() == 0 {
		d.guessByOrder()
		return
	}
	d.guessParticipants()
	d.guessStreams()
}

// guessByOrder is for documents without any association: the first participant
// sends the first stream, and so on; one stream of several participants is mixed.
// Without streams the m-lines are counted.
func (d *deriver) guessByOrder() {
	streams := d.openStreams()
	if len(streams) == 0 && d.s.streams.len() == 0 {
		streams = d.lineStreams()
	}
	var parts []ID
	for p := range d.s.parts.all {
		if d.inAny[p] {
			parts = append(parts, p)
		}
	}
	for i, p := range parts {
		switch {
		case len(streams) == 1:
			d.add(Span{Kind: Sending, Participant: p, Stream: streams[0], Guessed: true})
		case i < len(streams):
			d.add(Span{Kind: Sending, Participant: p, Stream: streams[i], Guessed: true})
		}
	}
}

// openStreams returns the described streams that go on.
func (d *deriver) openStreams() []ID {
	var out []ID
	for _, sp := range d.out {
		if sp.Kind == Streaming {
			out = append(out, sp.Stream)
		}
	}
	return out
}

// lineStreams makes up a stream for each m-line.
func (d *deriver) lineStreams() []ID {
	if d.s.parts.len() == 0 {
		return nil
	}
	var out []ID
	for _, l := range d.sdp {
		id := ID(fmt.Sprintf("m-line %d", l.Index))
		out = append(out, id)
		d.add(Span{Kind: Streaming, Stream: id, Index: l.Index, Generation: l.Generation, Guessed: true})
	}
	return out
}

// guessParticipants is for associations that name a participant nobody
// described: when as many are described without an association, they are the
// same, in order. Some devices put another element's id there.
func (d *deriver) guessParticipants() {
	var nameless, silent []ID
	for p := range d.s.media.all {
		if _, known := d.s.parts.get(p); !known && p != "" {
			nameless = append(nameless, p)
		}
	}
	if len(nameless) == 0 {
		return
	}
	for p := range d.s.parts.all {
		if _, has := d.s.media.get(p); !has && d.inAny[p] {
			silent = append(silent, p)
		}
	}
	if len(silent) != len(nameless) {
		return
	}
	for i, p := range nameless {
		a, _ := d.s.media.get(p)
		for _, id := range a.Send {
			if st, described := d.s.streams.get(id); described && d.takesPart(silent[i], st, true) {
				d.add(Span{Kind: Sending, Participant: silent[i], Stream: id, Guessed: true})
			}
		}
	}
}

// guessStreams is for senders of streams that no element describes, as in RFC
// 8068 §3.2.3: when as many m-lines are left without a sender, they are these,
// in order. An m-line whose sender is still there is on hold and not left.
func (d *deriver) guessStreams() {
	var wanted []int // indices of sendings
	for i, sp := range d.out {
		if _, described := d.s.streams.get(sp.Stream); sp.Kind == Sending && !described {
			if _, known := d.s.parts.get(sp.Participant); known {
				wanted = append(wanted, i)
			}
		}
	}
	if len(wanted) == 0 {
		return
	}
	var names []ID
	named := make(map[ID]bool)
	for _, i := range wanted {
		if id := d.out[i].Stream; !named[id] {
			named[id] = true
			names = append(names, id)
		}
	}
	free := d.freeLines()
	if len(free) == 0 {
		d.guessMixed(wanted)
		return
	}
	if len(free) != len(names) {
		return
	}
	for _, i := range wanted {
		d.out[i].Guessed, d.out[i].Unresolved = true, false
	}
	for i, id := range names {
		d.add(Span{Kind: Streaming, Stream: id, Index: free[i].index, Generation: free[i].generation, Guessed: true, Unresolved: true})
	}
}

// guessMixed is for senders of undescribed streams where one stream is described
// and said to be mixed: they are in it. BroadWorks queue calls look so.
func (d *deriver) guessMixed(wanted []int) {
	streams := d.openStreams()
	if len(streams) != 1 {
		return
	}
	if st, _ := d.s.streams.get(streams[0]); st.Mode != "mixed" {
		return
	}
	for _, i := range wanted {
		d.add(Span{Kind: Sending, Participant: d.out[i].Participant, Stream: streams[0], Guessed: true})
	}
}

// freeLines returns the m-lines on which no participant who is there sends or is
// known to have sent.
func (d *deriver) freeLines() []line {
	sent := make(map[ID]bool)
	for _, sp := range d.out {
		if sp.Kind == Sending {
			sent[sp.Stream] = true
		}
	}
	taken := make(map[line]bool)
	for _, sp := range d.out {
		if sp.Kind == Streaming && sp.Index >= 0 && (sent[sp.Stream] || d.heldByMember(sp.Stream)) {
			taken[line{sp.Index, sp.Generation}] = true
		}
	}
	var free []line
	for _, l := range d.sdp {
		if at := (line{l.Index, l.Generation}); !taken[at] {
			free = append(free, at)
		}
	}
	return free
}

// heldByMember reports whether the last one who sent a stream is still there.
func (d *deriver) heldByMember(stream ID) bool {
	p, ok := d.hist.lastSender(stream)
	return ok && d.inAny[p]
}
