package load

import (
	"fmt"
	"time"
)

// A Gauge is what a process uses at an instant.
type Gauge struct {
	CPU         time.Duration `json:"cpu_ns"`    // since it began
	RSS         int64         `json:"rss_bytes"` // resident memory
	Descriptors int           `json:"descriptors"`
}

// A Mark is a gauge with its place in the run.
type Mark struct {
	At string `json:"at"`
	Gauge
}

// Kernel counts, for the whole machine, UDP datagrams that were lost at sockets.
type Kernel struct {
	ReceiveBuffer int64 `json:"receive_buffer_full"` // RcvbufErrors in /proc/net/snmp
	SendBuffer    int64 `json:"send_buffer_full"`    // SndbufErrors
	NoPort        int64 `json:"no_port"`             // NoPorts; udpNoPorts in RFC 4113
}

func (k Kernel) since(before Kernel) *Kernel {
	return &Kernel{k.ReceiveBuffer - before.ReceiveBuffer, k.SendBuffer - before.SendBuffer, k.NoPort - before.NoPort}
}

// A meter measures a process at the turns of a run. Without a process it does
// nothing.
type meter struct {
	pid    int
	marks  []Mark
	steady int64 // packets between "up" and "held" that were not dropped on the way
	err    error
}

func newMeter(pid int) (*meter, error) {
	m := &meter{pid: pid}
	if pid == 0 {
		return m, nil
	}
	_, err := gauge(pid)
	return m, err
}

func (m *meter) mark(at string) {
	if m.pid == 0 {
		return
	}
	g, err := gauge(m.pid)
	if err != nil {
		m.err = fmt.Errorf("%s: %w", at, err)
		return
	}
	m.marks = append(m.marks, Mark{at, g})
}

func (m *meter) at(name string) (Gauge, bool) {
	for _, k := range m.marks {
		if k.At == name {
			return k.Gauge, true
		}
	}
	return Gauge{}, false
}

// Server is what the process of the server used.
type Server struct {
	// Steady is the processor time for each packet that the kernel did not drop,
	// while all recording sessions were up, in us; 0 when calls follow each other.
	Steady float64 `json:"cpu_us_per_packet"`
	// Whole is the processor time of the whole run, set-up, recording, end and files,
	// for each packet that is in a file, or that was sent when no file was looked at.
	Whole float64 `json:"cpu_us_per_packet_with_files"`
	// Memory is what each recording session added to the resident memory, in KiB,
	// when they had been held; 0 when calls follow each other.
	Memory      float64 `json:"memory_kib_per_call"`
	Descriptors int     `json:"descriptors"` // the most that were open at a mark
	Marks       []Mark  `json:"marks"`
	Problem     string  `json:"problem,omitempty"`
}

// result is nil without a process.
func (m *meter) result(r *runner) *Server {
	if m.pid == 0 {
		return nil
	}
	out := &Server{Marks: m.marks}
	if m.err != nil {
		out.Problem = m.err.Error()
	}
	for _, k := range m.marks {
		out.Descriptors = max(out.Descriptors, k.Descriptors)
	}
	before, a := m.at("before")
	up, b := m.at("up")
	held, c := m.at("held")
	end, d := m.at("files finished")
	packets := r.report.Sending.Packets
	if r.report.Files != nil {
		packets = int64(r.report.Files.Present)
	}
	if a && d && packets > 0 {
		out.Whole = microseconds(end.CPU-before.CPU) / float64(packets)
	}
	if b && c && m.steady > 0 {
		out.Steady = microseconds(held.CPU-up.CPU) / float64(m.steady)
	}
	if a && c {
		out.Memory = float64(held.RSS-before.RSS) / 1024 / float64(r.cfg.calls())
	}
	return out
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
