// Package floor is the least that a recorder can do: it receives datagrams on many
// sockets and appends them to files. It keeps no order, knows no RTP and writes no
// audio. What it costs for each packet is the floor below which no recorder of that
// form comes, and what the figures of a server are compared with.
package floor

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"time"
)

// Config says what to receive.
type Config struct {
	Sockets int           // on free ports, 1 or more
	Address netip.Addr    // where they are opened
	Dir     string        // folder for the files, which stay
	Files   int           // sockets that share a file, 1 or more
	Sweep   time.Duration // from one reading of all sockets to the next, above 0
	Threads int           // that share the sockets, 1 or more
}

func (c Config) check() error {
	if c.Sockets < 1 || c.Files < 1 || c.Threads < 1 || c.Sweep <= 0 || !c.Address.IsValid() {
		return fmt.Errorf("%d sockets, %d for a file, %d threads, sweep %v, address %v", c.Sockets, c.Files, c.Threads, c.Sweep, c.Address)
	}
	return nil
}

// Run opens the sockets, says "port N" for each and then "ready", and receives until
// in ends or the context does. Then it reads what has come, writes all and says
// "received N", the number of datagrams. It works on Linux only.
func Run(ctx context.Context, c Config, in io.Reader, out io.Writer) error {
	if err := c.check(); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		// An input that cannot be read has ended.
		_, _ = io.Copy(io.Discard, in)
		stop()
	}()
	return run(ctx, c, out)
}
