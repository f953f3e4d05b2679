package quota

import "net/netip"

// Key returns the address that text stands for in the tables: an IPv4 address as it
// is, the first 64 bits of an IPv6 address. text is an address with or without a
// port. What is no address shares one key, so that it is limited too.
func Key(text string) netip.Addr {
	if ap, err := netip.ParseAddrPort(text); err == nil {
		return KeyOf(ap.Addr())
	}
	a, _ := netip.ParseAddr(text)
	return KeyOf(a)
}

// KeyOf is Key for an address.
func KeyOf(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if !a.Is6() {
		return a
	}
	p, _ := a.Prefix(64) // fails for lengths that do not fit only
	return p.Addr()
}
