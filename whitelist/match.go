package whitelist

import (
	"net/netip"
	"slices"
	"strings"
)

// table is the rules of one source, by what they are asked for.
type table struct {
	names     map[string]ports // canonical host
	addrs     map[netip.Addr]ports
	wildcards map[string]ports // the host behind "*."
	nets      []Rule
	any       ports
}

func (t *table) add(rule Rule) {
	switch rule.kind {
	case kindName:
		t.names = more(t.names, rule.name, rule.ports)
	case kindAddr:
		t.addrs = more(t.addrs, rule.net.Addr(), rule.ports)
	case kindWildcard:
		t.wildcards = more(t.wildcards, rule.name, rule.ports)
	case kindCIDR:
		t.nets = append(t.nets, rule)
	case kindAny:
		t.any = slices.Concat(t.any, rule.ports)
	}
}

func more[K comparable](m map[K]ports, key K, p ports) map[K]ports {
	if m == nil {
		m = make(map[K]ports)
	}
	m[key] = slices.Concat(m[key], p)
	return m
}

func (t *table) allows(d Dest) bool {
	if addr, ok := literal(d.Host); ok {
		if t.addrs[addr].covers(d.Port) || t.netCovers(d.Port, addr, netip.Prefix{}) {
			return true
		}
	} else {
		if t.names[d.Host].covers(d.Port) {
			return true
		}
		for parent := d.Host; len(t.wildcards) > 0; {
			label, rest, ok := strings.Cut(parent, ".")
			if !ok || label == "" {
				break
			}
			if t.wildcards[rest].covers(d.Port) {
				// A Dest made by hand may hold anything in front of the parent.
				return canonical(d)
			}
			parent = rest
		}
	}
	return t.any.covers(d.Port) && canonical(d)
}

// netCovers reports whether a CIDR rule holds the address and opens the port.
// With a valid limit only rules that lie within it count.
func (t *table) netCovers(port uint16, a netip.Addr, limit netip.Prefix) bool {
	for i := range t.nets {
		n := &t.nets[i]
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
