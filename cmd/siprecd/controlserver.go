package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder/control"
)

// closeTime is how long the control interface waits for answers when the server stops.
const closeTime = 5 * time.Second

// A commanding is the control interface of a server. A nil one is none.
type commanding struct {
	server      *control.Server
	handler     *control.Handler     // nil before it serves
	tokens      *control.Tokens      // at the start
	certificate *control.Certificate // nil without TLS
	settings    settings
}

func (s *settings) validateControl() error {
	switch {
	case s.Control == "" && s.ControlTokens+s.ControlCert+s.ControlKey != "":
		return errors.New("control-tokens, control-cert and control-key: there is no control interface (--control ADDRESS)")
	case s.Control == "":
		return nil
	case s.ControlTokens == "":
		return errors.New("control: nothing says who may command (--control-tokens FILE)")
	case (s.ControlCert == "") != (s.ControlKey == ""):
		return errors.New("control-cert: TLS needs it, and its control-key")
	}
	_, port, err := net.SplitHostPort(s.Control)
	if err != nil {
		return fmt.Errorf("control: %q is not host:port: %w", s.Control, err)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("control: %q has no port from 0 to 65535", s.Control)
	}
	return nil
}

// checkControlReach refuses a control interface that other machines reach in the clear:
// tokens and names of people would be read on the way.
func (s *settings) checkControlReach(ctx context.Context, find lookup) error {
	if s.Control == "" || s.ControlCert != "" {
		return nil
	}
	local, err := onlyLoopback(ctx, find, s.Control)
	if err != nil {
		return fmt.Errorf("control %s: %w", s.Control, err)
	}
	if !local {
		return usagef("control %s can be reached from other machines, but there is no certificate: "+
			"name one (--control-cert FILE --control-key FILE), or listen on loopback", s.Control)
	}
	return nil
}

// listenControl binds the control interface and reads who may command; nil when there
// is to be none. Nothing is answered before it serves.
func (s settings) listenControl(log *zap.Logger) (*commanding, error) {
	if s.Control == "" {
		return nil, nil
	}
	c := &commanding{settings: s}
	var err error
	if c.tokens, err = control.ReadTokens(s.ControlTokens); err != nil {
		return nil, err
	}
	if s.ControlCert != "" {
		if c.certificate, err = control.LoadCertificate(s.ControlCert, s.ControlKey); err != nil {
			return nil, err
		}
	}
	if c.server, err = control.Listen(s.Control, c.certificate, log); err != nil {
		return nil, err
	}
	return c, nil
}

// serve begins to answer.
func (c *commanding) serve(cfg control.Config) {
	if c == nil {
		return
	}
	cfg.Tokens = c.tokens
	c.handler = control.New(cfg)
	c.server.Serve(c.handler)
}

// address is where it listens; empty when it is none.
func (c *commanding) address() string {
	if c == nil {
		return ""
	}
	return c.server.Address()
}

// reload reads tokens and certificate again. Each that cannot be used stays as it was.
func (c *commanding) reload(log *zap.Logger) {
	if c == nil {
		return
	}
	if tokens, err := control.ReadTokens(c.settings.ControlTokens); err != nil {
		log.Error("control tokens stay as they were: the file cannot be used", zap.Error(err))
	} else {
		c.handler.SetTokens(tokens)
		log.Info("control tokens in force for requests from now on", zap.String("file", c.settings.ControlTokens), zap.Int("tokens", tokens.Len()))
	}
	if c.certificate == nil {
		return
	}
	if err := c.certificate.Reload(); err != nil {
		log.Error("control certificate stays as it was: the files cannot be used", zap.Error(err))
		return
	}
	log.Info("control certificate in force for connections from now on", zap.String("file", c.settings.ControlCert))
}

// close ends it once nothing is left to be commanded.
func (c *commanding) close(ctx context.Context) error {
	if c == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	if err := c.server.Close(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("control: %w", err)
	}
	return nil
}
