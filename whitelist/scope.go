package whitelist

import "net/netip"

// Scope is what one who asks may reach: the rules that name him as their source, and
// those without a source. The zero value allows nothing.
type Scope struct {
	rules  *Rules
	source string // canonical; "" where no rule has one, or the Host is no good
	common *table // of the rules without a source
	own    *table // of the rules with this one
}

// none is the rules of a source that no rule names. Nobody writes to it.
var none table

// From returns what sessions may reach that were opened with this Host header field. One
// that is not well formed, or empty, is the source of no rule.
func (r *Rules) From(host string) Scope {
	if r == nil {
		return Scope{}
	}
	s := Scope{rules: r, common: &r.common, own: &none}
	if len(r.sources) == 0 {
		return s // most proxies: spares the parsing
	}
	source, err := canonicalHost(host)
	if err != nil {
		return s
	}
	if own := r.sources[source]; own != nil {
		s.own = own
	}
	s.source = source
	return s
}

// Check reports whether a rule allows the host, as it was asked for, and the
// port: nil or a *DeniedError. It comes before any lookup; after the lookup
// come CheckAddrs or CheckAddr.
func (s Scope) Check(d Dest) error {
	if s.rules != nil && (s.own.allows(d) || s.common.allows(d)) {
		return nil
	}
	return &DeniedError{Dest: d, Source: s.source}
}

// names reports whether a rule names exactly this host and opens the port.
func (s Scope) names(host string, port uint16) bool {
	return s.own.names[host].covers(port) || s.common.names[host].covers(port)
}

// namesAddr reports whether a rule names exactly this address and opens the port.
func (s Scope) namesAddr(a netip.Addr, port uint16) bool {
	return s.own.addrs[a].covers(port) || s.common.addrs[a].covers(port)
}

// opens reports whether a CIDR rule within the limit holds the address and opens the port.
func (s Scope) opens(a netip.Addr, port uint16, limit netip.Prefix) bool {
	return s.own.netCovers(port, a, limit) || s.common.netCovers(port, a, limit)
}
