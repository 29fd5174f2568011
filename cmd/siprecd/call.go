package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/siprecd/siprecd/conformance/src"
)

type callCommand struct {
	Files     []string  `arg:"" name:"wav" help:"One WAV file for each speaker, 16 bit PCM of any rate; one or two."`
	To        sipTarget `required:"" help:"The server: sip:host or sip:host:port, with ;transport=tcp or ;transport=tls if need be, or sips:host for TLS." placeholder:"URI"`
	Transport string    `help:"Transport for SIP: udp, tcp or tls. When empty, the one that the URI asks for, or udp." enum:"udp,tcp,tls," default:""`

	TLSCertificate string `name:"tls-certificate" help:"Certificate to show on TLS, PEM, with --tls-key." placeholder:"FILE"`
	TLSKey         string `name:"tls-key" help:"Private key of the certificate, PEM." placeholder:"FILE"`
	TLSCA          string `name:"tls-ca" help:"Authorities that the certificate of the server may be of, PEM. When empty, those of the system." placeholder:"FILE"`

	Codec string `help:"Codec for RTP: pcmu or pcma." enum:"pcmu,pcma" default:"pcmu"`
	SRTP  string `name:"srtp" help:"Encrypt RTP by this suite: ${enum}." enum:"none,AES_CM_128_HMAC_SHA1_80,AES_CM_128_HMAC_SHA1_32,AEAD_AES_128_GCM,AEAD_AES_256_GCM" default:"none" placeholder:"SUITE"`
}

// Validate refuses more speakers than a conversation of two has.
func (c *callCommand) Validate() error {
	if len(c.Files) > 2 {
		return fmt.Errorf("%d WAV files, at most two speakers can be played", len(c.Files))
	}
	if c.Transport != "" && c.To.transport != "" && c.Transport != c.To.transport {
		return fmt.Errorf("--transport %s, but %s asks for %s", c.Transport, c.To.uri, c.To.transport)
	}
	if c.transport() != "tls" && c.TLSCertificate+c.TLSKey+c.TLSCA != "" {
		return fmt.Errorf("--tls-certificate, --tls-key and --tls-ca are for TLS: --transport tls, or a sips URI")
	}
	if (c.TLSCertificate == "") != (c.TLSKey == "") {
		return fmt.Errorf("--tls-certificate and --tls-key belong together")
	}
	return nil
}

// transport is the one to use (RFC 3263 §4.1, without a look into the DNS).
func (c *callCommand) transport() string { return cmp.Or(c.Transport, c.To.transport, "udp") }

// address is where to send, host:port; without a port in the URI the default one
// (RFC 3261 §19.1.2).
func (c *callCommand) address() string {
	port := c.To.port
	switch {
	case port == "" && c.transport() == "tls":
		port = "5061"
	case port == "":
		port = "5060"
	}
	return net.JoinHostPort(c.To.host, port)
}

// tls is what the client shows and believes on TLS.
func (c *callCommand) tls() (*tls.Config, error) {
	if c.transport() != "tls" {
		return nil, nil
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.TLSCertificate != "" {
		cert, err := tls.LoadX509KeyPair(c.TLSCertificate, c.TLSKey)
		if err != nil {
			return nil, err
		}
		cfg.Certificates = []tls.Certificate{cert}
	}
	if c.TLSCA != "" {
		text, err := os.ReadFile(c.TLSCA)
		if err != nil {
			return nil, err
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s holds no certificate", c.TLSCA)
		}
	}
	return cfg, nil
}

// Run plays the files as one recording session. An interrupt hangs up.
func (c *callCommand) Run(ctx context.Context, out streams) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	secure, err := c.tls()
	if err != nil {
		return err
	}
	codec := src.PCMU()
	if c.Codec == "pcma" {
		codec = src.PCMA()
	}
	var speakers []speaker
	for _, file := range c.Files {
		voice, err := src.WAV(file)
		if err != nil {
			return err
		}
		if voice.Samples(0, make([]int16, 1)) == 0 {
			return fmt.Errorf("%s has no audio", file)
		}
		name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		speakers = append(speakers, speaker{aor: "sip:" + userPart(name) + "@siprecd.invalid", name: name, codec: codec, voice: voice})
	}
	fmt.Fprintf(out.stdout, "calling %s over %s\n", c.To.uri, c.transport())
	_, err = performance{
		client:   src.Config{Target: c.address(), Transport: c.transport(), TLS: secure, UserAgent: "siprecd-call/" + version()},
		uri:      c.To.uri,
		speakers: speakers,
		suite:    strings.TrimPrefix(c.SRTP, "none"),
		progress: func(format string, args ...any) { fmt.Fprintf(out.stdout, format+"\n", args...) },
	}.play(ctx)
	return err
}

// userPart makes the user part of a SIP URI of any text: what RFC 3261 §25.1 calls
// unreserved stays, the rest becomes a dash.
func userPart(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune("-_.!~*'()", r):
			return r
		}
		return '-'
	}, text)
}

// A sipTarget is a server to send to.
type sipTarget struct {
	uri        string // as given
	host, port string // the port may be empty
	transport  string // that the URI asks for: udp, tcp or tls; may be empty
}

// UnmarshalText reads a sip or sips URI, with or without a user part and port. Of its
// parameters only transport counts here; all go into the Request-URI.
func (t *sipTarget) UnmarshalText(text []byte) error {
	wrong := fmt.Errorf("%q is not sip:host or sip:host:port, nor the same with sips", text)
	t.uri = string(text)
	scheme, rest, _ := strings.Cut(t.uri, ":")
	secure := strings.EqualFold(scheme, "sips")
	if i := strings.LastIndex(rest, "@"); i >= 0 {
		rest = rest[i+1:]
	}
	hostport, params, _ := strings.Cut(rest, ";")
	if !secure && !strings.EqualFold(scheme, "sip") || hostport == "" || strings.ContainsAny(t.uri, "?/<> ") {
		return wrong
	}
	var err error
	if t.host, t.port, err = net.SplitHostPort(hostport); err != nil {
		t.host, t.port = strings.Trim(hostport, "[]"), ""
	}
	for param := range strings.SplitSeq(params, ";") {
		if name, value, _ := strings.Cut(param, "="); strings.EqualFold(name, "transport") {
			t.transport = strings.ToLower(value)
		}
	}
	switch {
	case !slices.Contains([]string{"", "udp", "tcp", "tls"}, t.transport):
		return fmt.Errorf("transport %q in %q is neither udp, tcp nor tls", t.transport, text)
	case secure && t.transport == "udp":
		return fmt.Errorf("%q asks for TLS and for UDP", text)
	case secure: // transport=tcp is what TLS is over (RFC 3261 §26.2.2)
		t.transport = "tls"
	}
	return nil
}
