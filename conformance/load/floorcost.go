package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// A Floor is the program that the server is compared with: package floor as a
// process. It is what receiving and writing cost when nothing else is done.
type Floor struct {
	// Command is the program with its arguments; it is given further ones: --sockets,
	// the number of sockets, and --address, where to open them. It says "port N" for
	// each and "ready", and when its standard input ends "received N".
	Command  []string
	Duration time.Duration // for which it is measured, above 0
}

// A FloorCost is what the floor program used.
type FloorCost struct {
	CPU      float64 `json:"cpu_us_per_packet"` // while all streams were sent, for each that was received
	Sent     int64   `json:"sent"`              // packets
	Received int64   `json:"received"`
	Seconds  float64 `json:"duration_s"`
	Late     float64 `json:"late_p99_ms"` // of the generator
}

// floor measures the floor program under the load of the run.
func (r *runner) floor(ctx context.Context) (cost *FloorCost, err error) {
	f := r.cfg.Floor
	n := r.cfg.Calls * r.cfg.Streams
	args := append(f.Command[1:len(f.Command):len(f.Command)],
		"--sockets", strconv.Itoa(n), "--address", r.src.Local().Addr().String())
	cmd := exec.CommandContext(ctx, f.Command[0], args...)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var complaint strings.Builder
	cmd.Stderr = &complaint
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	defer func() {
		// Closed twice when all went well.
		_ = in.Close()
		if bad := cmd.Wait(); bad != nil {
			err = errors.Join(err, fmt.Errorf("%w: %s", bad, strings.TrimSpace(complaint.String())))
		}
	}()
	lines := bufio.NewScanner(out)
	ports, err := readPorts(lines, n)
	if err != nil {
		return nil, err
	}
	cost = &FloorCost{Seconds: f.Duration.Seconds()}
	if err := r.fill(ctx, cmd.Process.Pid, ports, cost); err != nil {
		return nil, err
	}
	if err := in.Close(); err != nil {
		return nil, err
	}
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "received "); ok {
			cost.Received, err = strconv.ParseInt(text, 10, 64)
		}
	}
	if cost.Received > 0 {
		cost.CPU *= float64(cost.Sent) / float64(cost.Received)
	}
	_, drained := io.Copy(io.Discard, out)
	return cost, errors.Join(err, lines.Err(), drained)
}

func readPorts(lines *bufio.Scanner, n int) ([]uint16, error) {
	var ports []uint16
	for lines.Scan() && lines.Text() != "ready" {
		text, _ := strings.CutPrefix(lines.Text(), "port ")
		p, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("floor program says %q", lines.Text())
		}
		ports = append(ports, uint16(p))
	}
	if len(ports) != n {
		return nil, fmt.Errorf("%d ports instead of %d", len(ports), n)
	}
	return ports, lines.Err()
}

// fill sends the load, and measures while all streams are sent.
func (r *runner) fill(ctx context.Context, pid int, ports []uint16, cost *FloorCost) error {
	m, err := newMeter(pid)
	if err != nil {
		return err
	}
	if err := r.start(); err != nil {
		return err
	}
	var list []*stream
	for i, port := range ports {
		c := &call{number: i / r.cfg.Streams}
		line := i % r.cfg.Streams
		st := r.newStream(c, line)
		st.to = newAddress(netip.AddrPortFrom(r.src.Local().Addr(), port))
		list = append(list, st)
		r.senderOf(c, line).add(line, st)
	}
	// After a few sweeps all goes its way.
	pause(ctx, min(time.Second, r.cfg.Floor.Duration))
	before := r.sent()
	m.mark("up")
	pause(ctx, r.cfg.Floor.Duration)
	m.mark("held")
	steady := r.sent() - before
	for _, st := range list {
		st.stop.Store(true)
	}
	for _, st := range list {
		<-st.done
	}
	sending := r.stop()
	cost.Sent, cost.Late = sending.Packets, sending.P99MS
	up, a := m.at("up")
	held, b := m.at("held")
	if a && b && steady > 0 {
		cost.CPU = microseconds(held.CPU-up.CPU) / float64(steady)
	}
	return m.err
}
