package whitelist

import (
	"net/netip"
	"slices"
)

// CheckAddr reports whether d may be reached at an address that it resolved to:
// nil or a *DeniedError. It includes Check, so it is enough by itself right
// before a dial (net.Dialer.Control). A host that is an address must be reached
// at this address. The zone of an address plays no part.
func (s Scope) CheckAddr(d Dest, a netip.Addr) error {
	if err := s.Check(d); err != nil {
		return err
	}
	return s.checkAddr(d, a)
}

// CheckAddrs is CheckAddr for all addresses of one lookup. It returns those to
// dial, in their order, without repeats, IPv4-mapped ones as IPv4. One refused
// address refuses the target (or is left out, see Options.DropDenied), as does
// an empty list.
func (s Scope) CheckAddrs(d Dest, addrs []netip.Addr) ([]netip.Addr, error) {
	if err := s.Check(d); err != nil {
		return nil, err
	}
	good := make([]netip.Addr, 0, len(addrs))
	var refused error = &DeniedError{Dest: d, Source: s.source, Class: "no-address"}
	for i, a := range addrs {
		if err := s.checkAddr(d, a); err != nil {
			if !s.rules.opts.DropDenied {
				return nil, err
			}
			if i == 0 {
				refused = err
			}
			continue
		}
		if a = a.Unmap(); !slices.Contains(good, a) {
			good = append(good, a)
		}
	}
	if len(good) == 0 {
		return nil, refused
	}
	return good, nil
}

// Deny refuses addresses for good, whatever the rules say: those on which this
// proxy listens, so that no page reaches it, or its admin port, from inside.
// Call it before the rules are used by other goroutines.
//
// An unspecified address ([::]:8000, 0.0.0.0:8000) stands for every address of
// this machine at the port. Which these are is not known here: loopback and
// unspecified ones are refused at once, and the caller passes each address of
// its network interfaces with the port as well. An invalid AddrPort is ignored.
func (r *Rules) Deny(own ...netip.AddrPort) {
	if r.own == nil {
		r.own, r.ownPorts = make(map[netip.AddrPort]bool), make(map[uint16]bool)
	}
	for _, ap := range own {
		if !ap.IsValid() {
			continue
		}
		a := bare(ap.Addr())
		r.own[netip.AddrPortFrom(a, ap.Port())] = true
		r.ownPorts[ap.Port()] = r.ownPorts[ap.Port()] || a.IsUnspecified()
	}
}

func (r *Rules) isOwn(a netip.Addr, port uint16) bool {
	everywhere, used := r.ownPorts[port]
	if !used {
		return false
	}
	// Dialing the unspecified address reaches this machine.
	return a.IsUnspecified() || everywhere && a.IsLoopback() || r.own[netip.AddrPortFrom(a, port)]
}

func (s Scope) checkAddr(d Dest, a netip.Addr) error {
	denied := func(c class) error { return &DeniedError{Dest: d, Source: s.source, Addr: a, Class: c} }
	if !a.IsValid() {
		return denied("no-address")
	}
	a = bare(a)
	if asked, ok := literal(d.Host); ok && asked != a {
		return denied("not-asked-for")
	}
	in, n := inner(a)
	if s.rules.isOwn(a, d.Port) {
		return denied("own")
	}
	for _, v4 := range in[:n] {
		if s.rules.isOwn(v4, d.Port) {
			return denied("own")
		}
	}
	if s.namesAddr(a, d.Port) {
		return nil // named as it is, so what it carries inside is meant too
	}
	if c := s.refusal(d, a); c != classPublic {
		return denied(c)
	}
	for _, v4 := range in[:n] {
		if c := s.refusal(d, v4); c != classPublic && !s.namesAddr(v4, d.Port) {
			return denied(c)
		}
	}
	return nil
}

// refusal returns the class for which an address is refused, classPublic if it
// is not.
func (s Scope) refusal(d Dest, a netip.Addr) class {
	held := rangeOf(a)
	switch {
	case held.class == classPublic,
		held.class == classPrivate && s.rules.opts.AllowPrivate,
		held.class == classLoopback && d.Host == "localhost" && s.names(d.Host, d.Port),
		s.opens(a, d.Port, held.net):
		return classPublic
	}
	return held.class
}

// bare returns an address as rules see it.
func bare(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
