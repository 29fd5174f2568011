// Package render turns a capture into WAV files: one for each track, all on one
// timeline, with silence of the same length where audio was lost or withheld.
//
// [Run] reads the capture once to learn its streams and once more for each
// stream of each track to write it, so that memory does not grow with length: a
// [Bench] keeps what is opened of short ones between the readings.
// Both go through the same steps:
//
//   - lineup and order put the packets of each SSRC in sequence (RFC 3550 §A.1);
//   - timing divides them into epochs, in each of which RTP time runs evenly;
//   - survey learns each epoch's D, the smallest (arrival - RTP time);
//   - schedule places epochs on the timeline, and line the samples in them.
//
// Within an epoch a sample's place follows its RTP timestamp exactly; D is rounded to the
// output's samples once. A clock that drifts by more than 20 ms is corrected in steps.
package render

import (
	"time"

	"github.com/siprecd/siprecd/recorder/codec"
	"github.com/siprecd/siprecd/recorder/internal/capture"
)

// All times are since the capture's zero.

// An Interval is half open: From is in it, To is not.
type Interval struct{ From, To time.Duration }

// A Format says how a payload type of a stream is encoded from an instant on.
type Format struct {
	From        time.Duration
	PayloadType uint8
	Name        string // encoding name in upper case: PCMU, PCMA, L16 ...
	ClockRate   int    // Hz
	Channels    int
	Params      string // a=fmtp
}

// A Stream is one captured stream.
type Stream struct {
	ID int // Packet.Stream
	// Formats may be in any order. A packet is of the latest format of its
	// payload type that begins before it arrives, else of the earliest, else of
	// the static assignment of RFC 3551 §6.
	Formats []Format
	// Permitted are the intervals in which it may be heard, in order and
	// without overlap. A packet that begins in one is heard to its end, for at
	// most 200 ms: it was spoken before it was sent. The rest is silence,
	// whatever the capture holds.
	Permitted []Interval
	// Ends are those of Permitted that ended because the stream was over: what
	// arrives up to half a second later belongs to them. At every other end the
	// arrival decides too, for the clock of a sender may be behind.
	Ends []time.Duration
	// FromStart says that nothing of the recording was withheld before the first
	// of Permitted: a packet that came in it is heard from its begin, even when
	// the quicker ones after it show that it was sent a little earlier.
	FromStart bool
}

// A Source is a part of a stream that belongs to a track.
type Source struct {
	Stream int
	Interval
}

// A Track is one file to be made.
type Track struct {
	File    string // name within Job.Dir
	Sources []Source
}

// A Job is one recording to be finalised.
type Job struct {
	Capture string // path
	// Secret opens the capture. Its key seals tracks whose File says that they are
	// sealed.
	Secret capture.Secret `json:"-"`
	Dir    string         // where the files go
	// Timeline runs from the first to the last permitted instant on any stream;
	// every file spans it, and as much more as the last packets that begin in it
	// reach beyond it, or the first ones before it (see Stream).
	Timeline Interval
	Streams  []Stream
	Tracks   []Track
	// OmitGaps leaves out of a file what is silent for a reason; see TrackResult.Map.
	OmitGaps bool
	// FFmpeg decodes what package codec does not; nil for none.
	FFmpeg *codec.FFmpeg `json:"-"`

	// Bench lends memory to work with; nil for none.
	Bench *Bench `json:"-"`

	riff int64      // the largest RIFF file, in tests; 0 for maxRIFF
	work *workspace // set by Run
}

// largest is the size beyond which a file becomes RF64.
func (job *Job) largest() int64 {
	if job.riff > 0 {
		return job.riff
	}
	return maxRIFF
}

// Causes of a [Gap].
const (
	// CauseLost: sequence numbers and RTP time are both missing.
	CauseLost = "lost"
	// CauseWithheld: the stream was not permitted, or lost its edge with that.
	CauseWithheld = "withheld"
	// CauseLateStart: permitted, but the first packet of the stream came later.
	CauseLateStart = "late-start"
	// CauseNoPackets: permitted, but nothing came in the whole interval, between
	// two epochs, or after the last packet for half a second or more.
	CauseNoPackets = "no-packets"
	// CauseUndecodable: packets came in an encoding that cannot be decoded.
	CauseUndecodable = "undecodable"
)

// A Gap is a part of the timeline that is silent for a reason. Pauses of a sender
// that suppresses silence are no gaps.
type Gap struct {
	Interval
	Cause string
}

// A StreamResult is what was found of a stream.
type StreamResult struct {
	ID int
	// Received counts packets of the stream that are in the capture without
	// duplicates; Lost those that its sequence numbers miss, Late those that
	// came after a later one, Duplicate those that came again (RFC 3550 A.1, A.3).
	//
	// Lost leaves out what was withheld, and what came and was not kept, and counts packets that came later
	// than the reordering window, 512 packets or 2 s, reaches; these are in
	// Received and Late too.
	Received, Lost, Late, Duplicate uint64
	// Epochs counts the SSRCs and restarts seen, up to 4096; Beyond the packets
	// of those that came after, which no file holds.
	Epochs int
	Beyond uint64
	// Jitter is the mean of the interarrival jitter (RFC 3550 §6.4.1) after each
	// packet, PeakJitter its highest value.
	Jitter, PeakJitter time.Duration
	// Sounds says that a sample of it in a file is louder than -50 dB of full scale.
	Sounds bool
	// Drift is by how much of a second a second of the sender's clock is too short, by
	// the arrival of its packets; 0 when that came to 20 ms at most. Corrections are
	// the steps in which it was taken out, in order.
	Drift       float64
	Corrections []Correction
	// Reports is what RTCP sender reports did to the place of the stream.
	Reports Reports
	// First and Last are the arrivals of its first and last packet.
	First, Last time.Duration
	// Digits are those that were pressed, in the order of From, at most 10,000.
	Digits    []Digit
	Codecs    []string // names of the formats in which packets came
	Undecoded []string // those that could not be decoded
	// Failed are those of Undecoded that ffmpeg was given, with what it said.
	Failed []string
	// Gaps are in order and lie within the timeline. Those of different causes
	// may overlap only where epochs do.
	Gaps []Gap
	// MoreGaps counts lost and undecodable parts beyond the first 100,000,
	// which are not in Gaps.
	MoreGaps uint64
}

// A Digit is a telephone event (RFC 4733) that is permitted as a whole: from the key press
// until the arrival of its last packet.
type Digit struct {
	Event    uint8 // its code, 0 to 15
	From     time.Duration
	Duration time.Duration
}

// A TrackResult is what was written.
type TrackResult struct {
	File    string
	Rate    int   // Hz
	Samples int64 // per channel
	SHA256  string
	// Heard is false when no source of the track had a decodable packet within
	// what is permitted; then there is no file.
	Heard bool
	// Map says, with OmitGaps, which parts of the timeline the file holds, one
	// after the other.
	Map []Interval
}

// A Result is what a Job came to.
type Result struct {
	Tracks  []TrackResult
	Streams []StreamResult
	// Timeline is what every file spans.
	Timeline Interval
	// Torn says that the end of the capture was cut off because it was damaged.
	Torn bool
}
