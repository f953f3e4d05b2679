package whitelist

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ports is the port half of a rule: what it opens is the union of its spans.
type ports []span

// span is the ports lo to hi. A single port, lo == hi, is one that a rule
// names; only that opens a never-web port.
type span struct{ lo, hi uint16 }

var allPorts = span{1, 65535}

func (ps ports) covers(p uint16) bool {
	for _, s := range ps {
		if s.lo <= p && p <= s.hi && (s.lo == s.hi || neverWeb(p) == "") {
			return true
		}
	}
	return false
}

// String returns the ports as a rule has them: "*", "6667", "6667,7000-7010".
func (ps ports) String() string {
	if len(ps) == 1 && ps[0] == allPorts {
		return "*"
	}
	var b strings.Builder
	for i, s := range ps {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(int(s.lo)))
		if s.hi != s.lo {
			b.WriteByte('-')
			b.WriteString(strconv.Itoa(int(s.hi)))
		}
	}
	return b.String()
}

func parsePorts(s string) (ports, error) {
	switch s {
	case "":
		return nil, errors.New("no port behind the colon; write HOST:PORT, for example irc.example.org:6667")
	case "*":
		return ports{allPorts}, nil
	}
	var ps ports
	for item := range strings.SplitSeq(s, ",") {
		if item == "*" {
			return nil, errors.New(`"*" among other ports; write "*" alone, and a never-web port as a rule of its own`)
		}
		low, high, isRange := strings.Cut(item, "-")
		lo, ok := parsePort(low)
		if !ok {
			return nil, fmt.Errorf("%q is not a port; write a number in 1-65535, a range such as 7000-7010, or *", item)
		}
		hi := lo
		if isRange {
			if hi, ok = parsePort(high); !ok || hi <= lo {
				return nil, fmt.Errorf("%q is not a range of ports; write the lower port first, such as 7000-7010", item)
			}
		}
		ps = append(ps, span{lo, hi})
	}
	return ps, nil
}

// parsePort reads a plain decimal port: no sign, no space, no leading zero.
func parsePort(s string) (uint16, bool) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 || s[0] == '0' {
		return 0, false
	}
	return uint16(n), true
}
