package app

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Limits are what strangers may take of the proxy; docs/limits.md tells operators of
// them. The zero value of a field means its default; -1 means no limit where that is
// said.
type Limits struct {
	MaxConnections int // default 50,000
	MaxDescriptors int // default: the soft limit of the process
	MaxStreams     int // of one HTTP/2 connection at a time, default 100

	AddressConnections int // of one address at a time, default 400; -1: no limit
	AddressSessions    int // of one address at a time, default 200; -1: no limit
	AddressHandshakes  int // new sessions of one address in a second, default 20; -1: no limit
	AddressSockets     int // open sockets of one address at a time, default 500; -1: no limit
	AddressRequests    int // requests of one address at a time, default 1,000; -1: no limit
	AddressUpgrades    int // new WebSockets of one address in a second, default 20; -1: no limit

	HeaderTimeout time.Duration // for the head of a request, and the TLS handshake; default 5 s
	BodyTimeout   time.Duration // for the body of a request, default 15 s
	MinBodyRate   int           // bytes a second of bodies that take longer than 5 s, default 512
	IdleTimeout   time.Duration // between requests, default 75 s: longer than the 60 s of common balancers
	WriteTimeout  time.Duration // for the client to take what is written, default 15 s
	LogRate       int           // lines of one kind in a second, default 200; -1: no limit

	TrustedProxies []string // CIDRs of balancers whose forwarded headers are believed
	ProxyProtocol  []string // [ADDRESS=]CIDR of balancers that send PROXY headers to the listeners, or the one at ADDRESS
}

func (l *Limits) withDefaults() {
	for _, n := range [...]struct {
		p *int
		v int
	}{
		{&l.MaxConnections, 50_000}, {&l.MaxStreams, 100},
		{&l.AddressConnections, 400}, {&l.AddressSessions, 200}, {&l.AddressHandshakes, 20}, {&l.AddressUpgrades, 20}, {&l.AddressSockets, 500}, {&l.AddressRequests, 1000},
		{&l.MinBodyRate, 512},
	} {
		if *n.p == 0 {
			*n.p = n.v
		}
	}
	for _, d := range [...]struct {
		p *time.Duration
		v time.Duration
	}{
		{&l.HeaderTimeout, 5 * time.Second}, {&l.BodyTimeout, 15 * time.Second},
		{&l.IdleTimeout, 75 * time.Second}, {&l.WriteTimeout, 15 * time.Second},
	} {
		if *d.p == 0 {
			*d.p = d.v
		}
	}
}

// check reports what is wrong with the limits to bad.
func (l *Limits) check(listen []string, bad func(setting string, err error)) {
	for _, d := range [...]struct {
		name      string
		v         time.Duration
		low, high time.Duration
	}{
		{"--header-timeout", l.HeaderTimeout, 100 * time.Millisecond, time.Minute},
		{"--body-timeout", l.BodyTimeout, time.Second, 10 * time.Minute},
		{"--idle-timeout", l.IdleTimeout, time.Second, time.Hour},
		{"--write-timeout", l.WriteTimeout, time.Second, 10 * time.Minute},
	} {
		if d.v != 0 && (d.v < d.low || d.v > d.high) {
			bad(d.name, fmt.Errorf("%v is not between %v and %v", d.v, d.low, d.high))
		}
	}
	for _, n := range [...]struct {
		name    string
		v, high int
		none    bool // -1 is no limit
	}{
		{"--max-connections", l.MaxConnections, 10_000_000, false},
		{"--max-descriptors", l.MaxDescriptors, 100_000_000, false},
		{"--max-streams", l.MaxStreams, 10_000, false},
		{"--min-body-rate", l.MinBodyRate, 1 << 20, false},
		{"--address-connections", l.AddressConnections, 10_000_000, true},
		{"--address-sessions", l.AddressSessions, 1_000_000, true},
		{"--address-handshakes", l.AddressHandshakes, 1_000_000, true},
		{"--address-sockets", l.AddressSockets, 10_000_000, true},
		{"--address-requests", l.AddressRequests, 10_000_000, true},
		{"--address-upgrades", l.AddressUpgrades, 1_000_000, true},
		{"--log-rate", l.LogRate, 1_000_000, true},
	} {
		if n.v < 0 && !(n.none && n.v == -1) || n.v > n.high {
			bad(n.name, fmt.Errorf("%d is not between 1 and %d", n.v, n.high))
		}
	}
	_, err := prefixes(l.TrustedProxies)
	bad("--trusted-proxy", err)
	for _, s := range l.ProxyProtocol {
		address, cidr, one := cutLast(s)
		if _, err := prefixes([]string{cidr}); err != nil {
			bad("--proxy-protocol", err)
		}
		if one && !slices.Contains(listen, address) {
			bad("--proxy-protocol", fmt.Errorf("%q: there is no --listen %s", s, address))
		}
	}
}

// proxyFrom returns the balancers that send PROXY headers to a listener.
func (l *Limits) proxyFrom(listen string) []netip.Prefix {
	var all []string
	for _, s := range l.ProxyProtocol {
		if address, cidr, one := cutLast(s); !one || address == listen {
			all = append(all, cidr)
		}
	}
	out, _ := prefixes(all) // check has seen them
	return out
}

func cutLast(s string) (address, cidr string, one bool) {
	i := strings.LastIndexByte(s, '=')
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+1:], true
}

// prefixes parses CIDRs and single addresses.
func prefixes(list []string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	var errs []error
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if a, err2 := netip.ParseAddr(s); err2 == nil && a.Zone() == "" {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil || p != p.Masked() {
			errs = append(errs, fmt.Errorf("%q: an address or a range such as 10.0.0.0/8, without bits behind the prefix", s))
			continue
		}
		all = append(all, p)
	}
	return all, errors.Join(errs...)
}
