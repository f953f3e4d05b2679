package whitelist

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

const (
	maxHost  = 253  // bytes of a name in ASCII form
	maxLabel = 63   // bytes between two dots
	maxInput = 1024 // bytes before conversion; more is refused unread
)

// parseHost returns the canonical form of a host: see ParseDest.
func parseHost(s string) (string, error) {
	switch {
	case s == "":
		return "", errors.New("the host is empty")
	case len(s) > maxInput:
		return "", fmt.Errorf("the host is longer than %d bytes", maxHost)
	case !utf8.ValidString(s):
		return "", errors.New("the host is not UTF-8") // idna would read U+FFFD
	case strings.ContainsAny(s, "[]:"):
		return parseIPv6(s)
	}
	for i := range len(s) {
		if c := s[i]; c < 0x80 && !ldh(c) && c != '.' {
			return "", fmt.Errorf("the host holds %q; only letters, digits, dots and hyphens may be in it", c)
		}
	}
	name, err := parseName(strings.TrimSuffix(s, "."))
	if err != nil {
		return "", err
	}
	if !endsInNumber(name) {
		return name, nil
	}
	// inet_aton and its heirs read such a host as an address, each in its own way.
	addr, err := netip.ParseAddr(name)
	if err != nil || !addr.Is4() || !ascii(s) {
		return "", errors.New("not an IPv4 address in four decimal parts, such as 192.0.2.7")
	}
	return addr.String(), nil
}

func parseIPv6(s string) (string, error) {
	inner := s
	if strings.ContainsAny(s, "[]") {
		var open, closed bool
		inner, open = strings.CutPrefix(inner, "[")
		inner, closed = strings.CutSuffix(inner, "]")
		if !open || !closed {
			return "", errors.New("brackets are only for an IPv6 address, such as [2001:db8::1]")
		}
	}
	addr, err := netip.ParseAddr(inner)
	switch {
	case err != nil || !addr.Is6():
		return "", errors.New("not an IPv6 address")
	case addr.Zone() != "":
		return "", errors.New("an IPv6 address must not have a zone")
	}
	return addr.Unmap().String(), nil
}

// parseName converts a name, without its trailing dot, to lower-case ASCII.
func parseName(s string) (string, error) {
	name, err := idna.Lookup.ToASCII(s)
	if err != nil {
		return "", fmt.Errorf("not a valid host name (%s)", clip(err.Error()))
	}
	// Some characters map to ones that are not allowed, which the profile notices only
	// when it reads its own result.
	if strings.Contains(name, "xn--") {
		if again, err := idna.Lookup.ToASCII(name); err != nil || again != name {
			return "", errors.New("not a valid host name")
		}
	}
	// The profile maps ideographic and full-width dots to dots, so what looks
	// like one label becomes two.
	if strings.Count(name, ".") != strings.Count(s, ".") {
		return "", errors.New("the host holds a dot that is not an ASCII dot")
	}
	if len(name) > maxHost {
		return "", fmt.Errorf("the host is longer than %d bytes", maxHost)
	}
	for label := range strings.SplitSeq(name, ".") {
		switch {
		case label == "":
			return "", errors.New("the host has an empty label: two dots in a row, or a dot at an end")
		case len(label) > maxLabel:
			return "", fmt.Errorf("a label of the host is longer than %d bytes", maxLabel)
		}
		for i := range len(label) {
			if c := label[i]; !ldh(c) || 'A' <= c && c <= 'Z' {
				return "", fmt.Errorf("the host holds %q; only letters, digits, dots and hyphens may be in it", c)
			}
		}
	}
	return name, nil
}

// endsInNumber reports whether the last label is what a URL parser, inet_aton
// or getaddrinfo takes for a number: then the host is an address or nothing.
func endsInNumber(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	digits := "0123456789"
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		last, digits = hex, "0123456789abcdef"
	}
	return strings.Trim(last, digits) == ""
}

// literal returns the address that a canonical host is, if it is one.
func literal(host string) (netip.Addr, bool) {
	if host == "" || !strings.Contains(host, ":") && (!digit(host[0]) || !digit(host[len(host)-1])) {
		return netip.Addr{}, false // spares most names the price of a parse error
	}
	addr, err := netip.ParseAddr(host)
	return addr, err == nil
}

// ldh reports whether c is a letter, a digit or a hyphen.
func ldh(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || digit(c) || c == '-'
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0
}
