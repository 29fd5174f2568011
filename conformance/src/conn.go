package src

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
)

// maxMessage bounds a message from a stream, in octets.
const maxMessage = 4 << 20

// conn is the one socket of an SRC.
type conn struct {
	transport string // "UDP", "TCP" or "TLS", as in Via
	local     netip.AddrPort
	target    netip.AddrPort
	udp       *net.UDPConn
	tcp       net.Conn
	mu        sync.Mutex // one writer at a time on TCP
	once      sync.Once
}

func dial(ctx context.Context, cfg Config) (*conn, error) {
	target, err := resolve(ctx, cfg.Target)
	if err != nil {
		return nil, err
	}
	var local netip.Addr
	if cfg.Local != "" {
		if local, err = netip.ParseAddr(cfg.Local); err != nil {
			return nil, fmt.Errorf("local address: %w", err)
		}
	}
	switch cfg.Transport {
	case "udp":
		return dialUDP(ctx, target, local)
	case "tcp":
		return dialTCP(ctx, target, local)
	case "tls":
		return dialTLS(ctx, cfg, target, local)
	}
	return nil, fmt.Errorf("transport %q is neither udp, tcp nor tls", cfg.Transport)
}

func resolve(ctx context.Context, target string) (netip.AddrPort, error) {
	if ap, err := netip.ParseAddrPort(target); err == nil {
		return ap, nil
	}
	host, port, err := net.SplitHostPort(target)
	if err != nil {
		return netip.AddrPort{}, err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("port %q: %w", port, err)
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if len(ips) == 0 {
		return netip.AddrPort{}, fmt.Errorf("host %q has no address", host)
	}
	return netip.AddrPortFrom(ips[0].Unmap(), uint16(n)), nil
}

// dialUDP takes an unconnected socket: a server that answers from another
// address has to be seen, not filtered by the kernel.
func dialUDP(ctx context.Context, target netip.AddrPort, local netip.Addr) (*conn, error) {
	if !local.IsValid() {
		var d net.Dialer
		probe, err := d.DialContext(ctx, "udp", target.String())
		if err != nil {
			return nil, err
		}
		local = probe.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
		if err := probe.Close(); err != nil {
			return nil, err
		}
	}
	u, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(local, 0)))
	if err != nil {
		return nil, err
	}
	return &conn{transport: "UDP", udp: u, target: target, local: unmap(u.LocalAddr().(*net.UDPAddr).AddrPort())}, nil
}

func dialTCP(ctx context.Context, target netip.AddrPort, local netip.Addr) (*conn, error) {
	var d net.Dialer
	if local.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(local, 0))
	}
	c, err := d.DialContext(ctx, "tcp", target.String())
	if err != nil {
		return nil, err
	}
	return &conn{transport: "TCP", tcp: c, target: target, local: unmap(c.LocalAddr().(*net.TCPAddr).AddrPort())}, nil
}

// dialTLS opens a connection to a server whose certificate names the host of the
// target.
func dialTLS(ctx context.Context, cfg Config, target netip.AddrPort, local netip.Addr) (*conn, error) {
	c, err := dialTCP(ctx, target, local)
	if err != nil {
		return nil, err
	}
	how := cfg.TLS.Clone()
	if how == nil {
		how = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if how.ServerName == "" {
		if how.ServerName, _, err = net.SplitHostPort(cfg.Target); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	secured := tls.Client(c.tcp, how)
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, c.close())
	}
	c.transport, c.tcp = "TLS", secured
	return c, nil
}

func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// reliable says that the transport needs no retransmission (RFC 3261 §17).
func (c *conn) reliable() bool { return c.tcp != nil }

func (c *conn) write(raw []byte) error {
	if c.udp != nil {
		_, err := c.udp.WriteToUDPAddrPort(raw, c.target)
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.tcp.Write(raw)
	return err
}

func (c *conn) close() error {
	var err error
	c.once.Do(func() {
		if c.udp != nil {
			err = c.udp.Close()
			return
		}
		err = c.tcp.Close()
	})
	return err
}

// read delivers messages until the socket is closed; the error is never nil.
func (c *conn) read(deliver func([]byte, netip.AddrPort)) error {
	if c.tcp != nil {
		r := bufio.NewReaderSize(c.tcp, 16<<10)
		for {
			raw, err := readFramed(r)
			if err != nil {
				return err
			}
			deliver(raw, c.target)
		}
	}
	buf := make([]byte, 65536)
	for {
		n, from, err := c.udp.ReadFromUDPAddrPort(buf)
		if err != nil {
			return err
		}
		// RFC 5626 §3.5.1: empty lines keep a path open and are no message.
		if len(bytes.TrimSpace(buf[:n])) == 0 {
			continue
		}
		deliver(bytes.Clone(buf[:n]), unmap(from))
	}
}

// readLine reads a line of any length that a message may have, with its end.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		more, err := r.ReadSlice('\n')
		line = append(line, more...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
		if len(line) > maxMessage {
			return nil, errors.New("header line does not end")
		}
	}
}

// readFramed cuts one message from a stream by its Content-Length
// (RFC 3261 §18.3); empty lines before it are skipped (§7.5).
func readFramed(r *bufio.Reader) ([]byte, error) {
	var head []byte
	length := 0
	for {
		line, err := readLine(r)
		if err != nil {
			return nil, err
		}
		text := strings.TrimRight(string(line), "\r\n")
		if text == "" && len(head) == 0 {
			continue
		}
		head = append(head, line...)
		if len(head) > maxMessage {
			return nil, errors.New("header does not end")
		}
		if text == "" {
			break
		}
		name, value, _ := strings.Cut(text, ":")
		if strings.EqualFold(longName(strings.TrimSpace(name)), "Content-Length") {
			length, err = strconv.Atoi(strings.TrimSpace(value))
			if err != nil || length < 0 || length > maxMessage {
				return nil, fmt.Errorf("content length %q cannot be used", clip(value))
			}
		}
	}
	raw := append(head, make([]byte, length)...)
	if _, err := io.ReadFull(r, raw[len(head):]); err != nil {
		return nil, err
	}
	return raw, nil
}
