package whitelist_test

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"encke/whitelist"
)

func TestCheckAddr(t *testing.T) {
	tests := []struct {
		name   string
		opts   whitelist.Options
		rules  string
		target string
		want   string // "address class", separated by commas
	}{
		{name: "allowed name, refused addresses", rules: "irc.example.org:6667", target: "irc.example.org:6667",
			want: "93.184.215.14 ok, 2606:2800::1 ok, 127.0.0.1 loopback, ::1 loopback, 0.0.0.0 unspecified, :: unspecified, " +
				"10.0.0.1 private, 172.16.0.1 private, 192.168.0.1 private, fd00::1 private, 100.64.0.1 shared, " +
				"169.254.1.1 link-local, fe80::1 link-local, 169.254.169.254 metadata, fd00:ec2::254 metadata, " +
				"224.0.0.1 multicast, ff02::1 multicast, 255.255.255.255 broadcast, 240.0.0.1 reserved, fec0::1 site-local, " +
				"192.0.0.1 protocol-assignment, 192.0.2.1 documentation, 2001:db8::1 documentation, 198.18.0.1 benchmark"},
		{name: "wrapped addresses", rules: "irc.example.org:6667", target: "irc.example.org:6667",
			want: "::ffff:93.184.215.14 ok, ::ffff:127.0.0.1 loopback, ::ffff:10.0.0.1 private, ::ffff:169.254.169.254 metadata, " +
				"::ffff:0.0.0.0 unspecified, ::127.0.0.1 ipv4-compatible, 64:ff9b::93.184.215.14 ok, 64:ff9b::127.0.0.1 loopback, " +
				"64:ff9b::10.0.0.1 private, 64:ff9b::a9fe:a9fe metadata, 64:ff9b:1::1.1.1.1 ipv4-translated, " +
				"2002:7f00:1::1 6to4, 2001:0:7f00:1::1 teredo"},
		{name: "zones", rules: "irc.example.org:6667", target: "irc.example.org:6667",
			want: "fe80::1%eth0 link-local, ::1%lo loopback, fd00:ec2::254%1 metadata, 2606:2800::1%eth0 ok"},
		{name: "named address", rules: "irc.example.org:6667 10.0.0.5:6667 [fe80::1]:6667 169.254.169.254:6667 [2002:7f00:1::1]:6667",
			target: "irc.example.org:6667",
			want: "10.0.0.5 ok, ::ffff:10.0.0.5 ok, 64:ff9b::10.0.0.5 ok, 10.0.0.6 private, fe80::1%eth0 ok, fe80::2%eth0 link-local, " +
				"169.254.169.254 ok, 169.254.169.253 link-local, 2002:7f00:1::1 ok, 2002:7f00:1::2 6to4"},
		{name: "named CIDR", rules: "irc.example.org:6667 10.0.0.0/8:6667 127.0.0.0/24:6667 [fd00::/8]:6667", target: "irc.example.org:6667",
			want: "10.9.9.9 ok, 64:ff9b::10.9.9.9 ok, 127.0.0.9 ok, 127.0.1.1 loopback, 192.168.0.1 private, fd00::1 ok, fc00::1 private"},
		{name: "a CIDR does not open metadata", rules: "irc.example.org:80 169.254.0.0/16:80 [fd00::/8]:80 100.64.0.0/10:80", target: "irc.example.org:80",
			want: "169.254.1.1 ok, 169.254.169.254 metadata, 169.254.170.2 metadata, fd00::1 ok, fd00:ec2::254 metadata, 100.100.100.200 metadata"},
		{name: "named at another port", rules: "irc.example.org:6667 10.0.0.5:6668 10.0.0.0/8:7000-8000", target: "irc.example.org:6667",
			want: "10.0.0.5 private, 10.0.0.6 private"},
		{name: "never-web port", rules: "mail.example.org:25 10.0.0.0/8:* 10.0.0.5:25", target: "mail.example.org:25",
			want: "8.8.8.8 ok, 10.0.0.5 ok, 10.0.0.6 private"},
		{name: "wide CIDR names nothing", opts: whitelist.Options{AnyHost: true},
			rules: "irc.example.org:6667 0.0.0.0/0:6667 [::/0]:6667 172.0.0.0/8:6667", target: "irc.example.org:6667",
			want: "8.8.8.8 ok, 127.0.0.1 loopback, 10.0.0.1 private, 172.16.0.1 private, ::1 loopback, fc00::1 private, 4000::1 reserved, 2002:808:808::1 6to4"},
		{name: "wrapper named, inside not", rules: "irc.example.org:6667 [2002::/16]:6667 [2001::/32]:6667 [64:ff9b:1::/48]:6667 [64:ff9b::/96]:6667 10.0.0.0/8:6667",
			target: "irc.example.org:6667",
			want: "2002:808:808::1 ok, 2002:7f00:1::1 loopback, 2002:a9fe:a9fe::1 metadata, 2002:a00:1::1 ok, " +
				"64:ff9b:1::8.8.8.8 ok, 64:ff9b:1::127.0.0.1 loopback, 64:ff9b::127.0.0.1 loopback, 64:ff9b:1::10.0.0.1 ok, " +
				// Teredo: server, then the inverted client.
				"2001:0:808:808:0:0:f7f7:f7f7 ok, 2001:0:7f00:1:0:0:f7f7:f7f7 loopback, 2001:0:808:808:0:0:80ff:fffe loopback"},
		{name: "private allowed", opts: whitelist.Options{AllowPrivate: true}, rules: "irc.example.org:6667", target: "irc.example.org:6667",
			want: "10.0.0.1 ok, 172.31.0.1 ok, 192.168.0.1 ok, fd00::1 ok, ::ffff:10.0.0.1 ok, 64:ff9b::10.0.0.1 ok, 127.0.0.1 loopback, " +
				"100.64.0.1 shared, 169.254.169.254 metadata, fd00:ec2::254 metadata, fe80::1 link-local, ::1 loopback"},
		{name: "localhost", rules: "localhost:6667", target: "localhost:6667",
			want: "127.0.0.1 ok, ::1 ok, 127.9.9.9 ok, ::ffff:127.0.0.1 ok, 10.0.0.1 private, 0.0.0.0 unspecified, :: unspecified, 169.254.169.254 metadata"},
		{name: "localhost at another port", rules: "localhost:6667 localhost:7000-8000", target: "localhost:6668", want: "127.0.0.1 no-rule"},
		{name: "localhost says nothing about others", rules: "localhost:6667 irc.example.org:6667", target: "irc.example.org:6667",
			want: "127.0.0.1 loopback, ::1 loopback"},
		{name: "localhost by wildcard", opts: whitelist.Options{AnyHost: true}, rules: "*:6667 *.localhost:6667", target: "localhost:6667",
			want: "127.0.0.1 loopback"},
		{name: "below localhost", rules: "*.localhost:6667", target: "a.localhost:6667", want: "127.0.0.1 loopback"},
		{name: "address asked for", rules: "10.0.0.0/8:6667", target: "10.0.0.5:6667",
			want: "10.0.0.5 ok, ::ffff:10.0.0.5 ok, 10.0.0.6 not-asked-for, 8.8.8.8 not-asked-for, 64:ff9b::10.0.0.5 not-asked-for"},
		{name: "address without rule", rules: "10.0.0.0/8:6667", target: "11.0.0.5:6667", want: "11.0.0.5 no-rule"},
		{name: "name without rule", rules: "irc.example.org:6667", target: "evil.test:6667", want: "8.8.8.8 no-rule, 127.0.0.1 no-rule"},
	}
	for _, test := range tests {
		rules, err := test.opts.New(strings.Fields(test.rules)...)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		d := mustDest(t, test.target)
		for item := range strings.SplitSeq(test.want, ", ") {
			addr, want, _ := strings.Cut(item, " ")
			if got := classOf(rules.From("").CheckAddr(d, netip.MustParseAddr(addr))); got != want {
				t.Errorf("%s: %v at %s: %s, want %s", test.name, d, addr, got, want)
			}
		}
	}
	rules := mustNew(t, "irc.example.org:6667")
	if got := classOf(rules.From("").CheckAddr(mustDest(t, "irc.example.org:6667"), netip.Addr{})); got != "no-address" {
		t.Errorf("the zero address: %s, want no-address", got)
	}
}

