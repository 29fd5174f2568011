package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/siprecd/siprecd/siprec"
)

// listed is the cluster of all SRCs that only the accept list knows: which of its
// entries are one client nobody has said, so they may stand in for each other.
const listed = "accept list"

// admission decides which sources may open a recording session.
type admission struct {
	accept, plain, media []network
	settings             settings // to which the file of SRCs has to fit
	srcs                 atomic.Pointer[[]profile]
}

// newAdmission takes the lists of the settings and reads the file of SRCs; without
// either only this machine is let in. A file of SRCs without an accept list is all that
// is let in: who names clients, and asks some for a password, leaves no door beside them.
func newAdmission(s settings) (*admission, error) {
	a := &admission{accept: s.Accept, plain: s.PlainInvite, media: s.MediaNetwork, settings: s}
	if len(a.accept) == 0 && s.SRCs == "" {
		a.accept = loopback()
	}
	return a, a.reload()
}

// reload reads the file of SRCs again, for INVITEs that come from now on. When it
// cannot be used, the SRCs stay as they were.
func (a *admission) reload() error {
	if a.settings.SRCs == "" {
		return nil
	}
	list, err := readSRCs(a.settings)
	if err != nil {
		return err
	}
	shareStreams(list, a.settings.RTPPorts)
	a.srcs.Store(&list)
	return nil
}

// shareStreams gives each of several SRCs without a limit of its own three quarters of
// the ports: one that goes wrong must not cost the others theirs.
func shareStreams(list []profile, ports portRange) {
	if len(list) < 2 {
		return
	}
	for i := range list {
		if list[i].MaxStreams == 0 {
			list[i].MaxStreams = ports.streams() * 3 / 4
		}
	}
}

// loopback is this machine (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3).
func loopback() []network {
	return []network{
		{prefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, text: "loopback"},
		{prefixes: []netip.Prefix{netip.MustParsePrefix("::1/128")}, text: "loopback"},
	}
}

// admit is the Admit of siprec.Config. An SRC of the file comes before the accept
// list, whose entry is the name of those that it lets in.
func (a *admission) admit(origin siprec.Origin) (siprec.SRC, error) {
	list := a.srcs.Load()
	if list != nil {
		if src, ok := find(*list, origin); ok {
			for _, n := range a.media {
				src.MediaNetworks = append(src.MediaNetworks[:len(src.MediaNetworks):len(src.MediaNetworks)], n.prefixes...)
			}
			return src, nil
		}
	}
	addr := origin.Source.Addr()
	i := slices.IndexFunc(a.accept, func(n network) bool { return n.contains(addr) })
	switch {
	case i < 0 && list != nil:
		return siprec.SRC{}, whyNot(*list, origin)
	case i < 0:
		return siprec.SRC{}, errNotAccepted
	}
	src := siprec.SRC{
		Name:        a.accept[i].text,
		Cluster:     listed,
		PlainInvite: slices.ContainsFunc(a.plain, func(n network) bool { return n.contains(addr) }),
	}
	for _, n := range a.media {
		src.MediaNetworks = append(src.MediaNetworks, n.prefixes...)
	}
	return src, nil
}

// acceptsAny reports whether the whole world may record here.
func (s settings) acceptsAny() bool {
	return slices.ContainsFunc(s.Accept, func(n network) bool { return n.text == anyNetwork })
}

// A lookup finds the addresses of a host name.
type lookup func(ctx context.Context, host string) ([]netip.Addr, error)

// checkReach refuses a listener that other machines can reach while nobody said
// who may use it: it would look like a working server and refuse everybody.
func (s settings) checkReach(ctx context.Context, find lookup) error {
	if len(s.Accept) > 0 || s.SRCs != "" {
		return nil
	}
	for _, l := range s.Listen {
		local, err := onlyLoopback(ctx, find, l.address)
		if err != nil {
			return fmt.Errorf("listen %s: %w", l.address, err)
		}
		if !local {
			return usagef("listen %s can be reached from other machines, but nothing says who may record: "+
				"list your SRCs (--accept 192.0.2.0/24, or --srcs FILE), or let everybody in (--accept %s)", l.address, anyNetwork)
		}
	}
	return nil
}

// onlyLoopback reports whether an address to listen on is out of reach of other
// machines. No host is all addresses.
func onlyLoopback(ctx context.Context, find lookup, address string) (bool, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false, err
	}
	if host == "" {
		return false, nil
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().IsLoopback(), nil
	}
	addrs, err := find(ctx, host)
	if err != nil {
		return false, err
	}
	others := slices.ContainsFunc(addrs, func(a netip.Addr) bool { return !a.Unmap().IsLoopback() })
	return len(addrs) > 0 && !others, nil
}
