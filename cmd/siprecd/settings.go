package main

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/siprec"
)

// settings are what a server can be told. Each one is a flag, an environment
// variable (SIPRECD_ and the name) and a key of the configuration file (the
// name); "siprecd config" documents them from here.
type settings struct {
	Listen []listener `help:"Addresses to take SIP on: host:port is UDP and TCP, udp:host:port and tcp:host:port are one of them, tls:host:port is TLS. NAME= before it names it. [::] is all addresses of IPv6, 0.0.0.0 all of IPv4; name both for both. Port 0 is any free port." env:"SIPRECD_LISTEN" default:"127.0.0.1:5060" placeholder:"ADDRESS"`
	Data   string     `help:"Folder the recordings are written to. It is made when it is missing." env:"SIPRECD_DATA" default:"./data" placeholder:"DIR"`

	Accept       []network `help:"Networks or addresses whose INVITEs are accepted, or any. When it is empty and there is no file of SRCs, only this machine's loopback addresses; a listener that others can reach needs one of the two." env:"SIPRECD_ACCEPT" placeholder:"CIDR"`
	PlainInvite  []network `help:"Networks or addresses whose INVITE opens a recording session although nothing in it says so (no +sip.src, no Require: siprec, no metadata). They have to be accepted too." env:"SIPRECD_PLAIN_INVITE" placeholder:"CIDR"`
	SRCs         string    `name:"srcs" help:"File of Session Recording Clients: who they are, what they may, and their passwords (docs/srcs.md). Who is not in it may still be in accept; when that is empty, nobody else is accepted, this machine neither. It is read again at SIGHUP; one that cannot be read stops the start, and at SIGHUP leaves the one before in force." env:"SIPRECD_SRCS" placeholder:"FILE"`
	MediaNetwork []network `help:"Further networks RTP may come from, beside the address of the SDP and that of the SIP peer." env:"SIPRECD_MEDIA_NETWORK" placeholder:"CIDR"`
	RTPPorts     portRange `name:"rtp-ports" help:"First and last UDP port for RTP and RTCP; a recorded stream takes an even one and the next. 0-0 is any free ports. The default lies below the range from which Linux takes ports for other programs." env:"SIPRECD_RTP_PORTS" default:"16384-32767" placeholder:"MIN-MAX"`

	MediaReader  string `help:"How RTP is read: sweep goes round all ports every 20 to 200 ms and takes many packets at once, with half the processor time; simple reads each packet as it comes. Sweep needs Linux; elsewhere it is simple." enum:"sweep,simple" env:"SIPRECD_MEDIA_READER" default:"sweep" placeholder:"WORD"`
	MediaThreads int    `help:"Processors that may sweep at the same time, 1 to 64; 0 is as many as there are, at most 2." env:"SIPRECD_MEDIA_THREADS" default:"0" placeholder:"N"`

	TLSCertificate string `name:"tls-certificate" help:"Certificate of this server with its chain, PEM, for listeners of TLS. It is read again at SIGHUP, as are the two files below." env:"SIPRECD_TLS_CERTIFICATE" placeholder:"FILE"`
	TLSKey         string `name:"tls-key" help:"Private key of the certificate, PEM." env:"SIPRECD_TLS_KEY" placeholder:"FILE"`
	TLSCA          string `name:"tls-ca" help:"Authorities whose certificates are believed, PEM. When empty, those of the system, and only for connections that this server opens." env:"SIPRECD_TLS_CA" placeholder:"FILE"`
	TLSClients     string `name:"tls-clients" help:"Whether SRCs have to show a certificate: off, optional or required. With optional, one that cannot be believed counts as none, and is logged." enum:"off,optional,required" env:"SIPRECD_TLS_CLIENTS" default:"off" placeholder:"WORD"`

	Advertise      []advertised `help:"Address at which SRCs reach this server when that is not the one it listens on, behind NAT or in a container: host or host:port, for all listeners; NAME=host:port is for those of that name. It stands in Via and Contact, and in SDP when it is an IP address." env:"SIPRECD_ADVERTISE" placeholder:"ADDRESS"`
	AdvertiseMedia []advertised `help:"IP address that RTP is told to come to when that is another: ADDRESS, or NAME=ADDRESS." env:"SIPRECD_ADVERTISE_MEDIA" placeholder:"ADDRESS"`
	Redirect       []string     `help:"SIP URIs of other recording servers. An INVITE that this one cannot take now is answered 302 with them; when empty, 503." env:"SIPRECD_REDIRECT" placeholder:"URI"`

	RecordFrom []target `help:"SRCs that wait to be asked: the server opens a recording session with each of these sip or sips URIs when it starts, and again, after 5 s to 5 minutes, when it was refused or has ended." env:"SIPRECD_RECORD_FROM" placeholder:"URI"`

	Policy    string `help:"Policy file: of whom, when and why not audio is kept (siprecd policy check explains one). Without it everything is recorded. It is read again at SIGHUP, for what begins later; one that cannot be read stops the start, and at SIGHUP leaves the one before in force." env:"SIPRECD_POLICY" placeholder:"FILE"`
	Directory string `help:"Directory of addresses, which tells the policy who is an agent; its profiles serve the trunks that name them. It is read again at SIGHUP." env:"SIPRECD_DIRECTORY" placeholder:"FILE"`

	Control       string `help:"Address, host:port, of the control interface, over which other systems command live interactions (docs/control.md); empty for none. Other than loopback needs a certificate." env:"SIPRECD_CONTROL" placeholder:"ADDRESS"`
	ControlTokens string `name:"control-tokens" help:"File that says who may command what: tokens by their hashes (siprecd control token makes one). It is read again at SIGHUP, as are the two files below; one that everybody may read is refused." env:"SIPRECD_CONTROL_TOKENS" placeholder:"FILE"`
	ControlCert   string `name:"control-cert" help:"Certificate of the control interface with its chain, PEM: it then speaks TLS only." env:"SIPRECD_CONTROL_CERT" placeholder:"FILE"`
	ControlKey    string `name:"control-key" help:"Private key of that certificate, PEM." env:"SIPRECD_CONTROL_KEY" placeholder:"FILE"`

	Metrics       string    `help:"Address, host:port, at which /metrics shows how the server does, in the text format of Prometheus (docs/metrics.md); empty for none. Other than loopback needs metrics-accept." env:"SIPRECD_METRICS" placeholder:"ADDRESS"`
	MetricsAccept []network `help:"Networks or addresses that may read the metrics, or any. When it is empty, only this machine." env:"SIPRECD_METRICS_ACCEPT" placeholder:"CIDR"`

	Webhook       string `help:"URL to which the server posts what happens to recordings: started, stopped, causes, roles, verdicts, alarms (docs/notices.md). It is https, or http of a loopback address. What waits to be delivered lies in the data folder." env:"SIPRECD_WEBHOOK" placeholder:"URL"`
	WebhookSecret string `name:"webhook-secret" help:"File of secrets that sign what is posted to the webhook: one on each line, at least 16 octets, at most four, of which each signs. A file that everybody may read is refused. It is read again at SIGHUP." env:"SIPRECD_WEBHOOK_SECRET" placeholder:"FILE"`
	AlarmAfter    int    `name:"alarm-after" help:"After how many interactions in succession, of one account and trunk, an alarm is raised because none had an answer to the question for consent, or because in none anybody could be placed, 1 to 10000." env:"SIPRECD_ALARM_AFTER" default:"5" placeholder:"N"`

	HoldBack   time.Duration `name:"hold-back" help:"For how long audio waits in memory before it is written to disk, from 0s to 3s. A pause that takes effect no further back than that leaves no trace on disk. When the process is killed, this, 0.3 s and some 0.1 s are lost." env:"SIPRECD_HOLD_BACK" default:"1s" placeholder:"DURATION"`
	Commit     time.Duration `help:"How often audio that was written is made durable. When the machine fails, this is lost on top." env:"SIPRECD_COMMIT" default:"1s" placeholder:"DURATION"`
	PageMemory size          `help:"Memory for audio that waits to be written, of all recording sessions, at least 4MiB. What finds no room while the disk does not keep up is lost, and an alarm says so. A stream of G.711 takes some 20KiB at the default hold-back." env:"SIPRECD_PAGE_MEMORY" default:"512MiB" placeholder:"SIZE"`
	Audio      string        `help:"How what was recorded lies in the data folder: plain, as files that whoever can read them can play, or encrypted, under a key for each recording that is wrapped by a master key; then siprecd recordings export gives files. With auto it is encrypted when there is a master key, and plain when nothing listens but loopback; else the server does not start." enum:"auto,plain,encrypted" env:"SIPRECD_AUDIO" default:"auto" placeholder:"WORD"`
	MasterKeys string        `help:"File of master keys, under which the keys of recordings are wrapped: one on each line, 32 octets in hexadecimal or base64 (openssl rand -hex 32 makes one). The first seals, all of them open. A file that everybody may read is refused. One key may stand in the environment variable SIPRECD_MASTER_KEY instead. Without any, the key of a recording lies beside its capture." env:"SIPRECD_MASTER_KEYS" placeholder:"FILE"`
	Sweep      time.Duration `help:"How often the server erases the recordings whose time has come by the policy under which they were made (docs/retention.md); those that are to be deleted with the call go at once. 0s is never: then siprecd recordings sweep does it." env:"SIPRECD_SWEEP" default:"1m" placeholder:"DURATION"`

	Link   []recorder.Link `help:"Ids by which recording sessions are found to be of one interaction, which is one recording: group (of communication sessions), communication-session, sip-session-id, ucid and tracking-id of vendors, call-id (other ids of the call that vendors send). An id links only within one account, when it has 8 characters or more, and when nothing speaks against it: the two have to have somebody in common, as far as they tell. none is none." env:"SIPRECD_LINK" default:"group,communication-session,sip-session-id,ucid,tracking-id" placeholder:"WORD"`
	Grace  time.Duration   `help:"For how long an interaction waits for a further recording session when its last one has ended, before its files are made: a transfer may end one and begin another." env:"SIPRECD_GRACE" default:"1s" placeholder:"DURATION"`
	Linger time.Duration   `help:"For how long after that what withholds audio, and what was decided, is remembered of an interaction: a recording session of it that comes so late begins a recording of its own, as paused as the other ended. It does not survive a restart. 0s is not at all." env:"SIPRECD_LINGER" default:"2m" placeholder:"DURATION"`

	Vanish                time.Duration `help:"When neither SIP nor RTP came for so long, the SRC is asked whether the recording session still exists, and the recording session ended if not." env:"SIPRECD_VANISH" default:"90s" placeholder:"DURATION"`
	Drain                 time.Duration `help:"At SIGTERM, time for recording sessions to end by themselves before the server sends BYE. A second signal cuts it short." env:"SIPRECD_DRAIN" default:"20s" placeholder:"DURATION"`
	Idle                  time.Duration `help:"When a TCP or TLS connection without a recording session carried neither a message nor a keep-alive for so long, it is closed." env:"SIPRECD_IDLE" default:"5m" placeholder:"DURATION"`
	MinFree               size          `help:"Free space, below which no new recording session is taken where the data folder is: it is answered as one too many. Those that are up go on. B, kB, MB, GB, TB, KiB, MiB, GiB and TiB are units; 0 is no such limit." env:"SIPRECD_MIN_FREE" default:"1GiB" placeholder:"SIZE"`
	MaxUnknownConnections int           `help:"TCP and TLS connections at the same time from one address that no SRC is known by, 1 to 256; a further one is closed. All such addresses together have 512, of which the oldest makes room." env:"SIPRECD_MAX_UNKNOWN_CONNECTIONS" default:"32" placeholder:"N"`
	MaxRecordingSessions  int           `help:"Recording sessions at the same time; one more is answered 503, or 302 with redirect." env:"SIPRECD_MAX_RECORDING_SESSIONS" default:"2000" placeholder:"N"`

	FFmpeg string `name:"ffmpeg" help:"Program that decodes Opus, G.729, AMR, AMR-WB, iLBC, GSM, G.723.1 and G.726 when a recording is finalised, looked for in PATH when it is a bare name; off for none. When it is not there, such audio stays in the capture until siprecd recordings finalise is told to make files of it." env:"SIPRECD_FFMPEG" default:"ffmpeg" placeholder:"PROGRAM"`
	Gaps   string `help:"What becomes of what is lost or withheld: silence of its own length, so that all files of a recording are in step, or omit, and the manifest says which parts of the timeline each file holds." enum:"silence,omit" env:"SIPRECD_GAPS" default:"silence" placeholder:"WORD"`

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
	case s.AlarmAfter < 1 || s.AlarmAfter > 10_000:
		return fmt.Errorf("alarm-after: %d is not from 1 to 10000", s.AlarmAfter)
	case s.HoldBack < 0 || s.HoldBack > recorder.MaxHoldBack:
		return fmt.Errorf("hold-back: %v is not from 0s to %v", s.HoldBack, recorder.MaxHoldBack)
	case s.Commit <= 0:
		return fmt.Errorf("commit: %v is not a positive duration", s.Commit)
	case s.PageMemory < recorder.MinPageMemory || uint64(s.PageMemory) > math.MaxInt:
		return fmt.Errorf("page-memory: %v is less than %v, or more than can be", s.PageMemory, size(recorder.MinPageMemory))
	case s.Grace < 0:
		return fmt.Errorf("grace: %v is negative", s.Grace)
	case s.Sweep < 0:
		return fmt.Errorf("sweep: %v is negative", s.Sweep)
	case s.Linger < 0:
		return fmt.Errorf("linger: %v is negative", s.Linger)
	case s.Vanish <= 0:
		return fmt.Errorf("vanish: %v is not a positive duration", s.Vanish)
	case s.Idle <= 0:
		return fmt.Errorf("idle: %v is not a positive duration", s.Idle)
	case s.Drain < 0:
		return fmt.Errorf("drain: %v is negative", s.Drain)
	case s.MaxUnknownConnections < 1 || s.MaxUnknownConnections > 256:
		return fmt.Errorf("max-unknown-connections: %d is not from 1 to 256", s.MaxUnknownConnections)
	case s.MediaThreads < 0 || s.MediaThreads > 64:
		return fmt.Errorf("media-threads: %d is not from 0 to 64", s.MediaThreads)
	case s.MaxRecordingSessions < 1:
		return fmt.Errorf("max-recording-sessions: %d is less than 1", s.MaxRecordingSessions)
	}
	return errors.Join(s.validateTLS(), s.validateLinks(), s.validateAddresses(), s.checkTargets(), s.validateControl(), s.validateMetrics(), s.validateWebhook())
}

