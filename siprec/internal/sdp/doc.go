// Package sdp reads session descriptions as real devices send them (RFC 8866,
// RFC 3264) and writes the answers and offers of a recording server.
package sdp
