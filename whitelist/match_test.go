package whitelist_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"encke/whitelist"
)

func TestCheck(t *testing.T) {
	tests := []struct {
		name   string
		rules  string // separated by spaces
		allows string
		denies string
	}{
		{"exact", "irc.example.org:6667",
			"irc.example.org:6667",
			"irc.example.org:6668 example.org:6667 x.irc.example.org:6667 irc.example.com:6667 xirc.example.org:6667 irc.example.org.evil.test:6667 8.8.8.8:6667"},
		{"list and range", "a.test:6667,7000-7002",
			"a.test:6667 a.test:7000 a.test:7001 a.test:7002",
			"a.test:6666 a.test:6668 a.test:6999 a.test:7003"},
		{"two rules for a host", "a.test:1000 b.test:1 a.test:2000",
			"a.test:1000 a.test:2000", "a.test:1 b.test:1000"},
		{"wildcard", "*.example.org:6667",
			"a.example.org:6667 a.b.example.org:6667 a.b.c.d.e.example.org:6667",
			"example.org:6667 org:6667 aexample.org:6667 a.example.org:6668 a.example.org.evil.test:6667 a.example.com:6667"},
		{"wildcards nest", "*.org:1000 *.example.org:2000",
			"a.example.org:1000 a.example.org:2000 example.org:1000", "example.org:2000 org:1000"},
		{"all ports", "a.test:*",
			"a.test:6667 a.test:65535 a.test:443 a.test:6697 a.test:6669 a.test:5222",
			"a.test:25 a.test:465 a.test:587 a.test:22 a.test:1 a.test:10080"},
		{"never-web by name", "a.test:25,587 10.0.0.1:22 [2001:db8::1]:6000 localhost:143",
			"a.test:25 a.test:587 10.0.0.1:22 [2001:db8::1]:6000 localhost:143",
			"a.test:465 10.0.0.2:22 [2001:db8::2]:6000 b.test:25"},
		{"never-web by range", "a.test:20-30,580-590 10.0.0.1:20-30 10.0.0.0/8:1-1000 *.test:20-30",
			"a.test:24 a.test:26 a.test:588 10.0.0.1:24 10.9.9.9:80 b.test:30",
			"a.test:25 a.test:22 a.test:587 10.0.0.1:25 10.9.9.9:25 b.test:25"},
		{"CIDR", "10.1.0.0/16:6667 [2001:db8:1::/48]:6667",
			"10.1.0.0:6667 10.1.255.255:6667 [2001:db8:1::9]:6667 [2001:db8:1:ffff::]:6667",
			"10.0.255.255:6667 10.2.0.0:6667 10.1.0.0:6668 [2001:db8:2::]:6667 internal.test:6667 localhost:6667"},
		{"mapped is IPv4", "10.1.0.0/16:6667 192.0.2.7:80",
			"[::ffff:10.1.2.3]:6667 [::ffff:192.0.2.7]:80", "[::10.1.2.3]:6667 [64:ff9b::10.1.2.3]:6667"},
		{"address", "192.0.2.7:80 [2001:db8::1]:80",
			"192.0.2.7:80 [2001:db8:0:0::1]:80", "192.0.2.8:80 [2001:db8::2]:80 192.0.2.7:81"},
		{"name is no address", "localhost:6667", "localhost:6667", "127.0.0.1:6667 [::1]:6667 a.localhost:6667"},
		{"IDNA", "bücher.example:80", "bücher.example:80 BÜCHER.example:80 xn--bcher-kva.example:80", "bucher.example:80"},
	}
	for _, test := range tests {
		rules := mustNew(t, strings.Fields(test.rules)...)
		for _, target := range strings.Fields(test.allows) {
			if err := rules.From("").Check(mustDest(t, target)); err != nil {
				t.Errorf("%s: %s under %s: %v", test.name, target, test.rules, err)
			}
		}
		for _, target := range strings.Fields(test.denies) {
			d := mustDest(t, target)
			err := rules.From("").Check(d)
			var denied *whitelist.DeniedError
			if !errors.As(err, &denied) || denied.Dest != d || denied.Class != "" {
				t.Errorf("%s: %s under %s: %v, want a *DeniedError", test.name, target, test.rules, err)
			}
		}
	}
}

