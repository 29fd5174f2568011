// Package load puts a Session Recording Server under load: many recording sessions
// (RFC 7866) at a time with PCMU (RFC 3551), and after them a look for each packet
// that was sent in the files that the server made. It shares nothing with any server.
//
// Packets are told apart by what they sound like: each begins with a mark, the
// numbers of the run, of its stream and of itself, and goes on with a piece of one
// long sequence of code words. So a packet is found in any WAV file of 16-bit or
// mu-law samples at 8 kHz, wherever it stands in it and whatever the file is called.
//
// The generator watches itself. When it was later than [UsuallyLate] and [MaxLate]
// allow, or could not send what it wanted, the outcome is an error and never a failure of the
// server.
package load
