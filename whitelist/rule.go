package whitelist

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// Rule is one rule: who may ask, what it names, and the ports it opens there. The forms
// are in the package documentation.
type Rule struct {
	source string // canonical; "" is everybody
	kind   kind
	name   string       // kindName: the host; kindWildcard: the host behind "*."
	net    netip.Prefix // kindCIDR; kindAddr: all bits
	ports  ports
}

type kind uint8

const (
	kindName     kind = iota // irc.example.org
	kindAddr                 // 192.0.2.7, [2001:db8::1]
	kindWildcard             // *.example.org
	kindCIDR                 // 10.0.0.0/8, [2001:db8::/32]
	kindAny                  // *
)

// String returns the rule in its canonical form; New accepts it and gives the
// same rule again.
func (r Rule) String() string {
	target := r.host() + ":" + r.ports.String()
	if r.source == "" {
		return target
	}
	return r.source + " " + arrow + " " + target
}

// Source returns the Host that the rule holds for, in canonical form; "" is everybody.
func (r Rule) Source() string { return r.source }

func (r Rule) host() string {
	switch r.kind {
	case kindName:
		return r.name
	case kindWildcard:
		return "*." + r.name
	case kindAny:
		return "*"
	}
	text := r.net.String()
	if r.kind == kindAddr {
		text = r.net.Addr().String()
	}
	if r.net.Addr().Is6() {
		return "[" + text + "]"
	}
	return text
}

// parseRule reads one rule, without comment and surrounding space. Its errors
// say what is wrong and what to write instead.
func parseRule(s string, o Options) (Rule, error) {
	source, target, ok := strings.Cut(s, arrow)
	if !ok {
		return parseTarget(s, o)
	}
	from, err := parseSource(strings.TrimRight(source, " \t"))
	if err != nil {
		return Rule{}, err
	}
	if target = strings.TrimLeft(target, " \t"); target == "" {
		return Rule{}, errors.New("nothing behind ->; write SOURCE -> HOST:PORT")
	}
	if strings.Contains(target, arrow) {
		return Rule{}, errors.New("two arrows; write one rule SOURCE -> HOST:PORT for each")
	}
	r, err := parseTarget(target, o)
	if err != nil {
		return Rule{}, err
	}
	r.source = from
	return r, nil
}

// parseTarget reads a rule without a source.
func parseTarget(s string, o Options) (Rule, error) {
	if strings.ContainsAny(s, " \t") {
		return Rule{}, errors.New("a space inside the rule; write each rule without spaces and on its own")
	}
	host, port, err := splitPort(s)
	if err != nil {
		return Rule{}, err
	}
	r, err := parseRuleHost(host)
	if err != nil {
		return Rule{}, err
	}
	if r.ports, err = parsePorts(port); err != nil {
		return Rule{}, err
	}
	if r.anyHost() && !o.AnyHost {
		return Rule{}, errors.New("this lets pages reach any host; name the hosts, or pass --allow-any-host if that is meant")
	}
	if r.kind != kindName && r.kind != kindAddr {
		for _, span := range r.ports {
			if service := neverWeb(span.lo); span.lo == span.hi && service != "" {
				return Rule{}, fmt.Errorf("port %d (%s) is opened only for a single host or address; write a rule HOST:%d for each",
					span.lo, service, span.lo)
			}
		}
	}
	return r, nil
}

func parseRuleHost(s string) (Rule, error) {
	if s == "*" {
		return Rule{kind: kindAny}, nil
	}
	if strings.Contains(s, "/") {
		return parseCIDR(s)
	}
	if parent, ok := strings.CutPrefix(s, "*."); ok {
		name, err := parseHost(parent)
		if err != nil {
			return Rule{}, fmt.Errorf("behind *. : %w", err)
		}
		if _, ok := literal(name); ok {
			return Rule{}, errors.New("a wildcard in front of an address; write a CIDR such as 10.0.0.0/8 instead")
		}
		return Rule{kind: kindWildcard, name: name}, nil
	}
	if strings.Contains(s, "*") {
		return Rule{}, errors.New(`"*" may only stand for whole labels at the front; write *.example.org`)
	}
	name, err := parseHost(s)
	if err != nil {
		return Rule{}, err
	}
	if addr, ok := literal(name); ok {
		return Rule{kind: kindAddr, net: netip.PrefixFrom(addr, addr.BitLen())}, nil
	}
	return Rule{kind: kindName, name: name}, nil
}

func parseCIDR(s string) (Rule, error) {
	text, bracket := strings.CutPrefix(s, "[")
	if bracket {
		text = strings.TrimSuffix(text, "]")
	}
	p, err := netip.ParsePrefix(text)
	switch {
	case err != nil || bracket != p.Addr().Is6():
		return Rule{}, errors.New("not a CIDR; write 10.0.0.0/8 or [2001:db8::/32]")
	case p.Addr().Is4In6():
		return Rule{}, errors.New("an IPv4-mapped CIDR; write it as IPv4, such as 10.0.0.0/8")
	case p != p.Masked():
		return Rule{}, fmt.Errorf("bits are set behind the prefix; write %s for the network or leave /%d away for the address",
			p.Masked(), p.Bits())
	case p.IsSingleIP():
		return Rule{kind: kindAddr, net: p}, nil
	}
	return Rule{kind: kindCIDR, net: p}, nil
}

// anyHost reports whether the rule opens so much that the operator has to say
// so twice: "*", and CIDRs of more than an IPv4 /8 or an IPv6 /16, unless they
// lie within one of the ranges that are refused by themselves.
func (r Rule) anyHost() bool {
	switch r.kind {
	case kindAny:
		return true
	case kindCIDR:
		least := 8
		if r.net.Addr().Is6() {
			least = 16
		}
		refused := rangeOf(r.net.Addr())
		return r.net.Bits() < least && (refused.class == classPublic || !within(r.net, refused.net))
	}
	return false
}