func TestCheckAddrs(t *testing.T) {
	addrs := func(s string) (list []netip.Addr) {
		for _, a := range strings.Fields(s) {
			list = append(list, netip.MustParseAddr(a))
		}
		return list
	}
	tests := []struct {
		name, in             string
		strict, lenient      string // what is left
		strictErr, lenienErr string
	}{
		{"good", "8.8.8.8 2606:2800::1", "8.8.8.8 2606:2800::1", "8.8.8.8 2606:2800::1", "ok", "ok"},
		{"order, repeats, mapped", "2606:2800::1 ::ffff:8.8.8.8 8.8.8.8 2606:2800::1", "2606:2800::1 8.8.8.8", "2606:2800::1 8.8.8.8", "ok", "ok"},
		{"one bad, last", "8.8.8.8 127.0.0.1", "", "8.8.8.8", "loopback", "ok"},
		{"one bad, first", "::ffff:127.0.0.1 8.8.8.8", "", "8.8.8.8", "loopback", "ok"},
		{"all bad", "10.0.0.1 127.0.0.1", "", "", "private", "private"},
		{"own", "8.8.8.8 9.9.9.9", "", "8.8.8.8", "own", "ok"},
		{"none", "", "", "", "no-address", "no-address"},
	}
	for _, test := range tests {
		for _, lenient := range []bool{false, true} {
			rules, err := whitelist.Options{DropDenied: lenient}.New("irc.example.org:6667")
			if err != nil {
				t.Fatal(err)
			}
			rules.Deny(netip.MustParseAddrPort("9.9.9.9:6667"))
			want, wantErr := test.strict, test.strictErr
			if lenient {
				want, wantErr = test.lenient, test.lenienErr
			}
			got, err := rules.From("").CheckAddrs(mustDest(t, "irc.example.org:6667"), addrs(test.in))
			if !reflect.DeepEqual(got, addrs(want)) || classOf(err) != wantErr {
				t.Errorf("%s, lenient %v: CheckAddrs(%s) = %v, %v; want %s, %s", test.name, lenient, test.in, got, err, want, wantErr)
			}
		}
	}
	rules, err := whitelist.Options{DropDenied: true}.New("irc.example.org:6667")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := rules.From("").CheckAddrs(mustDest(t, "evil.test:6667"), addrs("8.8.8.8")); got != nil || classOf(err) != "no-rule" {
		t.Errorf("CheckAddrs of a name without rule = %v, %v", got, err)
	}
}

