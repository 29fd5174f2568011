package main

// File descriptors that recording sessions take, and the rest of the server: sockets of
// SIP, logs, files of people who read.
const (
	// Two streams, each with a socket for RTP and one for RTCP, the capture, and one
	// for files that are open for a moment.
	descriptorsForEach = 2*2 + 1 + 1
	descriptorsBeside  = 500
)

// descriptorsFor is how many file descriptors so many recording sessions of two streams
// need.
func descriptorsFor(recordingSessions int) uint64 {
	return uint64(recordingSessions)*descriptorsForEach + descriptorsBeside
}
