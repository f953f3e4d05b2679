package whitelist

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const arrow = "->" // between the source of a rule and what it opens

// parseSource returns the canonical form of what stands in front of the arrow of a rule;
// "" stands for everybody.
func parseSource(s string) (string, error) {
	switch {
	case s == "*":
		return "", nil
	case s == "":
		return "", errors.New("nothing in front of ->; write the Host that asks, such as www.example.org, or * for all")
	case strings.ContainsAny(s, " \t"):
		return "", errors.New("a space inside the source; write SOURCE -> HOST:PORT")
	case strings.Contains(s, "://"):
		return "", errors.New("the source is a URL; write its host alone, and its port unless it is 80 or 443")
	case strings.Contains(s, "*"):
		return "", errors.New("the source is one host, or * alone for all; write a rule for each")
	}
	source, err := canonicalHost(s)
	if err != nil {
		return "", fmt.Errorf("the source: %w", err)
	}
	return source, nil
}

// canonicalHost brings a Host header field into the one form in which sources are
// compared: the host as ParseDest has it, in brackets if it is an IPv6 address, and the
// port. The ports 80 and 443 are left out, as browsers do where they are the default.
func canonicalHost(s string) (string, error) {
	host, port := s, ""
	if i := strings.LastIndexByte(s, ':'); i >= 0 && !strings.HasSuffix(s, "]") {
		host, port = s[:i], s[i+1:]
		if _, ok := parsePort(port); !ok {
			return "", fmt.Errorf("%q is not a port; write a number in 1-65535", clip(port))
		}
	}
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		return "", errors.New("an IPv6 address without brackets; write [2001:db8::1]:8000")
	}
	name, err := parseHost(host)
	if err != nil {
		return "", err
	}
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	if n, _ := strconv.Atoi(port); n != 0 && n != 80 && n != 443 {
		name += ":" + port
	}
	return name, nil
}
