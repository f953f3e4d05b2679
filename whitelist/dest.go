package whitelist

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Dest is where a page wants to go: the target of a socket. ParseDest and
// ParseHostPort make canonical ones; a hand-made Dest that is not canonical
// matches no rule.
type Dest struct {
	Host string // lower-case ASCII name without trailing dot, or an IP address without brackets and zone
	Port uint16 // never 0
}

// ParseDest brings a target into its one canonical form. The error is a
// *BadTargetError.
//
// Names become lower-case ASCII (IDNA, strict lookup profile) without their
// trailing dot. An address may be IPv4 in four decimal parts or IPv6, with or
// without brackets; an IPv4-mapped IPv6 address becomes the IPv4 address.
// Everything another parser might read as an address in a different way is
// refused: decimal, octal, hexadecimal and short IPv4, zones, dots that are not
// ASCII dots.
func ParseDest(host string, port uint64) (Dest, error) {
	name, err := parseHost(host)
	if err != nil {
		return Dest{}, &BadTargetError{Host: clip(host), Port: port, Problem: err.Error()}
	}
	if port < 1 || port > 65535 {
		return Dest{}, &BadTargetError{Host: clip(host), Port: port, Problem: "the port is not in 1-65535"}
	}
	return Dest{Host: name, Port: uint16(port)}, nil
}

// ParseHostPort is ParseDest for a target in one string, as on a command line:
// "host:port", "192.0.2.7:port" or "[2001:db8::1]:port". The port is plain
// decimal. The error is a *BadTargetError.
func ParseHostPort(s string) (Dest, error) {
	bad := func(problem string) (Dest, error) {
		return Dest{}, &BadTargetError{Host: clip(s), Problem: problem}
	}
	host, port, err := splitPort(s)
	if err != nil {
		return bad(err.Error())
	}
	n, ok := parsePort(port)
	if !ok {
		return bad("the port is not a number in 1-65535")
	}
	return ParseDest(host, uint64(n))
}

// String returns host:port, with brackets around an IPv6 address.
func (d Dest) String() string {
	return net.JoinHostPort(d.Host, strconv.Itoa(int(d.Port)))
}

// BadTargetError says why a target is not well formed. Its text repeats only
// what the caller sent.
type BadTargetError struct {
	Host    string // as asked for, cut after 256 bytes
	Port    uint64 // as asked for; 0 where host and port could not be told apart
	Problem string // what is wrong
}

// Error returns the problem behind the quoted target.
func (e *BadTargetError) Error() string {
	if e.Port == 0 {
		return fmt.Sprintf("bad target %q: %s", e.Host, e.Problem)
	}
	return fmt.Sprintf("bad target %q port %d: %s", e.Host, e.Port, e.Problem)
}

// splitPort cuts "host:port" at its colon and keeps the brackets of an IPv6
// literal with the host. It checks neither half.
func splitPort(s string) (host, port string, err error) {
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		switch {
		case end < 0:
			return "", "", fmt.Errorf("the bracket is not closed; write [IPV6]:PORT")
		case strings.HasPrefix(s[end+1:], "/"):
			return "", "", fmt.Errorf("the prefix length belongs inside the brackets; write [2001:db8::/32]:PORT")
		case !strings.HasPrefix(s[end+1:], ":"):
			return "", "", fmt.Errorf("no port; write [IPV6]:PORT")
		}
		return s[:end+1], s[end+2:], nil
	}
	switch strings.Count(s, ":") {
	case 0:
		return "", "", fmt.Errorf("no port; write HOST:PORT, for example irc.example.org:6667")
	case 1:
		host, port, _ = strings.Cut(s, ":")
		return host, port, nil
	}
	if strings.Contains(s, "://") {
		return "", "", fmt.Errorf("a URL; write HOST:PORT, for example irc.example.org:6667")
	}
	return "", "", fmt.Errorf("more than one colon; write an IPv6 address in brackets, [2001:db8::1]:6667")
}

// clip bounds what an error keeps of a text that a stranger wrote.
func clip(s string) string {
	const most = 256 // bytes
	if len(s) <= most {
		return s
	}
	return s[:most]
}
