//go:build !linux

package media

// settled does nothing: what was sent over loopback has arrived.
func (s *sender) settled() {}