// noLink is the word for no link.
const noLink = "none"

func (s *settings) validateLinks() error {
	for _, l := range s.Link {
		switch {
		case l == noLink && len(s.Link) > 1:
			return fmt.Errorf("link: none, or some, but not both")
		case l != noLink && !slices.Contains(recorder.Links(), l):
			return fmt.Errorf("link: %q is none of %v and none", l, recorder.Links())
		}
	}
	return nil
}

// links are the ids that link, as the recorder takes them.
func (s *settings) links() []recorder.Link {
	return slices.DeleteFunc(slices.Clone(s.Link), func(l recorder.Link) bool { return l == noLink })
}

func (s *settings) validateTLS() error {
	secure := slices.ContainsFunc(s.Listen, func(l listener) bool { return l.network == "tls" })
	switch {
	case secure && (s.TLSCertificate == "" || s.TLSKey == ""):
		return fmt.Errorf("tls-certificate: TLS needs one, and its tls-key")
	case !secure && s.TLSCertificate+s.TLSKey+s.TLSCA != "":
		return fmt.Errorf("tls-certificate: nothing listens on TLS (--listen tls:ADDRESS)")
	case s.TLSClients != "off" && !secure:
		return fmt.Errorf("tls-clients: nothing listens on TLS (--listen tls:ADDRESS)")
	}
	return nil
}

