package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/recorder/metrics"
	"github.com/siprecd/siprecd/recorder/store"
)

func (s *settings) validateMetrics() error {
	switch {
	case s.Metrics == "" && len(s.MetricsAccept) > 0:
		return errors.New("metrics-accept: there are no metrics to be read (--metrics ADDRESS)")
	case s.Metrics == "":
		return nil
	}
	_, port, err := net.SplitHostPort(s.Metrics)
	if err != nil {
		return fmt.Errorf("metrics: %q is not host:port: %w", s.Metrics, err)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("metrics: %q has no port from 0 to 65535", s.Metrics)
	}
	return nil
}

// checkMetricsReach refuses metrics that other machines reach when nothing says which.
func (s *settings) checkMetricsReach(ctx context.Context, find lookup) error {
	if s.Metrics == "" || len(s.MetricsAccept) > 0 {
		return nil
	}
	local, err := onlyLoopback(ctx, find, s.Metrics)
	if err != nil {
		return fmt.Errorf("metrics %s: %w", s.Metrics, err)
	}
	if !local {
		return usagef("metrics %s can be reached from other machines, but nothing says which may read them: "+
			"name them (--metrics-accept 192.0.2.0/24), let everybody (--metrics-accept %s), or listen on loopback", s.Metrics, anyNetwork)
	}
	return nil
}

// A measuring is what counts and shows how a server does. A nil one does not.
type measuring struct {
	meter  *metrics.Meter
	server *metrics.Server
}

// listenMetrics binds the address of the metrics; nil when there are to be none.
// Nothing is answered before it serves.
func (s settings) listenMetrics(log *zap.Logger) (*measuring, error) {
	if s.Metrics == "" {
		return nil, nil
	}
	from := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	if len(s.MetricsAccept) > 0 {
		from = nil
	}
	for _, n := range s.MetricsAccept {
		from = slices.Concat(from, n.prefixes)
	}
	m := &measuring{meter: metrics.New(version())}
	var err error
	if m.server, err = metrics.Listen(s.Metrics, from, m.meter, log); err != nil {
		return nil, err
	}
	return m, nil
}

// notify takes notices beside who else does.
func (m *measuring) notify(next func(recorder.Notice)) func(recorder.Notice) {
	switch {
	case m == nil:
		return next
	case next == nil:
		return m.meter.Notice
	}
	return func(n recorder.Notice) {
		m.meter.Notice(n)
		next(n)
	}
}

// finalised is what the recorder calls; nil without metrics.
func (m *measuring) finalised() func(store.Manifest, time.Duration) {
	if m == nil {
		return nil
	}
	return m.meter.Finalised
}

// serve begins to answer.
func (m *measuring) serve(running *server) {
	if m == nil {
		return
	}
	from := metrics.Sources{Server: running.sip.Figures, Recorder: running.recorder.Figures}
	if running.told != nil {
		from.Webhook = running.told.Figures
	}
	m.meter.Watch(from)
	m.server.Serve()
}

// address is where it listens; empty when it is none.
func (m *measuring) address() string {
	if m == nil {
		return ""
	}
	return m.server.Address()
}

// close ends it.
func (m *measuring) close(ctx context.Context) error {
	if m == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	if err := m.server.Close(ctx); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	return nil
}