func TestDeny(t *testing.T) {
	rules, err := whitelist.Options{AnyHost: true, AllowPrivate: true}.New("*:*", "localhost:*", "127.0.0.0/8:*", "[::1]:*",
		"127.0.0.1:8000", "0.0.0.0:8000", "[::]:8000", "0.0.0.0:9000", "192.168.1.5:8000", "[64:ff9b::192.168.1.5]:8000")
	if err != nil {
		t.Fatal(err)
	}
	rules.Deny(
		netip.MustParseAddrPort("192.168.1.5:8000"),
		netip.MustParseAddrPort("[2606:2800::5]:8000"),
		netip.MustParseAddrPort("[::ffff:198.51.0.5]:8000"),
		netip.MustParseAddrPort("[::]:9000"),
		netip.MustParseAddrPort("10.0.0.7:9000"), // an interface address that goes with it
		netip.AddrPort{},
	)
	tests := []struct{ host, addr, port8000, port9000, port7000 string }{
		{"a.test", "192.168.1.5", "own", "ok", "ok"},
		{"a.test", "::ffff:192.168.1.5", "own", "ok", "ok"},
		{"a.test", "64:ff9b::192.168.1.5", "own", "ok", "ok"},
		{"64:ff9b::c0a8:105", "64:ff9b::192.168.1.5", "own", "ok", "ok"},
		{"192.168.1.5", "192.168.1.5", "own", "ok", "ok"},
		{"a.test", "2606:2800::5", "own", "ok", "ok"},
		{"a.test", "198.51.0.5", "own", "ok", "ok"},
		{"a.test", "192.168.1.6", "ok", "ok", "ok"},
		{"a.test", "10.0.0.7", "ok", "own", "ok"},
		{"a.test", "0.0.0.0", "own", "own", "unspecified"},
		{"0.0.0.0", "0.0.0.0", "own", "own", "unspecified"},
		{"a.test", "::", "own", "own", "unspecified"},
		{"localhost", "127.0.0.1", "ok", "own", "ok"}, // 8000 is not open on loopback
		{"127.0.0.1", "127.0.0.1", "ok", "own", "ok"},
		{"a.test", "127.1.2.3", "ok", "own", "ok"},
		{"a.test", "::ffff:127.0.0.1", "ok", "own", "ok"},
		{"a.test", "::1", "ok", "own", "ok"},
	}
	for _, test := range tests {
		for port, want := range map[uint16]string{8000: test.port8000, 9000: test.port9000, 7000: test.port7000} {
			d := whitelist.Dest{Host: test.host, Port: port}
			if got := classOf(rules.From("").CheckAddr(d, netip.MustParseAddr(test.addr))); got != want {
				t.Errorf("CheckAddr(%v, %s): %s, want %s", d, test.addr, got, want)
			}
		}
	}
	var zero whitelist.Rules
	zero.Deny(netip.MustParseAddrPort("127.0.0.1:80")) // must not panic
}

