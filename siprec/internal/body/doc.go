// Package body splits SIP bodies into their parts (RFC 2046, RFC 5621) as real
// devices write them, and writes those that a recording server sends.
//
// A request of an SRC carries its session description and its metadata as body
// parts of one multipart/mixed body (RFC 7866 §9.1). Devices quote the boundary
// or not, name another one than they use, forget the closing delimiter or the
// blank line after the part headers. [Split] reads all of that and says what
// was odd; it fails only when nothing can be said about the body.
package body
