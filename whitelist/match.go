package whitelist

import (
	"net/netip"
	"strings"
)

// Check reports whether a rule allows the host, as it was asked for, and the
// port: nil or a *DeniedError. It comes before any lookup; after the lookup
// come CheckAddrs or CheckAddr.
func (r *Rules) Check(d Dest) error {
	if r != nil && r.allows(d) {
		return nil
	}
	return &DeniedError{Dest: d}
}

func (r *Rules) allows(d Dest) bool {
	if addr, ok := literal(d.Host); ok {
		if r.addrs[addr].covers(d.Port) || r.netCovers(d.Port, addr, netip.Prefix{}) {
			return true
		}
	} else {
		if r.names[d.Host].covers(d.Port) {
			return true
		}
		for parent := d.Host; len(r.wildcards) > 0; {
			label, rest, ok := strings.Cut(parent, ".")
			if !ok || label == "" {
				break
			}
			if r.wildcards[rest].covers(d.Port) {
				// A Dest made by hand may hold anything in front of the parent.
				return canonical(d)
			}
			parent = rest
		}
	}
	return r.any.covers(d.Port) && canonical(d)
}

// netCovers reports whether a CIDR rule holds the address and opens the port.
// With a valid limit only rules that lie within it count.
func (r *Rules) netCovers(port uint16, a netip.Addr, limit netip.Prefix) bool {
	for i := range r.nets {
		n := &r.nets[i]
		if n.net.Contains(a) && n.ports.covers(port) && (!limit.IsValid() || within(n.net, limit)) {
			return true
		}
	}
	return false
}

func canonical(d Dest) bool {
	again, err := ParseDest(d.Host, uint64(d.Port))
	return err == nil && again == d
}
