package check

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/siprecd/siprecd/conformance/observe"
	"github.com/siprecd/siprecd/conformance/src"
)

// spoken is how long a packet of a voice is, unless a case wants another.
const spoken = 20 * time.Millisecond

// Audio is a recording session in which parties speak, for a look at its files when it is
// over. Only cases that need [Files] have one.
type Audio struct {
	t        *T
	call     int // in the voices
	dialog   *src.Dialog
	talk     *src.Conversation
	began    time.Time
	speakers []*Speaker
	lines    int // m-lines
	over     bool
}

// A Speaker is a party with a stream.
type Speaker struct {
	audio *Audio
	place int // among all speakers
	line  int // of the stream
	name  string
	parts []observe.Part
	next  int    // packet of its voice
	taken int    // of Stream.Sent
	first uint32 // RTP timestamp of its first packet
	moved uint32 // by how much jumps of the timestamp have moved it since
}

// Audio makes speakers of these names, which get an ending that makes them unique.
func (t *T) Audio(names ...string) *Audio {
	a := &Audio{t: t, call: t.target.Observer.NextCall()}
	for _, name := range names {
		a.Enter(name)
	}
	return a
}

// Enter adds a speaker, whose stream is the next m-line.
func (a *Audio) Enter(name string) *Speaker {
	s := &Speaker{audio: a, place: len(a.speakers), line: a.lines, name: fmt.Sprintf("%s%06d", name, a.call%1e6)}
	a.lines++
	a.speakers = append(a.speakers, s)
	return s
}

// Stranger adds somebody who is not of the call and has no stream. It comes after Open,
// and nobody enters after it.
func (a *Audio) Stranger() *Speaker {
	s := &Speaker{audio: a, place: len(a.speakers), line: -1, name: fmt.Sprintf("stranger%06d", a.call%1e6)}
	a.speakers = append(a.speakers, s)
	return s
}

// Speaker is the one of a place, from 0.
func (a *Audio) Speaker(place int) *Speaker { return a.speakers[place] }

// Label is that of the speaker's stream.
func (s *Speaker) Label() string { return fmt.Sprint(s.place + 1) }

// Party is the speaker as metadata has it.
func (s *Speaker) Party() src.Party {
	return src.Party{AOR: "sip:" + s.name + "@example.com", Name: s.name, Label: s.Label()}
}

// Talk is the call of all speakers as metadata has it, which does not change the order
// of their streams: here each names the one that is hers or his.
func (a *Audio) Talk(order ...*Speaker) *src.Conversation {
	var parties []src.Party
	for _, s := range order {
		parties = append(parties, s.Party())
	}
	return src.NewConversation(src.NewIDs(uint64(time.Now().UnixNano())), time.Now(), parties...)
}

// Streams is an offer of a sendonly stream for each speaker.
func (a *Audio) Streams(codecs ...src.Codec) (out []src.StreamOffer) {
	for _, s := range a.speakers {
		out = append(out, src.StreamOffer{Label: s.Label(), Codecs: codecs, Direction: src.SendOnly})
	}
	return out
}

// Open opens the recording session. Without Streams the offer has one for each speaker,
// and without Metadata they are all in it.
func (a *Audio) Open(ctx context.Context, r src.Request) *src.Dialog {
	if r.Streams == nil {
		r.Streams = a.Streams()
	}
	if r.Metadata == nil {
		a.talk = a.Talk(a.speakers...)
		r.Metadata = a.talk.Complete()
	}
	a.began = time.Now()
	a.dialog = a.t.Open(ctx, r)
	a.t.Answer(a.dialog)
	return a.dialog
}

// Dialog is that of the recording session, once it is open.
func (a *Audio) Dialog() *src.Dialog { return a.dialog }

// Reoffer offers once more, and wants it to be taken.
func (a *Audio) Reoffer(ctx context.Context, offer []src.StreamOffer) {
	a.reinvite(ctx, src.Request{Streams: offer})
}

// Join has a speaker enter a call that goes on, with a stream behind the others.
func (a *Audio) Join(ctx context.Context, name string) *Speaker {
	s := a.Enter(name)
	offer := append(a.dialog.Offers(), src.StreamOffer{Label: s.Label(), Direction: src.SendOnly})
	a.reinvite(ctx, src.Request{Streams: offer, Metadata: a.talk.Join(s.Party(), time.Now())})
	return s
}

