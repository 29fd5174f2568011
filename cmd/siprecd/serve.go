package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"syscall"

	"go.uber.org/zap"
)

type serveCommand struct {
	Config   configFile `help:"YAML file; its keys are the names of the flags (siprecd config prints one)." env:"SIPRECD_CONFIG" placeholder:"FILE"`
	settings `embed:""`
}

// Run records until SIGTERM or SIGINT. It says on standard output where it
// listens, one "listening NETWORK ADDRESS" line for each, and then "ready".
func (c *serveCommand) Run(ctx context.Context, out streams) error {
	if err := c.checkReach(ctx, lookupHost); err != nil {
		return err
	}
	if err := c.checkControlReach(ctx, lookupHost); err != nil {
		return err
	}
	if err := c.checkMetricsReach(ctx, lookupHost); err != nil {
		return err
	}
	log, err := newLogger(out.stderr, c.LogLevel, c.LogFormat)
	if err != nil {
		return usageError{err}
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	defer signal.Stop(signals)
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGHUP)
	defer signal.Stop(again)

	defer limitHeap()()
	raiseDescriptors(log, c.MaxRecordingSessions)
	running, err := start(c.settings, log)
	if err != nil {
		return err
	}
	warnOpen(log, c.settings)
	for _, e := range running.sip.Endpoints() {
		fmt.Fprintln(out.stdout, "listening", e.Network, e.Address)
	}
	if at := running.control.address(); at != "" {
		fmt.Fprintln(out.stdout, "listening control", at)
	}
	if at := running.measured.address(); at != "" {
		fmt.Fprintln(out.stdout, "listening metrics", at)
	}
	fmt.Fprintln(out.stdout, "ready")

	if err := c.wait(ctx, running, log, signals, again); err != nil {
		return err
	}
	if err := c.drain(ctx, running, log, signals); err != nil {
		return err
	}
	log.Info("stopped: all files are finished")
	return nil
}

// wait returns when the server is to stop. SIGHUP has it read its files
// again.
func (c *serveCommand) wait(ctx context.Context, running *server, log *zap.Logger, signals, again <-chan os.Signal) error {
	for {
		select {
		case <-again:
			c.reload(running, log)
		case <-running.served:
			err := running.stop(ctx)
			return fmt.Errorf("the server ended unasked: %w", err)
		case sig := <-signals:
			log.Info("stopping: recording sessions may end by themselves",
				zap.Stringer("signal", sig), zap.Duration("drain", c.Drain), zap.Int("recording_sessions", running.sip.Up()))
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// reload reads certificates, SRCs, tokens, secrets and the policy again. Each that cannot be used
// stays as it was, whatever becomes of the others.
func (c *serveCommand) reload(running *server, log *zap.Logger) {
	if running.tls != nil {
		if err := running.tls.Reload(); err != nil {
			log.Error("certificate stays as it was: the files cannot be used", zap.Error(err))
		} else {
			log.Info("certificate in force for connections from now on", zap.String("file", c.TLSCertificate))
		}
	}
	if c.SRCs != "" {
		if err := running.admitted.reload(); err != nil {
			log.Error("SRCs stay as they were: the file cannot be used", zap.Error(err))
		} else {
			log.Info("SRCs in force for INVITEs from now on", zap.String("file", c.SRCs))
			if running.rulebook != nil {
				running.rulebook.TakeSignals(running.admitted.facts()...)
			}
		}
	}
	running.control.reload(log)
	if running.told != nil {
		running.told.reload(c.WebhookSecret, log)
	}
	switch {
	case running.rulebook != nil:
	case running.tls == nil && c.SRCs == "" && running.control == nil && running.told == nil:
		log.Info("SIGHUP: there is no file to read again")
		return
	default:
		return
	}
	if err := reloadRulebook(running.rulebook, c.settings, log); err != nil {
		log.Error("policy stays as it was: the files cannot be used", zap.Error(err))
	}
}

// drain stops the server. A second signal cuts the drain time short; a third one
// finds no handler and kills the process.
func (c *serveCommand) drain(ctx context.Context, running *server, log *zap.Logger, signals chan os.Signal) error {
	drained, cancel := context.WithTimeout(ctx, c.Drain)
	defer cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- running.stop(drained) }()
	select {
	case err := <-stopped:
		return err
	case <-signals:
		signal.Stop(signals)
		log.Info("in a hurry: ending the recording sessions that are left")
		cancel()
		return <-stopped
	}
}

// warnOpen says loudly what an operator may not be aware of.
func warnOpen(log *zap.Logger, s settings) {
	if s.Policy == "" {
		log.Warn("records everything (no policy file)")
	}
	if s.acceptsAny() {
		log.Warn("accept: any lets every machine that reaches this one record here")
	}
}

func lookupHost(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}
