// Package body splits SIP bodies into their parts (RFC 2046, RFC 5621) as real
// devices write them.
package body