// Every port of the Fetch standard's table but IRC's is shut under "*" and open
// when named.
func TestNeverWebPorts(t *testing.T) {
	table := []uint16{1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43,
		53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110, 111, 113, 115, 117,
		119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515,
		526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993,
		995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 10080}
	shut := make(map[uint16]bool)
	for _, p := range table {
		shut[p] = true
	}
	all, err := whitelist.Options{AnyHost: true}.New("*:*", "*.test:*", "a.test:*", "0.0.0.0/0:*", "10.0.0.1:*")
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"a.test", "b.test", "8.8.8.8", "10.0.0.1"} {
		for p := 1; p <= 65535; p++ {
			d := whitelist.Dest{Host: host, Port: uint16(p)}
			if got := all.From("").Check(d) == nil; got == shut[d.Port] {
				t.Errorf("Check(%v) under *: allowed %v", d, got)
			}
		}
	}
	for _, p := range table {
		d := whitelist.Dest{Host: "a.test", Port: p}
		if err := mustNew(t, d.String()).From("").Check(d); err != nil {
			t.Errorf("Check(%v) with its own rule: %v", d, err)
		}
	}
}

func TestAnyHost(t *testing.T) {
	rules, err := whitelist.Options{AnyHost: true}.New("*:6667")
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"a.test:6667", "localhost:6667", "8.8.8.8:6667", "[2001:db8::1]:6667"} {
		if err := rules.From("").Check(mustDest(t, target)); err != nil {
			t.Errorf("Check(%s) under *:6667: %v", target, err)
		}
	}
	// It opens no refused address, by whatever name.
	for _, addr := range []string{"127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00:ec2::254"} {
		for _, host := range []string{"evil.test", "localhost", addr} {
			d := whitelist.Dest{Host: host, Port: 6667}
			if err := rules.From("").CheckAddr(d, netip.MustParseAddr(addr)); err == nil {
				t.Errorf("CheckAddr(%v, %s) is allowed under *:6667", d, addr)
			}
		}
	}
}

func TestNoRulesDenyAll(t *testing.T) {
	d := mustDest(t, "a.test:80")
	for _, r := range []*whitelist.Rules{nil, {}} {
		if r.From("").Check(d) == nil || r.From("").CheckAddr(d, netip.MustParseAddr("8.8.8.8")) == nil {
			t.Errorf("%#v allows %v", r, d)
		}
		if addrs, err := r.From("").CheckAddrs(d, []netip.Addr{netip.MustParseAddr("8.8.8.8")}); err == nil || addrs != nil {
			t.Errorf("%#v allows %v at %v", r, d, addrs)
		}
		if r.String() != "" || r.List() != nil {
			t.Errorf("%#v has rules", r)
		}
	}
}

func TestHandMadeDest(t *testing.T) {
	rules, err := whitelist.Options{AnyHost: true}.New("*:80", "*.example.org:80", "a.test:80", "127.0.0.1:80")
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"", ".", "A.test", "a.test.", ".example.org", "..example.org", "a..example.org",
		"x y.example.org", "x\x00.example.org", "X.example.org", "a.example.org.", "0x7f.1", "2130706433",
		"[::1]", "[127.0.0.1]", "127.0.0.1%", "::ffff:127.0.0.1", "fe80::1%eth0", "evil/.example.org"} {
		if err := rules.From("").Check(whitelist.Dest{Host: host, Port: 80}); err == nil {
			t.Errorf("Check allows the host %q, which is not canonical", host)
		}
	}
	if err := rules.From("").Check(whitelist.Dest{Host: "a.test"}); err == nil {
		t.Error("Check allows port 0")
	}
}

func TestJoin(t *testing.T) {
	flags := mustNew(t, "a.test:1000")
	file, err := whitelist.Options{AllowPrivate: true}.New("b.test:2000", "127.0.0.0/8:3000")
	if err != nil {
		t.Fatal(err)
	}
	file.Deny(netip.MustParseAddrPort("127.0.0.1:3000"))
	both := flags.Join(file)
	if got, want := both.String(), "a.test:1000\nb.test:2000\n127.0.0.0/8:3000"; got != want {
		t.Errorf("Join: %q, want %q", got, want)
	}
	for target, want := range map[string]string{
		"a.test:1000": "10.0.0.1 ok", "b.test:2000": "10.0.0.1 ok", "a.test:2000": "8.8.8.8 no-rule",
		"127.0.0.1:3000": "127.0.0.1 own", "127.0.0.2:3000": "127.0.0.2 ok",
	} {
		addr, outcome, _ := strings.Cut(want, " ")
		if got := classOf(both.From("").CheckAddr(mustDest(t, target), netip.MustParseAddr(addr))); got != outcome {
			t.Errorf("joined: %s at %s: %s, want %s", target, addr, got, outcome)
		}
	}
	if flags.Join(nil) != flags || (*whitelist.Rules)(nil).Join(file) != file || flags.String() != "a.test:1000" {
		t.Error("Join with nil must give the other one and leave both alone")
	}
}

func mustDest(t testing.TB, target string) whitelist.Dest {
	t.Helper()
	d, err := whitelist.ParseHostPort(target)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
