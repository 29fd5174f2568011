// Package observe looks from outside into the WAV files that a Session Recording
// Server (RFC 7866) wrote: are they what was sent, whose, and when?
//
// Files are told apart by what is heard in them, not by their names: each voice that is
// sent is noise that says in each packet of 20 ms whose it is and which packet.
package observe