func (s *settings) validateAddresses() error {
	for _, a := range slices.Concat(s.Advertise, s.AdvertiseMedia) {
		if a.name != "" && !slices.ContainsFunc(s.Listen, func(l listener) bool { return l.name == a.name }) {
			return fmt.Errorf("advertise: no listener has the name %q", a.name)
		}
	}
	for _, a := range s.AdvertiseMedia {
		if addr, err := netip.ParseAddr(a.address); err != nil || addr.IsUnspecified() {
			return fmt.Errorf("advertise-media: %q is not an IP address that others reach", a.address)
		}
	}
	for _, uri := range s.Redirect {
		if !isSIPURI(uri) {
			return fmt.Errorf("redirect: %q is not a SIP URI", uri)
		}
	}
	return nil
}

// isSIPURI takes what can stand between the brackets of a Contact.
func isSIPURI(s string) bool {
	scheme, rest, ok := strings.Cut(s, ":")
	return ok && (scheme == "sip" || scheme == "sips") && rest != "" && !strings.ContainsAny(rest, "<> \"\r\n\t")
}

// An advertised is an address that others are told, for all listeners or one.
type advertised struct{ name, address string }

// UnmarshalText reads ADDRESS or NAME=ADDRESS.
func (a *advertised) UnmarshalText(text []byte) error {
	*a = advertised{address: string(text)}
	if name, rest, ok := strings.Cut(a.address, "="); ok {
		a.name, a.address = name, rest
	}
	if a.address == "" {
		return fmt.Errorf("%q has no address", text)
	}
	return nil
}