// Update offers once more by UPDATE, and wants it to be taken (RFC 3311 §5.2).
func (a *Audio) Update(ctx context.Context, offer []src.StreamOffer) {
	m, err := a.dialog.Update(ctx, src.Request{Streams: offer})
	a.t.Check(err, "UPDATE")
	a.t.Status(m, 200)
	a.t.Answer(a.dialog)
	settle(ctx)
}

// Replace has a speaker enter a call that goes on, with a stream in the place of another's,
// which was removed by port 0 (RFC 3264 §8.1).
func (a *Audio) Replace(ctx context.Context, gone *Speaker, name string) *Speaker {
	s := a.Enter(name)
	a.lines--
	s.line, s.taken = gone.line, len(a.dialog.Stream(gone.line).Sent())
	offer := a.dialog.Offers()
	offer[s.line].Port, offer[s.line].Label = 0, s.Label()
	a.reinvite(ctx, src.Request{Streams: offer, Metadata: a.talk.Join(s.Party(), time.Now())})
	return s
}

// Remove removes the stream of a speaker, who leaves the call.
func (a *Audio) Remove(ctx context.Context, gone *Speaker) {
	offer := a.dialog.Offers()
	offer[gone.line].Port = src.PortZero
	a.reinvite(ctx, src.Request{Streams: offer, Metadata: a.talk.Leave(gone.place, time.Now())})
}

func (a *Audio) reinvite(ctx context.Context, r src.Request) {
	m, err := a.dialog.Reinvite(ctx, r)
	a.t.Check(err, "re-INVITE")
	a.t.Status(m, 200)
	a.t.Answer(a.dialog)
	settle(ctx)
}

