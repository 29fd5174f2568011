// Package render turns a capture into WAV files: one for each track, all on one
// timeline, with silence of the same length where audio was lost or withheld.
package render

import "time"

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
	ID      int // Packet.Stream
	Formats []Format
	// Permitted are the intervals in which it may be heard, in order and
	// without overlap. The rest is silence, whatever the capture holds.
	Permitted []Interval
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
	Dir     string // where the files go
	// Timeline runs from the first to the last permitted instant on any stream;
	// every file has this length.
	Timeline Interval
	Streams  []Stream
	Tracks   []Track
}

// A Gap is a part of the timeline that is silent for a reason.
type Gap struct {
	Interval
	Cause string // lost, withheld, late-start, no-packets, undecodable
}

// A StreamResult is what was found of a stream.
type StreamResult struct {
	ID int
	// Received counts packets of the stream that are in the capture without
	// duplicates; Lost those that its sequence numbers miss, Late those that
	// came after a later one, Duplicate those that came again (RFC 3550 A.1, A.3).
	Received, Lost, Late, Duplicate uint64
	// Epochs counts the SSRCs and restarts seen.
	Epochs int
	// First and Last are the arrivals of its first and last packet.
	First, Last time.Duration
	Codecs      []string // names of the formats in which packets came
	Undecoded   []string // those that could not be decoded
	Gaps        []Gap
}

// A TrackResult is what was written.
type TrackResult struct {
	File    string
	Rate    int   // Hz
	Samples int64 // per channel
	SHA256  string
	// Heard is false when no source of the track had a decodable packet; then
	// there is no file.
	Heard bool
}

// A Result is what a Job came to.
type Result struct {
	Tracks  []TrackResult
	Streams []StreamResult
}
