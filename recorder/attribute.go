package recorder

import (
	"slices"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/render"
	"github.com/siprecd/siprecd/recorder/store"
)

// A voice is a part of a stream and who sent it.
type voice struct {
	stream  int // number in the capture
	span    span
	senders []string // keys of participants; empty when nobody is known to send
	guessed bool
}

// A take is one file to be made.
type take struct {
	file         string
	attribution  store.Attribution
	participants []string // keys
	streams      []int
	sources      []render.Source
}

// senderFunc says who is known to have sent a stream at an instant.
type senderFunc func(at time.Duration) (senders []string, guessed bool)

// voices cuts the life of a stream at the marks, the instants at which metadata
// arrived, and asks who sent each part. What lies before anybody was known
// belongs to those who were known first: metadata may come later than the media
// it describes (RFC 7866 §9.1).
func voices(stream int, life span, marks []time.Duration, senders senderFunc) []voice {
	var out []voice
	from := life.from
	for i := 0; from < life.to; i++ {
		to := life.to
		if i < len(marks) {
			if marks[i] <= from {
				continue
			}
			to = min(to, marks[i])
		}
		who, guessed := senders(from)
		slices.Sort(who)
		v := voice{stream, span{from, to}, who, guessed}
		if n := len(out); n > 0 && slices.Equal(out[n-1].senders, who) && out[n-1].guessed == guessed {
			out[n-1].span.to = to
		} else {
			out = append(out, v)
		}
		from = to
	}
	if len(out) > 1 && len(out[0].senders) == 0 {
		out[1].span.from = out[0].span.from
		out = out[1:]
	}
	return out
}

// takes gives the voices to files: one for each participant that sent alone, and a
// further one for what it sent on another stream at the same time; one for each stream with several senders at a time, which names them all, and
// one for each stream on which nobody is known to have sent. people are the keys
// of the participants in order. The files have no names yet.
func takes(people []string, all []voice) []take {
	var out []take
	for _, p := range people {
		out = append(out, takesOf(p, all)...)
	}
	var streams []int
	for _, v := range all {
		if !slices.Contains(streams, v.stream) {
			streams = append(streams, v.stream)
		}
	}
	for _, s := range streams {
		mixed, nobody := take{attribution: store.Mixed}, take{attribution: store.Unattributed}
		for _, v := range all {
			switch {
			case v.stream != s || len(v.senders) == 1:
			case len(v.senders) == 0:
				nobody.add(v)
			default:
				mixed.add(v)
				mixed.participants = append(mixed.participants, v.senders...)
			}
		}
		mixed.participants = inOrder(people, mixed.participants)
		out = appendTake(appendTake(out, mixed), nobody)
	}
	return out
}

// takesOf gives the voices of one participant to as few files as have no two streams
// at the same time: after a hold, a transfer or a new label it is the same file.
func takesOf(person string, all []voice) []take {
	var out []take
	for len(all) > 0 {
		stream := all[0].stream
		var own []voice
		n := 0
		for ; n < len(all) && all[n].stream == stream; n++ {
			if v := all[n]; len(v.senders) == 1 && v.senders[0] == person {
				own = append(own, v)
			}
		}
		all = all[n:]
		if len(own) == 0 {
			continue
		}
		i := slices.IndexFunc(out, func(t take) bool { return !t.overlaps(own) })
		if i < 0 {
			i = len(out)
			out = append(out, take{attribution: store.ByMetadata, participants: []string{person}})
		}
		for _, v := range own {
			out[i].add(v)
			if v.guessed {
				out[i].attribution = store.Guessed
			}
		}
	}
	return out
}

// overlaps reports whether a take holds something of the time of voices.
func (t *take) overlaps(voices []voice) bool {
	return slices.ContainsFunc(t.sources, func(s render.Source) bool {
		return slices.ContainsFunc(voices, func(v voice) bool { return v.span.from < s.To && s.From < v.span.to })
	})
}

func appendTake(out []take, t take) []take {
	if len(t.sources) == 0 {
		return out
	}
	return append(out, t)
}

func (t *take) add(v voice) {
	t.sources = append(t.sources, render.Source{Stream: v.stream, Interval: render.Interval{From: v.span.from, To: v.span.to}})
	if !slices.Contains(t.streams, v.stream) {
		t.streams = append(t.streams, v.stream)
	}
}

// inOrder returns those of the ordered keys that are in the set.
func inOrder(ordered, set []string) []string {
	var out []string
	for _, k := range ordered {
		if slices.Contains(set, k) {
			out = append(out, k)
		}
	}
	return out
}

// permitted leaves of the voices what a permit covers, so that a part nobody may
// hear makes no file.
func permitted(all []voice, spans []span) []voice {
	var out []voice
	for _, v := range all {
		for _, s := range spans {
			both := span{max(v.span.from, s.from), min(v.span.to, s.to)}
			if both.from < both.to {
				part := v
				part.span = both
				out = append(out, part)
			}
		}
	}
	return out
}
