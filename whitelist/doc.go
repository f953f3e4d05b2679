// Package whitelist holds the rules that say which host, port and address a
// page may reach. It is pure: it reads no network, no clock and no
// environment, and imports nothing of ours.
//
//	rules, err := whitelist.New("irc.example.org:6667,6697", "10.1.0.0/16:*")
//	...
//	dest, err := whitelist.ParseDest(host, port)  // *BadTargetError
//	scope := rules.From(request.Host)             // what this one may reach
//	err = scope.Check(dest)                       // *DeniedError: by name
//	addrs, err := resolver.LookupNetIP(ctx, "ip", dest.Host)
//	addrs, err = scope.CheckAddrs(dest, addrs)    // *DeniedError: by address
//	conn, err := dialer.Dial("tcp", addrs[0])     // the address, never the name
//
// The order is the defence: check by name, resolve once, check every address,
// dial a checked address. A second lookup could give another answer.
//
// # Rules
//
//	irc.example.org:6667             this host, this port
//	irc.example.org:6667,7000-7010   a list of ports and ranges
//	*.example.org:6697               one or more labels before it, never example.org itself
//	10.0.0.0/8:6667                  a CIDR; also names addresses, see below
//	192.0.2.7:6667                   one address
//	[2001:db8::1]:6667  [2001:db8::/32]:6667
//	irc.example.org:*                all ports but the never-web ports
//	*:6667                           any host; needs Options.AnyHost
//	www.example.org -> irc.example.org:6667  only for a source, see below
//
// Hosts with other than ASCII letters are compared in their xn-- form. A host
// asked for by name needs a rule with a name, a host asked for by address needs
// a rule with an address: a CIDR does not let a page look up names.
//
// # Sources
//
// A rule with a source holds for those only who asked the proxy by that name: the Host
// header field of the request, as browsers send it, with its port unless that is 80 or
// 443. Rules without one hold for all, as do those with the source "*". That a rule names
// an address opens it for the same source. A source tells the sites of one proxy
// apart; it is no password: a program sends whatever Host it likes.
//
// # Ports never opened by accident
//
// Mail, file, login and similar services take orders from anyone who sends
// them lines, so their ports (neverweb.go) are open only where a rule names
// both one host or address and the very port. "*", ranges, wildcards and CIDRs
// never open them.
//
// # Addresses never reached by accident
//
// A name that is allowed may still resolve to an address inside: the owner of
// the name decides what it says. The ranges in addr.go (loopback, private,
// link-local, metadata services, multicast, ...) are therefore refused unless
//
//   - a rule names the address, at this port: 10.0.0.5:6667, or
//   - a rule names a CIDR that lies within the refused range, at this port:
//     10.0.0.0/16:6667. 0.0.0.0/0 names no range and opens none, or
//   - the range is private (10/8, 172.16/12, 192.168/16, fc00::/7) and
//     Options.AllowPrivate is set, or
//   - the range is loopback, the host asked for is localhost and a rule names
//     exactly localhost at this port: whoever writes localhost:6667 means the
//     loopback addresses.
//
// The address of a metadata service is opened only by a rule with exactly this
// address. IPv6 addresses that carry an IPv4 address inside are judged by the
// inner address as well; IPv4-mapped ones are IPv4 addresses here.
//
// # Invariants
//
//   - No rule, a nil *Rules or a zero one, a zero Scope: nothing is allowed.
//   - Nothing can be asked without saying who asks; a Host that cannot be read is nobody's.
//   - An accepted Dest is canonical: ParseDest of its parts gives it again.
//   - The proxy's own addresses (Deny) are refused whatever the rules say.
//   - Rules may be used by many goroutines at once; only Deny changes them.
package whitelist
