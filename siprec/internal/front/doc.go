// Package front stands before the SIP stack: it owns the sockets, frames and
// repairs messages, limits them, answers 400 itself to what cannot be parsed,
// and hands parsed messages on in the order in which they arrived.
package front
