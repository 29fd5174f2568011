package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/siprec"
)

// Sources are who is asked for what holds now.
type Sources struct {
	Server   func() siprec.Figures
	Recorder func() recorder.Figures
	// Webhook are the notices that wait, and those that were given up; nil without one.
	Webhook func() (waiting int, givenUp uint64)
}

// A now is what is asked for when somebody reads.
type now struct {
	from Sources

	up, accepted, refused, live, finalising *prometheus.Desc
	failing, held, most, dropped            *prometheus.Desc
	waiting, givenUp                        *prometheus.Desc
}

func newNow(s Sources) *now {
	d := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("siprecd_"+name, help, labels, nil)
	}
	return &now{
		from:       s,
		up:         d("recording_sessions", "Recording sessions (RFC 7866) that are up."),
		accepted:   d("invites_accepted_total", "Initial INVITEs that were answered 200, by name of the SRC.", "src"),
		refused:    d("invites_refused_total", "Initial INVITEs that were answered otherwise, by status and reason.", "status", "reason"),
		live:       d("interactions", "Interactions that are live."),
		finalising: d("finalise_queue", "Recordings that have ended and whose files are being made, or wait for it."),
		failing:    d("disk_failing", "1 while the disk for recordings fails or does not keep up, else 0."),
		held:       d("page_memory_bytes", "Memory for audio that waits to be written."),
		most:       d("page_memory_limit_bytes", "What that may be."),
		dropped:    d("page_packets_dropped_total", "Permitted RTP packets that were lost since there was no such memory."),
		waiting:    d("webhook_queue", "Notices that wait to be delivered."),
		givenUp:    d("webhook_given_up_total", "Notices that were given up."),
	}
}

// Describe is part of [prometheus.Collector].
func (n *now) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		n.up, n.accepted, n.refused, n.live, n.finalising, n.failing, n.held, n.most, n.dropped, n.waiting, n.givenUp,
	} {
		to <- d
	}
}

// Collect is part of [prometheus.Collector].
func (n *now) Collect(to chan<- prometheus.Metric) {
	say := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	s := n.from.Server()
	say(n.up, prometheus.GaugeValue, float64(s.Up))
	for src, count := range s.Accepted {
		say(n.accepted, prometheus.CounterValue, float64(count), src)
	}
	for refused, count := range s.Refused {
		say(n.refused, prometheus.CounterValue, float64(count), strconv.Itoa(refused.Status), string(refused.Reason))
	}
	r := n.from.Recorder()
	say(n.live, prometheus.GaugeValue, float64(r.Interactions))
	say(n.finalising, prometheus.GaugeValue, float64(r.Finalising))
	failing := 0.0
	if r.DiskFailing {
		failing = 1
	}
	say(n.failing, prometheus.GaugeValue, failing)
	say(n.held, prometheus.GaugeValue, float64(r.PageMemory))
	say(n.most, prometheus.GaugeValue, float64(r.PageMemoryMost))
	say(n.dropped, prometheus.CounterValue, float64(r.Dropped))
	if n.from.Webhook != nil {
		waiting, givenUp := n.from.Webhook()
		say(n.waiting, prometheus.GaugeValue, float64(waiting))
		say(n.givenUp, prometheus.CounterValue, float64(givenUp))
	}
}