// settle waits until what is spoken next was spoken after the answer. A packet that leaves
// with the answer holds 20 ms of before it, and servers may leave it out with the rest.
func settle(ctx context.Context) {
	timer := time.NewTimer(3 * spoken)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Direct offers once more with another direction of some m-lines.
func (a *Audio) Direct(ctx context.Context, direction string, lines ...int) {
	offer := a.dialog.Offers()
	for _, i := range lines {
		offer[i].Direction = direction
	}
	a.Reoffer(ctx, offer)
}

// Say has speakers say so many packets of 20 ms at the same time, which have to be kept.
// Without speakers all speak that have a stream.
func (a *Audio) Say(ctx context.Context, n int, opt src.PlayOptions, speakers ...*Speaker) {
	a.say(ctx, n, true, opt, speakers)
}

// SayUnheard is [Audio.Say] for what must not be kept.
func (a *Audio) SayUnheard(ctx context.Context, n int, opt src.PlayOptions, speakers ...*Speaker) {
	a.say(ctx, n, false, opt, speakers)
}

func (a *Audio) say(ctx context.Context, n int, kept bool, opt src.PlayOptions, speakers []*Speaker) {
	if len(speakers) == 0 {
		speakers = a.everyone()
	}
	if opt.Ptime == 0 {
		opt.Ptime = spoken
	}
	opt.Count = int(time.Duration(n) * spoken / opt.Ptime)
	sources := make([]src.Source, a.lines)
	codec := opt.Codec
	for _, s := range speakers {
		var err error
		if opt.Codec.Name == "" {
			codec, err = a.dialog.Stream(s.line).Codec()
			a.t.Check(err, "codec")
		}
		sources[s.line], err = s.source(codec)
		a.t.Check(err, "voice")
	}
	a.t.Check(a.dialog.Play(ctx, opt, sources...), "send RTP")
	for _, s := range speakers {
		if opt.Codec.Name == "" {
			codec, _ = a.dialog.Stream(s.line).Codec()
		}
		s.take(n, kept, codec, opt)
	}
}

// everyone are the speakers that have a stream.
func (a *Audio) everyone() []*Speaker {
	return slices.DeleteFunc(slices.Clone(a.speakers), func(s *Speaker) bool { return s.line < 0 })
}

// voice is the speaker in a codec: each law of G.711 has a voice of its own.
func (s *Speaker) voice(codec src.Codec) observe.Voice {
	v := observe.Voice{Call: s.audio.call, Party: 2 * s.place}
	if codec.Name == "PCMA" {
		v.Party++
	}
	return v
}

// later is a source from a packet on.
type later struct {
	src.Source
	by int64
}

// Samples gives those of the source; see [src.Source].
func (l later) Samples(from int64, dst []int16) int { return l.Source.Samples(from+l.by, dst) }

func (s *Speaker) source(codec src.Codec) (src.Source, error) {
	code, err := observe.NewCode(codec)
	if err != nil {
		return nil, err
	}
	return later{code.Source(s.voice(codec)), int64(s.next) * observe.Frame}, nil
}

// take notes what was sent.
func (s *Speaker) take(n int, kept bool, codec src.Codec, opt src.PlayOptions) {
	sent := s.audio.dialog.Stream(s.line).Sent()[s.taken:]
	s.taken += len(sent)
	lost, begin := make(map[int]bool), uint32(0)
	for _, p := range sent {
		lost[p.Index] = p.Fault == src.FaultLost
		if p.Index == 0 {
			begin = p.Timestamp
		}
	}
	if s.parts == nil {
		s.first = begin
	}
	base := int64(begin - s.first - s.moved)
	for _, c := range opt.Faults.Changes {
		s.moved += c.Timestamp
	}
	for k := range n {
		if !lost[int(time.Duration(k)*spoken/opt.Ptime)] {
			s.parts = append(s.parts, observe.Part{
				Voice: s.voice(codec), Packet: s.next + k, Codec: codec, At: base + int64(k)*observe.Frame, Kept: kept,
			})
		}
	}
	s.next += n
}

// Packets are the next words of the speaker in PCMU, 20 ms each, which have to be kept: the
// case sends them by Script, right behind what was said before.
func (s *Speaker) Packets(n int) [][]byte { return s.packets(n, true) }

// Unheard are the next words of the speaker in PCMU, 20 ms each, which must not be kept.
func (s *Speaker) Unheard(n int) [][]byte { return s.packets(n, false) }

func (s *Speaker) packets(n int, kept bool) [][]byte {
	code, err := observe.NewCode(src.PCMU())
	s.audio.t.Check(err, "voice")
	at := int64(0)
	if last := len(s.parts) - 1; last >= 0 {
		at = s.parts[last].At + observe.Frame
	}
	out := make([][]byte, n)
	voice := s.voice(src.PCMU())
	for i := range out {
		pcm := make([]int16, observe.Frame)
		code.Source(voice).Samples(int64(s.next)*observe.Frame, pcm)
		out[i], err = src.Encode(src.PCMU(), pcm)
		s.audio.t.Check(err, "voice")
		s.parts = append(s.parts, observe.Part{Voice: voice, Packet: s.next, Codec: src.PCMU(), At: at + int64(i)*observe.Frame, Kept: kept})
		s.next++
	}
	return out
}

// Script sends packets that are no audio, or that Packets gave, on the speaker's stream.
func (s *Speaker) Script(ctx context.Context, packets []src.ScriptPacket) {
	st := s.audio.dialog.Stream(s.line)
	s.audio.t.Check(st.Script(ctx, packets), "send RTP")
	s.taken = len(st.Sent())
}

// Bye ends the recording session.
func (a *Audio) Bye(ctx context.Context) {
	m, err := a.dialog.Bye(ctx, src.Request{})
	a.t.Check(err, "BYE")
	a.t.Status(m, 200)
	a.over = true
}

// Stored ends the recording session, waits for its files and fails unless everything that
// has to be kept is in them, once in a channel, and nothing else that was said is.
func (a *Audio) Stored(ctx context.Context) *observe.Found {
	if !a.over {
		a.Bye(ctx)
	}
	r := observe.Recorded{CallID: a.dialog.CallID(), Began: a.began}
	for _, s := range a.speakers {
		r.Parties = append(r.Parties, observe.Party{Name: s.name, Parts: s.parts})
	}
	found, err := a.t.target.Observer.Look(ctx, r)
	a.t.Check(err, "look at the files")
	a.t.Figure("from BYE to files", found.Took.Round(time.Millisecond).String())
	a.t.Judge(found.Complete())
	return found
}

// Judge fails for each problem.
func (t *T) Judge(problems []string) {
	for _, p := range problems {
		t.Errorf("%s", p)
	}
}
