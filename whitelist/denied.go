package whitelist

import (
	"fmt"
	"net/netip"
)

// DeniedError says that a target is not allowed. Its text is for the operator:
// it names the rule that would allow the target, and may hold an address that
// the page does not know. A page is told "denied" and nothing else.
type DeniedError struct {
	Dest Dest

	// Source is the Host that asked; empty where no rule has a source, or it is not well formed.
	Source string

	Addr netip.Addr // the refused address; not valid when no rule allows the name

	// Class is "" when no rule allows the name and port. Otherwise it is the kind
	// of the refused address, such as "private", "loopback" or "metadata"; or
	// "own": an address of this proxy; "not-asked-for": the host is an address,
	// and another one; "no-address": the lookup brought none.
	Class string
}

// Error says what was refused, why, and which rule would allow it.
func (e *DeniedError) Error() string {
	target := fmt.Sprintf("%q", clip(e.Dest.String()))
	switch e.Class {
	case "":
		if service := neverWeb(e.Dest.Port); service != "" {
			return fmt.Sprintf("%s denied: no rule names this host and port %d (%s), which ranges and wildcards do not open; to allow it add the rule %s",
				target, e.Dest.Port, service, e.rule(e.Dest))
		}
		return fmt.Sprintf("%s denied: no rule allows it; to allow it add the rule %s", target, e.rule(e.Dest))
	case "own":
		return fmt.Sprintf("%s denied: %s is an address of this proxy; no rule can allow it", target, e.Addr)
	case "no-address":
		return fmt.Sprintf("%s denied: it has no address", target)
	case "not-asked-for":
		return fmt.Sprintf("%s denied: %s is not the address asked for", target, e.Addr)
	}
	text := fmt.Sprintf("%s denied: its address %s is %s; to allow it add the rule %s",
		target, e.Addr, e.Class, e.rule(Dest{bare(e.Addr).String(), e.Dest.Port}))
	if e.Class == classPrivate {
		text += " or allow private addresses"
	}
	return text
}

// rule returns the rule, in quotes, that names a target for the one who asked.
func (e *DeniedError) rule(d Dest) string {
	if e.Source == "" {
		return fmt.Sprintf("%q", clip(d.String()))
	}
	return fmt.Sprintf("%q", clip(e.Source)+" "+arrow+" "+clip(d.String()))
}