func TestDeniedErrorText(t *testing.T) {
	rules := mustNew(t, "irc.example.org:6667,25", "192.0.2.7:6667")
	rules.Deny(netip.MustParseAddrPort("192.0.2.99:6667"))
	tests := []struct{ target, addr, want string }{
		{"evil.test:6667", "8.8.8.8", `"evil.test:6667" denied: no rule allows it; to allow it add the rule "evil.test:6667"`},
		{"evil.test:25", "8.8.8.8", `no rule names this host and port 25 (smtp)`},
		{"irc.example.org:6667", "10.0.0.5", `its address 10.0.0.5 is private; to allow it add the rule "10.0.0.5:6667" or allow private addresses`},
		{"irc.example.org:6667", "::1", `its address ::1 is loopback; to allow it add the rule "[::1]:6667"`},
		{"irc.example.org:6667", "fe80::1%eth0", `is link-local; to allow it add the rule "[fe80::1]:6667"`},
		{"irc.example.org:6667", "192.0.2.99", `192.0.2.99 is an address of this proxy; no rule can allow it`},
		{"192.0.2.7:6667", "192.0.2.8", `192.0.2.8 is not the address asked for`},
	}
	for _, test := range tests {
		err := rules.From("").CheckAddr(mustDest(t, test.target), netip.MustParseAddr(test.addr))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("CheckAddr(%s, %s): %v, want %q", test.target, test.addr, err, test.want)
		}
		// The advice must be true.
		var denied *whitelist.DeniedError
		if errors.As(err, &denied) && denied.Class != "own" && denied.Class != "not-asked-for" {
			_, advice, _ := strings.Cut(err.Error(), `add the rule "`)
			advice, _, _ = strings.Cut(advice, `"`)
			better := rules.Join(mustNew(t, advice))
			if err := better.From("").CheckAddr(mustDest(t, test.target), netip.MustParseAddr(test.addr)); err != nil {
				t.Errorf("with the advised rule %s: %v", advice, err)
			}
		}
	}
	long := &whitelist.DeniedError{Dest: whitelist.Dest{Host: strings.Repeat("x\n", 1000), Port: 1}}
	if text := long.Error(); len(text) > 1200 || strings.Contains(text, "\n") {
		t.Errorf("a hostile host makes an error of %d bytes: %.80q", len(text), text)
	}
}
