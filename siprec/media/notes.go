package media

import "time"

// notes are what the kernel says of a datagram beside its octets.
type notes struct {
	stamp   time.Duration // when it arrived, since 1970, by the wall clock
	dropped uint32        // datagrams that its socket lost so far for want of room
	// stamped and counted say that the two above were said.
	stamped, counted bool
}
