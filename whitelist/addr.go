package whitelist

import "net/netip"

// class is why an address is refused although its name is allowed. It is part
// of DeniedError, for logs and metrics.
type class = string

const (
	classPublic     class = "" // not refused
	classMetadata   class = "metadata"
	classLoopback   class = "loopback"
	classPrivate    class = "private"
	classLinkLocal  class = "link-local"
	classUnspec     class = "unspecified"
	classShared     class = "shared"
	classMulticast  class = "multicast"
	classBroadcast  class = "broadcast"
	classDocs       class = "documentation"
	classBenchmark  class = "benchmark"
	classProtocol   class = "protocol-assignment"
	classSiteLocal  class = "site-local"
	classCompatible class = "ipv4-compatible"
	classTranslated class = "ipv4-translated"
	class6to4       class = "6to4"
	classTeredo     class = "teredo"
	classReserved   class = "reserved"
)

// addrRange is a block of addresses of one class.
type addrRange struct {
	net   netip.Prefix
	class class
}

func block(cidr string, c class) addrRange {
	return addrRange{netip.MustParsePrefix(cidr), c}
}

// ranges4 and ranges6 are the refused ranges; the first that holds an address
// counts. They follow the special-purpose registries of IANA (RFC 6890); the metadata
// addresses are those that large hosters document.
var ranges4 = []addrRange{
	block("169.254.169.254/32", classMetadata), // AWS, GCP, Azure and most others
	block("169.254.170.2/32", classMetadata),   // AWS containers
	block("169.254.170.23/32", classMetadata),  // AWS Kubernetes pods
	block("100.100.100.200/32", classMetadata), // Alibaba
	block("192.0.0.192/32", classMetadata),     // Oracle
	block("168.63.129.16/32", classMetadata),   // Azure host agent
	block("0.0.0.0/8", classUnspec),
	block("10.0.0.0/8", classPrivate),
	block("100.64.0.0/10", classShared), // carrier-grade NAT
	block("127.0.0.0/8", classLoopback),
	block("169.254.0.0/16", classLinkLocal),
	block("172.16.0.0/12", classPrivate),
	block("192.0.0.0/24", classProtocol),
	block("192.0.2.0/24", classDocs),
	block("192.88.99.0/24", class6to4), // relays, anycast
	block("192.168.0.0/16", classPrivate),
	block("198.18.0.0/15", classBenchmark),
	block("198.51.100.0/24", classDocs),
	block("203.0.113.0/24", classDocs),
	block("224.0.0.0/4", classMulticast),
	block("255.255.255.255/32", classBroadcast),
	block("240.0.0.0/4", classReserved),
}

var ranges6 = []addrRange{
	block("fd00:ec2::254/128", classMetadata), // AWS
	block("fd00:ec2::23/128", classMetadata),  // AWS Kubernetes pods
	block("fd20:ce::254/128", classMetadata),  // GCP
	block("fd00:42::42/128", classMetadata),   // Scaleway
	block("::/128", classUnspec),
	block("::1/128", classLoopback),
	block("::/96", classCompatible),
	block("::ffff:0:0:0/96", classTranslated),
	block("64:ff9b::/96", classPublic),       // NAT64: how IPv6-only machines reach IPv4; the inner address counts
	block("64:ff9b:1::/48", classTranslated), // NAT64 of the local network
	block("2001::/32", classTeredo),
	block("2001:2::/48", classBenchmark),
	block("2001::/23", classProtocol),
	block("2001:db8::/32", classDocs),
	block("2002::/16", class6to4),
	block("3fff::/20", classDocs),
	block("2000::/3", classPublic), // all that is handed out so far
	block("fc00::/7", classPrivate),
	block("fe80::/10", classLinkLocal),
	block("fec0::/10", classSiteLocal),
	block("ff00::/8", classMulticast),
	block("::/3", classReserved), // these three: what nobody was given yet
	block("4000::/2", classReserved),
	block("8000::/1", classReserved),
}

// rangeOf returns the range that decides about an address, which is neither
// IPv4-mapped nor zoned. Its class is classPublic if no range refuses it.
func rangeOf(a netip.Addr) addrRange {
	ranges := ranges6
	if a.Is4() {
		ranges = ranges4
	}
	for i := range ranges {
		if ranges[i].net.Contains(a) {
			return ranges[i]
		}
	}
	return addrRange{}
}

// within reports whether all of inner lies in outer.
func within(inner, outer netip.Prefix) bool {
	return inner.Bits() >= outer.Bits() && outer.Contains(inner.Addr())
}

// carriers are the IPv6 ranges whose addresses hold an IPv4 address, at byte at.
var carriers = []struct {
	net    netip.Prefix
	at     int
	invert bool // the bytes are stored inverted
}{
	{netip.MustParsePrefix("::/96"), 12, false},
	{netip.MustParsePrefix("::ffff:0:0:0/96"), 12, false},
	{netip.MustParsePrefix("64:ff9b::/96"), 12, false},
	{netip.MustParsePrefix("64:ff9b:1::/48"), 12, false}, // where its users use a /96, as most do
	{netip.MustParsePrefix("2002::/16"), 2, false},
	{netip.MustParsePrefix("2001::/32"), 4, false}, // Teredo: the server
	{netip.MustParsePrefix("2001::/32"), 12, true}, // and the client
}

// inner returns the IPv4 addresses that an IPv6 address carries: at most two.
// A packet to it may well end there.
func inner(a netip.Addr) (in [2]netip.Addr, n int) {
	if a.Is4() || a.IsUnspecified() || a.IsLoopback() {
		return in, 0
	}
	bytes := a.As16()
	for _, c := range carriers {
		if !c.net.Contains(a) {
			continue
		}
		v4 := [4]byte(bytes[c.at:])
		if c.invert {
			for i := range v4 {
				v4[i] = ^v4[i]
			}
		}
		in[n] = netip.AddrFrom4(v4)
		n++
	}
	return in, n
}
