package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/siprecd/siprecd/conformance/src"
)

type callCommand struct {
	Files     []string  `arg:"" name:"wav" help:"One WAV file for each speaker, 16 bit PCM of any rate; one or two."`
	To        sipTarget `required:"" help:"The server: sip:host or sip:host:port." placeholder:"URI"`
	Transport string    `help:"Transport for SIP: udp, tcp or tls." enum:"udp,tcp,tls" default:"udp"`

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
	if c.Transport != "tls" && c.TLSCertificate+c.TLSKey+c.TLSCA != "" {
		return fmt.Errorf("--tls-certificate, --tls-key and --tls-ca are for --transport tls")
	}
	if (c.TLSCertificate == "") != (c.TLSKey == "") {
		return fmt.Errorf("--tls-certificate and --tls-key belong together")
	}
	return nil
}

// tls is what the client shows and believes on TLS.
func (c *callCommand) tls() (*tls.Config, error) {
	if c.Transport != "tls" {
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
	address := c.To.address
	if c.Transport == "tls" && c.To.noPort {
		address = strings.TrimSuffix(address, ":5060") + ":5061" // RFC 3261 §19.1.2
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
	fmt.Fprintf(out.stdout, "calling %s over %s\n", c.To.uri, c.Transport)
	_, err = performance{
		client:   src.Config{Target: address, Transport: c.Transport, TLS: secure, UserAgent: "siprecd-call/" + version()},
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
	uri     string // as given
	address string // host:port
	noPort  bool   // the port is the default one
}

// UnmarshalText reads sip:host or sip:host:port, with or without a user part.
func (t *sipTarget) UnmarshalText(text []byte) error {
	t.uri = string(text)
	hostport, ok := strings.CutPrefix(t.uri, "sip:")
	if i := strings.LastIndex(hostport, "@"); i >= 0 {
		hostport = hostport[i+1:]
	}
	if !ok || hostport == "" || strings.ContainsAny(hostport, ";?/ ") {
		return fmt.Errorf("%q is not sip:host or sip:host:port", text)
	}
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		// No port: 5060 (RFC 3261 §19.1.2).
		host, port, t.noPort = strings.Trim(hostport, "[]"), "5060", true
	}
	t.address = net.JoinHostPort(host, port)
	return nil
}
