//go:build !linux

package media

// newSweeper has no way to sweep on this system.
func newSweeper(p *Plane) socketReader { return simpleReader{p} }
