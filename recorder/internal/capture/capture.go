// Package capture keeps encoded payloads with their timing on disk, one
// append-only file for each recording and recording session. Pages are written
// behind the caller's back; a torn last page is cut off when the file is read.
package capture

import "time"

// A Packet is one RTP packet as it is kept. Payload is valid during the call
// that takes or gives it.
type Packet struct {
	Stream      int           // number of the stream within the recording
	Arrival     time.Duration // since the capture's zero
	SSRC        uint32
	Timestamp   uint32
	Sequence    uint16
	PayloadType uint8
	Marker      bool
	Payload     []byte
}
