package main

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// settings are what a server can be told. Each one is a flag, an environment
// variable (SIPRECD_ and the name) and a key of the configuration file (the
// name); "siprecd config" documents them from here.
type settings struct {
	Listen []listener `help:"Addresses to take SIP on: host:port is UDP and TCP, udp:host:port and tcp:host:port are one of them. [::] is all addresses of IPv6, 0.0.0.0 all of IPv4; name both for both. Port 0 is any free port." env:"SIPRECD_LISTEN" default:"127.0.0.1:5060" placeholder:"ADDRESS"`
	Data   string     `help:"Folder the recordings are written to. It is made when it is missing." env:"SIPRECD_DATA" default:"./data" placeholder:"DIR"`

	Accept       []network `help:"Networks or addresses whose INVITEs are accepted, or any. When empty, only this machine's loopback addresses; a listener that others can reach needs it." env:"SIPRECD_ACCEPT" placeholder:"CIDR"`
	PlainInvite  []network `help:"Networks or addresses whose INVITE opens a recording session although nothing in it says so (no +sip.src, no Require: siprec, no metadata). They have to be accepted too." env:"SIPRECD_PLAIN_INVITE" placeholder:"CIDR"`
	MediaNetwork []network `help:"Further networks RTP may come from, beside the address of the SDP and that of the SIP peer." env:"SIPRECD_MEDIA_NETWORK" placeholder:"CIDR"`
	RTPPorts     portRange `name:"rtp-ports" help:"First and last UDP port for RTP and RTCP; a recorded stream takes an even one and the next. 0-0 is any free ports. The default lies below the range from which Linux takes ports for other programs." env:"SIPRECD_RTP_PORTS" default:"16384-32767" placeholder:"MIN-MAX"`

	Policy    string `help:"Policy file: of whom, when and why not audio is kept (siprecd policy check explains one). Without it everything is recorded. It is read again at SIGHUP, for what begins later; one that cannot be read stops the start, and at SIGHUP leaves the one before in force." env:"SIPRECD_POLICY" placeholder:"FILE"`
	Directory string `help:"Directory of addresses, which tells the policy who is an agent; its profiles serve the trunks that name them. It is read again at SIGHUP." env:"SIPRECD_DIRECTORY" placeholder:"FILE"`

	Vanish               time.Duration `help:"When neither SIP nor RTP came for so long, the SRC is asked whether the recording session still exists, and the recording session ended if not." env:"SIPRECD_VANISH" default:"90s" placeholder:"DURATION"`
	Drain                time.Duration `help:"At SIGTERM, time for recording sessions to end by themselves before the server sends BYE. A second signal cuts it short." env:"SIPRECD_DRAIN" default:"20s" placeholder:"DURATION"`
	MaxRecordingSessions int           `help:"Recording sessions at the same time; one more is answered 503." env:"SIPRECD_MAX_RECORDING_SESSIONS" default:"2000" placeholder:"N"`

	LogLevel  string `help:"Least level that is logged: debug, info, warn or error." enum:"debug,info,warn,error" env:"SIPRECD_LOG_LEVEL" default:"info" placeholder:"LEVEL"`
	LogFormat string `help:"Form of the log on standard error: console or json." enum:"console,json" env:"SIPRECD_LOG_FORMAT" default:"console" placeholder:"FORMAT"`
}

// Validate refuses what cannot be, after flags, environment and file were read.
func (s *settings) Validate() error {
	switch {
	case len(s.Listen) == 0:
		return fmt.Errorf("listen: no address to listen on")
	case s.Data == "":
		return fmt.Errorf("data: no folder for the recordings")
	case s.Directory != "" && s.Policy == "":
		return fmt.Errorf("directory: without a policy file everything is recorded, whoever it is")
	case s.Vanish <= 0:
		return fmt.Errorf("vanish: %v is not a positive duration", s.Vanish)
	case s.Drain < 0:
		return fmt.Errorf("drain: %v is negative", s.Drain)
	case s.MaxRecordingSessions < 1:
		return fmt.Errorf("max-recording-sessions: %d is less than 1", s.MaxRecordingSessions)
	}
	return nil
}

// A listener is one address to take SIP on, over UDP, TCP or both.
type listener struct {
	network string // udp, tcp, or empty for both
	address string // host:port
}

// UnmarshalText reads host:port, udp:host:port or tcp:host:port.
func (l *listener) UnmarshalText(text []byte) error {
	l.network, l.address = "", string(text)
	for _, network := range []string{"udp", "tcp"} {
		if rest, ok := strings.CutPrefix(l.address, network+":"); ok {
			l.network, l.address = network, rest
		}
	}
	_, port, err := net.SplitHostPort(l.address)
	if err != nil {
		return fmt.Errorf("%q is not host:port: %w", text, err)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q has no port from 0 to 65535", text)
	}
	return nil
}

// networks are the transports of the listener.
func (l listener) networks() []string {
	if l.network != "" {
		return []string{l.network}
	}
	return []string{"udp", "tcp"}
}

// A network is a set of addresses: a CIDR, one address, or any.
type network struct {
	prefixes []netip.Prefix
	text     string // as configured
}

// anyNetwork is the word for all addresses.
const anyNetwork = "any"

// UnmarshalText reads 192.0.2.0/24, 192.0.2.1, 2001:db8::/32 or "any".
func (n *network) UnmarshalText(text []byte) error {
	n.text = string(text)
	if n.text == anyNetwork {
		n.prefixes = []netip.Prefix{
			netip.PrefixFrom(netip.IPv4Unspecified(), 0),
			netip.PrefixFrom(netip.IPv6Unspecified(), 0),
		}
		return nil
	}
	if addr, err := netip.ParseAddr(n.text); err == nil {
		addr = addr.Unmap().WithZone("")
		n.prefixes = []netip.Prefix{netip.PrefixFrom(addr, addr.BitLen())}
		return nil
	}
	prefix, err := netip.ParsePrefix(n.text)
	if err != nil {
		return fmt.Errorf("%q is neither an address nor a network such as 192.0.2.0/24", text)
	}
	// An IPv4 network in IPv6 notation (RFC 4291 §2.5.5.2) is that IPv4 network:
	// sources are compared in their IPv4 form.
	if addr := prefix.Addr(); addr.Is4In6() && prefix.Bits() >= 96 {
		prefix = netip.PrefixFrom(addr.Unmap(), prefix.Bits()-96)
	}
	n.prefixes = []netip.Prefix{prefix.Masked()}
	return nil
}

func (n network) contains(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return slices.ContainsFunc(n.prefixes, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// A portRange is the first and the last port; both 0 are any free ports.
type portRange struct{ first, last uint16 }

// UnmarshalText reads MIN-MAX.
func (r *portRange) UnmarshalText(text []byte) error {
	first, last, ok := strings.Cut(string(text), "-")
	if !ok {
		return fmt.Errorf("%q is not MIN-MAX", text)
	}
	lo, errLo := strconv.ParseUint(first, 10, 16)
	hi, errHi := strconv.ParseUint(last, 10, 16)
	if errLo != nil || errHi != nil {
		return fmt.Errorf("%q is not two ports from 0 to 65535", text)
	}
	// A stream takes two ports, for RTP and RTCP (RFC 3550 §11).
	if hi+lo > 0 && (lo == 0 || lo+lo%2+1 > hi) {
		return fmt.Errorf("%q holds no even port with the next", text)
	}
	r.first, r.last = uint16(lo), uint16(hi)
	return nil
}
