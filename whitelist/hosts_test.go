package whitelist_test

import (
	"bufio"
	"errors"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"

	"encke/whitelist"
)

// spelling is a line of testdata/hosts.txt.
type spelling struct {
	line    int
	host    string
	outcome string // bad, ok or a class
	want    string // canonical host; empty when bad
}

func spellings(t testing.TB) []spelling {
	t.Helper()
	file, err := os.Open("testdata/hosts.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []spelling
	seen := make(map[string]int)
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		text := lines.Text()
		if text == "" || text[0] == '#' {
			continue
		}
		quoted, err := strconv.QuotedPrefix(text)
		if err != nil {
			t.Fatalf("hosts.txt:%d: %v", n, err)
		}
		host, _ := strconv.Unquote(quoted)
		fields := strings.Fields(text[len(quoted):])
		s := spelling{line: n, host: host, outcome: fields[0]}
		if bad := s.outcome == "bad"; bad != (len(fields) == 1) || len(fields) > 2 {
			t.Fatalf("hosts.txt:%d: a canonical form goes with everything but bad", n)
		} else if !bad {
			s.want = fields[1]
		}
		if first := seen[host]; first != 0 {
			t.Fatalf("hosts.txt:%d: the same as line %d", n, first)
		}
		seen[host] = n
		all = append(all, s)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if len(all) < 250 {
		t.Fatalf("hosts.txt has %d spellings, want at least 250", len(all))
	}
	return all
}

func TestSpellings(t *testing.T) {
	rules, err := whitelist.Options{AnyHost: true}.New("*:6667")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range spellings(t) {
		dest, err := whitelist.ParseDest(s.host, 6667)
		if s.outcome == "bad" {
			var bad *whitelist.BadTargetError
			if !errors.As(err, &bad) || bad.Host != s.host || bad.Problem == "" || dest != (whitelist.Dest{}) {
				t.Errorf("hosts.txt:%d: ParseDest(%q) = %+v, %v; want a *BadTargetError", s.line, s.host, dest, err)
			}
			// A caller that forgot ParseDest gets no further.
			if err := rules.From("").Check(whitelist.Dest{Host: s.host, Port: 6667}); err == nil {
				t.Errorf("hosts.txt:%d: Check allows the raw %q", s.line, s.host)
			}
			continue
		}
		if err != nil || dest.Host != s.want || dest.Port != 6667 {
			t.Errorf("hosts.txt:%d: ParseDest(%q) = %+v, %v; want %s", s.line, s.host, dest, err, s.want)
			continue
		}
		if err := rules.From("").Check(dest); err != nil {
			t.Errorf("hosts.txt:%d: Check(%v) = %v under *:6667", s.line, dest, err)
		}
		// A host that is an address is reached there, a name at a public one.
		addr, err := netip.ParseAddr(dest.Host)
		if err != nil {
			addr = netip.MustParseAddr("8.8.4.4")
		}
		if got, want := classOf(rules.From("").CheckAddr(dest, addr)), s.outcome; got != want {
			t.Errorf("hosts.txt:%d: CheckAddr(%v, %v): class %s, want %s", s.line, dest, addr, got, want)
		}
	}
}

// Whatever the spelling: a host gets through only if its canonical form is the
// one that the rules name.
func TestSpellingsAgainstNamedHosts(t *testing.T) {
	rules := mustNew(t, "irc.example.org:6667", "localhost:6667", "*.nip.io:6667", "8.8.8.8:6667", "[2001:db8::/32]:6667")
	allowed := map[string]bool{
		"irc.example.org": true, "localhost": true, "127.0.0.1.nip.io": true,
		"8.8.8.8": true, "2001:db8::1": true,
	}
	for _, s := range spellings(t) {
		err := rules.From("").Check(whitelist.Dest{Host: s.want, Port: 6667})
		if got := err == nil; got != allowed[s.want] {
			t.Errorf("hosts.txt:%d: Check(%q) = %v", s.line, s.want, err)
		}
		if s.host == s.want {
			continue
		}
		// The raw spelling must not match either, except that other spellings of
		// one IPv6 address are the same address.
		err = rules.From("").Check(whitelist.Dest{Host: s.host, Port: 6667})
		if _, notAddr := netip.ParseAddr(s.host); err == nil && notAddr != nil {
			t.Errorf("hosts.txt:%d: Check allows the raw %q", s.line, s.host)
		}
	}
}

func TestParseDestPorts(t *testing.T) {
	for _, port := range []uint64{0, 65536, 1 << 32, 1<<32 + 80, 1<<63 + 80, 1<<64 - 1} {
		if d, err := whitelist.ParseDest("irc.example.org", port); err == nil {
			t.Errorf("ParseDest(port %d) = %v, want an error", port, d)
		}
	}
	for _, port := range []uint64{1, 80, 65535} {
		d, err := whitelist.ParseDest("irc.example.org", port)
		if err != nil || uint64(d.Port) != port {
			t.Errorf("ParseDest(port %d) = %v, %v", port, d, err)
		}
	}
}

func TestParseDestLengths(t *testing.T) {
	name := strings.Repeat(strings.Repeat("a", 49)+".", 5) + "abc" // 253 bytes
	for host, good := range map[string]bool{
		name:                       true,
		name + ".":                 true,
		name + "d":                 false,
		strings.Repeat("a.", 127):  true,
		strings.Repeat("a.", 128):  false,
		strings.Repeat("ü", 60):    false, // 63 bytes or fewer as seen, more as xn--
		strings.Repeat("a", 1<<20): false,
		strings.Repeat("ü.", 400):  false,
	} {
		_, err := whitelist.ParseDest(host, 80)
		if (err == nil) != good {
			t.Errorf("ParseDest(%.20q..., %d bytes) = %v", host, len(host), err)
		}
		if err != nil && len(err.Error()) > 1500 {
			t.Errorf("the error about %d bytes is %d bytes long", len(host), len(err.Error()))
		}
	}
}

func TestParseHostPort(t *testing.T) {
	tests := []struct{ in, want string }{
		{"irc.example.org:6667", "irc.example.org:6667"},
		{"IRC.example.org.:6667", "irc.example.org:6667"},
		{"8.8.8.8:53", "8.8.8.8:53"},
		{"[2001:db8::1]:6667", "[2001:db8::1]:6667"},
		{"[::ffff:10.0.0.1]:6667", "10.0.0.1:6667"},
		{"localhost:1", "localhost:1"},
		{"localhost:65535", "localhost:65535"},
		{"", ""}, {":", ""}, {":80", ""}, {"localhost", ""}, {"localhost:", ""},
		{"localhost:0", ""}, {"localhost:65536", ""}, {"localhost:080", ""},
		{"localhost:+80", ""}, {"localhost:-80", ""}, {"localhost: 80", ""},
		{"localhost:80 ", ""}, {"localhost:0x50", ""}, {"localhost:8_0", ""},
		{"localhost:８０", ""}, {"localhost:http", ""}, {"localhost:80,81", ""},
		{"localhost:*", ""}, {"*:80", ""}, {"::1:80", ""}, {"2001:db8::1:80", ""},
		{"[::1]", ""}, {"[::1]80", ""}, {"[::1]:", ""}, {"[::1:80", ""}, {"[localhost]:80", ""},
		{"[::1]]:80", ""}, {"tcp://localhost:80", ""}, {"localhost:80:80", ""},
		{"user@localhost:80", ""}, {"localhost:99999999999999999999", ""},
	}
	for _, test := range tests {
		d, err := whitelist.ParseHostPort(test.in)
		if test.want == "" {
			var bad *whitelist.BadTargetError
			if !errors.As(err, &bad) {
				t.Errorf("ParseHostPort(%q) = %v, %v; want a *BadTargetError", test.in, d, err)
			}
			continue
		}
		if err != nil || d.String() != test.want {
			t.Errorf("ParseHostPort(%q) = %v, %v; want %s", test.in, d, err, test.want)
		}
	}
}

func mustNew(t testing.TB, rules ...string) *whitelist.Rules {
	t.Helper()
	r, err := whitelist.New(rules...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// classOf tells how a check ended: ok, no-rule or a class.
func classOf(err error) string {
	var denied *whitelist.DeniedError
	switch {
	case err == nil:
		return "ok"
	case !errors.As(err, &denied):
		return "not a *DeniedError: " + err.Error()
	case denied.Class == "":
		return "no-rule"
	}
	return denied.Class
}