// advertisedFor is what is said of a listener: what names it counts before what is for
// all.
func advertisedFor(list []advertised, name string) string {
	found := ""
	for _, a := range list {
		if a.name == name && name != "" {
			return a.address
		}
		if a.name == "" && found == "" {
			found = a.address
		}
	}
	return found
}

// endpoints are the listeners as the server takes them.
func (s *settings) endpoints() ([]siprec.Endpoint, error) {
	var list []siprec.Endpoint
	for _, l := range s.Listen {
		for _, network := range l.networks() {
			e := siprec.Endpoint{Name: l.name, Network: network, Address: l.address, Advertise: advertisedFor(s.Advertise, l.name)}
			if text := advertisedFor(s.AdvertiseMedia, l.name); text != "" {
				addr, err := netip.ParseAddr(text)
				if err != nil {
					return nil, fmt.Errorf("advertise-media: %w", err)
				}
				e.AdvertiseMedia = addr
			}
			list = append(list, e)
		}
	}
	return list, nil
}

// tls loads the certificate; nil without one.
func (s *settings) tls() (*siprec.TLS, error) {
	if s.TLSCertificate == "" {
		return nil, nil
	}
	return siprec.LoadTLS(siprec.TLSFiles{
		Certificate: s.TLSCertificate, Key: s.TLSKey, CA: s.TLSCA, Clients: siprec.ClientCertificates(s.TLSClients),
	})
}

// A listener is one address to take SIP on, over UDP, TCP, both, or TLS.
type listener struct {
	name    string // for the SRCs and the policy; may be empty
	network string // udp, tcp, tls, or empty for udp and tcp
	address string // host:port
}

// UnmarshalText reads host:port, udp:host:port, tcp:host:port or tls:host:port, and
// NAME= before it.
func (l *listener) UnmarshalText(text []byte) error {
	*l = listener{address: string(text)}
	if name, rest, ok := strings.Cut(l.address, "="); ok {
		if name == "" {
			return fmt.Errorf("%q has an empty name", text)
		}
		l.name, l.address = name, rest
	}
	for _, network := range []string{"udp", "tcp", "tls"} {
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

// streams is how many streams there are ports for, of an even one and the next each; 0
// when any ports are taken.
func (r portRange) streams() int {
	if r.first == 0 {
		return 0
	}
	even := int(r.first) + int(r.first)%2
	return (int(r.last) + 1 - even) / 2
}

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
