// Package metrics shows how a server is doing in the text format of Prometheus: what
// holds now is asked for when somebody reads, what happened is counted when a
// recording is finalised or something is told. A packet costs nothing. Labels name
// accounts and SRCs, and nothing tells of people; docs/metrics.md lists all.
package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/recorder/store"
)

const (
	// mostReaders are answered at a time, and longestRead is for how long one is.
	mostReaders = 4
	longestRead = 10 * time.Second
)

// A Meter counts what it is told. Its methods may be called by many goroutines and do
// not block.
type Meter struct {
	registry *prometheus.Registry

	recordings, streams, oneSided *prometheus.CounterVec
	packets                       *prometheus.CounterVec
	jitter, took                  prometheus.Histogram
	commands, alarms, erased      *prometheus.CounterVec
}

// New makes a Meter; version is that of the program.
func New(version string) *Meter {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "siprecd_" + name, Help: help}, labels)
	}
	histogram := func(name, help string, buckets ...float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: "siprecd_" + name, Help: help, Buckets: buckets})
	}
	m := &Meter{
		registry:   prometheus.NewRegistry(),
		recordings: counter("recordings_finalised_total", "Recordings whose files were made, by account, verdict (ok, partial, silent, lost, void) and maker (policy, user).", "account", "verdict", "maker"),
		streams:    counter("streams_finalised_total", "Streams of those that the policy recorded and that were permitted, by account and verdict.", "account", "verdict"),
		oneSided:   counter("recordings_one_sided_total", "Recordings in which something is heard on some streams and nothing on others.", "account"),
		packets:    counter("rtp_packets_total", "RTP packets of finalised recordings of the policy, by account and what became of them.", "account", "outcome"),
		jitter:     histogram("stream_jitter_seconds", "Mean interarrival jitter (RFC 3550 section 6.4.1) of finalised streams.", .001, .002, .005, .01, .02, .05, .1, .2, .5),
		took:       histogram("finalise_duration_seconds", "Time to make the files of a recording, waiting for its turn included.", .01, .025, .05, .1, .25, .5, 1, 2, 5, 10, 30, 60),
		commands:   counter("commands_total", "Commands to live interactions, by account, action and outcome (done, refused).", "account", "action", "outcome"),
		alarms:     counter("alarms_total", "Alarms that were raised or cleared, by account, name and what happened (raised, cleared).", "account", "alarm", "event"),
		erased:     counter("recordings_erased_total", "Recordings that this server erased, by account and reason (void, retention, command).", "account", "reason"),
	}
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "siprecd_build_info", Help: "1, with the version of the program.", ConstLabels: prometheus.Labels{"version": version},
	}, func() float64 { return 1 })
	m.registry.MustRegister(m.recordings, m.streams, m.oneSided, m.packets, m.jitter, m.took, m.commands, m.alarms, m.erased, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Notice takes what a recorder tells: see [recorder.Config.Notify]. What is told again
// after a crash counts, as the counters of the process before are gone.
func (m *Meter) Notice(n recorder.Notice) {
	switch n.Type {
	case recorder.NoticeCommand:
		outcome := "done"
		if n.Reason != "" {
			outcome = "refused"
		}
		m.commands.WithLabelValues(n.Account, n.Action, outcome).Inc()
	case recorder.NoticeAlarm:
		m.alarms.WithLabelValues(n.Account, n.Alarm, "raised").Inc()
	case recorder.NoticeAlarmCleared:
		m.alarms.WithLabelValues(n.Account, n.Alarm, "cleared").Inc()
	case recorder.NoticeErased:
		m.erased.WithLabelValues(n.Account, n.Reason).Inc()
	}
}

// Finalised takes a recording: see [recorder.Config.Finalised].
func (m *Meter) Finalised(made store.Manifest, took time.Duration) {
	account := ""
	if made.Belonging != nil {
		account = made.Belonging.Account
	}
	verdict, maker := made.Verdict.String(), "policy"
	if made.Void {
		verdict = "void"
	}
	if made.Of != "" {
		maker = "user"
	}
	m.took.Observe(took.Seconds())
	m.recordings.WithLabelValues(account, verdict, maker).Inc()
	if made.Of != "" {
		return // its packets are those of the other
	}
	sounding, mute := false, false
	for i := range made.Streams {
		s := &made.Streams[i]
		m.count(account, s.Packets)
		if s.Quality == nil || len(s.Permitted) == 0 || made.Void {
			continue
		}
		m.streams.WithLabelValues(account, s.Quality.Verdict.String()).Inc()
		sounding, mute = sounding || s.Quality.Sounds, mute || s.Quality.Verdict >= store.Silent
		if s.Packets.Kept > 0 {
			m.jitter.Observe(s.Quality.JitterMS / 1000)
		}
	}
	if sounding && mute {
		m.oneSided.WithLabelValues(account).Inc()
	}
}

// count adds the packets of one stream.
func (m *Meter) count(account string, p store.Packets) {
	for outcome, packets := range map[string]uint64{
		"received": p.Received, "kept": p.Kept, "lost": p.Lost, "late": p.Late, "duplicate": p.Duplicate, "withheld": p.Withheld,
		"event": p.Events, "stranger": p.Strangers, "unauthentic": p.Unauthentic, "replayed": p.Replayed, "overrun": p.Overrun,
	} {
		m.packets.WithLabelValues(account, outcome).Add(float64(packets))
	}
}

// Watch has the meter ask these for what holds when somebody reads. It is called once.
func (m *Meter) Watch(s Sources) { m.registry.MustRegister(newNow(s)) }

// handler answers in the text format.
func (m *Meter) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: mostReaders, Timeout: longestRead})
}
