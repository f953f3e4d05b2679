package whitelist_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"encke/whitelist"
)

func TestSourceForms(t *testing.T) {
	for _, tt := range []struct{ in, want, source string }{
		{"www.example.org -> a.test:1", "www.example.org -> a.test:1", "www.example.org"},
		{"www.example.org->a.test:1", "www.example.org -> a.test:1", "www.example.org"},
		{"WWW.Example.ORG.\t->\t a.test:1,2", "www.example.org -> a.test:1,2", "www.example.org"},
		{"localhost:8000 -> a.test:1", "localhost:8000 -> a.test:1", "localhost:8000"},
		{"www.example.org:80 -> a.test:1", "www.example.org -> a.test:1", "www.example.org"},
		{"www.example.org:443 -> a.test:1", "www.example.org -> a.test:1", "www.example.org"},
		{"bücher.example -> a.test:1", "xn--bcher-kva.example -> a.test:1", "xn--bcher-kva.example"},
		{"192.0.2.7:8000 -> a.test:1", "192.0.2.7:8000 -> a.test:1", "192.0.2.7:8000"},
		{"[2001:DB8:0::1] -> a.test:1", "[2001:db8::1] -> a.test:1", "[2001:db8::1]"},
		{"[::1]:8000 -> [::1]:25", "[::1]:8000 -> [::1]:25", "[::1]:8000"},
		{"x -> 10.0.0.0/8:1-2", "x -> 10.0.0.0/8:1-2", "x"},
		{"x -> *.example.org:*", "x -> *.example.org:*", "x"},
		{"* -> a.test:1", "a.test:1", ""},
	} {
		r, err := whitelist.New(tt.in)
		if err != nil {
			t.Errorf("New(%q): %v", tt.in, err)
			continue
		}
		if r.String() != tt.want || r.List()[0].Source() != tt.source {
			t.Errorf("New(%q) = %s from %q, want %s from %q", tt.in, r, r.List()[0].Source(), tt.want, tt.source)
		}
	}
}

func TestBadSources(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"-> a.test:1", "nothing in front of ->"},
		{" -> a.test:1", "nothing in front of ->"},
		{"x ->", "nothing behind ->"},
		{"x -> ", "nothing behind ->"},
		{"->", "nothing in front of ->"},
		{"x -> a.test", "no port; write HOST:PORT"},
		{"x -> a.test:1 b.test:1", "a space inside"},
		{"x -> a.test:1 ->", "two arrows"},
		{"x -> y -> a.test:1", "two arrows"},
		{"x y -> a.test:1", "a space inside the source"},
		{"http://x -> a.test:1", "the source is a URL"},
		{"*.example.org -> a.test:1", "the source is one host"},
		{"*:8000 -> a.test:1", "the source is one host"},
		{"x: -> a.test:1", `"" is not a port`},
		{"x:0 -> a.test:1", `"0" is not a port`},
		{"x:08000 -> a.test:1", `"08000" is not a port`},
		{"x:http -> a.test:1", `"http" is not a port`},
		{":8000 -> a.test:1", "the source: the host is empty"},
		{"x_y -> a.test:1", "only letters, digits, dots and hyphens"},
		{"x..y -> a.test:1", "empty label"},
		{"127.1 -> a.test:1", "four decimal parts"},
		{"::1 -> a.test:1", "IPv6 address without brackets"},
		{"2001:db8::1:8000 -> a.test:1", "IPv6 address without brackets"},
		{"[::1 -> a.test:1", "brackets are only for an IPv6 address"},
		{"[fe80::1%eth0] -> a.test:1", "must not have a zone"},
		{"x, y -> a.test:1", "a space inside the source"},
		{"x,y -> a.test:1", "only letters, digits, dots and hyphens"},
		{"x > a.test:1", "a space inside the rule"},
		{"x -> *:1", "--allow-any-host"},
		{"x -> *.example.org:25", "port 25 (smtp)"},
	} {
		r, err := whitelist.New(tt.in)
		var bad *whitelist.RuleError
		if !errors.As(err, &bad) || !strings.Contains(bad.Problem, tt.want) {
			t.Errorf("New(%q) = %v, %v, want an error with %q", tt.in, r, err, tt.want)
		}
	}
}

// A rule with a source opens its target, by name and by address, for that source only.
func TestFrom(t *testing.T) {
	const (
		all = "all.test:6667"
		www = "www.test:6667"
		dev = "dev.test:6667"
		in  = "10.0.0.5:6667"
		net = "10.1.0.9:6667"
		own = "localhost:6667"
		sub = "a.sub.test:6667"
	)
	rules, err := whitelist.Options{AnyHost: true}.New(all, "www.example.org -> "+www, "www.example.org -> "+in,
		"dev.example.org:8000 -> "+dev, "dev.example.org:8000 -> 10.1.0.0/16:6667", "www.example.org -> "+own, "dev.example.org:8000 -> *.sub.test:6667",
		"[::1]:8000 -> *:6667")
	if err != nil {
		t.Fatal(err)
	}
	targets := []string{all, www, dev, in, net, own, sub}
	for _, tt := range []struct{ host, want string }{
		{"www.example.org", "all.test www.test 10.0.0.5 localhost"},
		{"WWW.EXAMPLE.ORG.", "all.test www.test 10.0.0.5 localhost"},
		{"www.example.org:80", "all.test www.test 10.0.0.5 localhost"},
		{"www.example.org:443", "all.test www.test 10.0.0.5 localhost"},
		{"www.example.org:8000", "all.test"},
		{"dev.example.org:8000", "all.test dev.test 10.1.0.9 a.sub.test"},
		{"dev.example.org", "all.test"},
		{"[0:0::1]:8000", "all.test www.test dev.test 10.0.0.5 10.1.0.9 localhost a.sub.test"},
		{"[::1]", "all.test"},
		{"::1:8000", "all.test"},
		{"", "all.test"},
		{"*", "all.test"},
		{"x.www.example.org", "all.test"},
		{"www.example.org www.example.org", "all.test"},
		{"www.example.org:", "all.test"},
		{"www.example.org\n", "all.test"},
		{"www.example.org:080", "all.test"},
		{"other.example.org", "all.test"},
	} {
		var got []string
		for _, target := range targets {
			d := mustDest(t, target)
			err := rules.From(tt.host).Check(d)
			if err == nil {
				got = append(got, d.Host)
			} else if classOf(err) != "no-rule" {
				t.Errorf("From(%q).Check(%v): %v", tt.host, d, err)
			}
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("From(%q) allows %s, want %s", tt.host, s, tt.want)
		}
	}
	for _, tt := range []struct{ host, dest, addr, want string }{ // the address belongs to the source as well
		{"www.example.org", all, "10.0.0.5", "ok"},
		{"www.example.org", all, "10.1.0.9", "private"},
		{"dev.example.org:8000", all, "10.0.0.5", "private"},
		{"dev.example.org:8000", all, "10.1.0.9", "ok"},
		{"dev.example.org:8000", all, "64:ff9b::10.1.0.9", "ok"},
		{"dev.example.org:8000", all, "64:ff9b::10.0.0.5", "private"},
		{"www.example.org", all, "64:ff9b::10.0.0.5", "ok"},
		{"other.example.org", all, "10.0.0.5", "private"},
		{"www.example.org", own, "127.0.0.1", "ok"},
		{"[::1]:8000", own, "127.0.0.1", "loopback"},
		{"dev.example.org:8000", own, "127.0.0.1", "no-rule"},
	} {
		d, a := mustDest(t, tt.dest), netip.MustParseAddr(tt.addr)
		scope := rules.From(tt.host)
		_, err := scope.CheckAddrs(d, []netip.Addr{a})
		if got, again := classOf(scope.CheckAddr(d, a)), classOf(err); got != tt.want || again != tt.want {
			t.Errorf("From(%q): %v at %v: %s and %s, want %s", tt.host, d, a, got, again, tt.want)
		}
	}
	if got := classOf(whitelist.Scope{}.CheckAddr(mustDest(t, all), netip.MustParseAddr("8.8.8.8"))); got != "no-rule" {
		t.Errorf("the zero Scope: %s", got)
	}
}

// What is advised allows the target to the one who asked, and to nobody else.
func TestAdviceForASource(t *testing.T) {
	rules := mustNew(t, "www.example.org -> irc.example.org:6667")
	for _, tt := range []struct{ target, addr, want string }{
		{"evil.test:6667", "8.8.8.8", `"evil.test:6667" denied: no rule allows it; to allow it add the rule "dev.example.org:8000 -> evil.test:6667"`},
		{"irc.example.org:6667", "8.8.8.8", `add the rule "dev.example.org:8000 -> irc.example.org:6667"`},
		{"evil.test:25", "8.8.8.8", `add the rule "dev.example.org:8000 -> evil.test:25"`},
	} {
		d, a := mustDest(t, tt.target), netip.MustParseAddr(tt.addr)
		err := rules.From("Dev.example.org:8000").CheckAddr(d, a)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Fatalf("%v, want %q", err, tt.want)
		}
		_, advice, _ := strings.Cut(err.Error(), `add the rule "`)
		advice, _, _ = strings.Cut(advice, `"`)
		better := rules.Join(mustNew(t, advice))
		if err := better.From("dev.example.org:8000").CheckAddr(d, a); err != nil {
			t.Errorf("with the advised rule %s: %v", advice, err)
		}
		if better.From("other.example.org").Check(d) == nil {
			t.Errorf("the advised rule %s allows it to others", advice)
		}
	}
	if err := mustNew(t, "a.test:1").From("www.example.org").Check(mustDest(t, "b.test:1")); err == nil || strings.Contains(err.Error(), "www") {
		t.Errorf("%v: the Host is named though no rule has a source", err)
	}
}

func TestJoinKeepsSources(t *testing.T) {
	both := mustNew(t, "x -> a.test:1").Join(mustNew(t, "y -> a.test:2", "x -> a.test:3"))
	if got, want := both.String(), "x -> a.test:1\ny -> a.test:2\nx -> a.test:3"; got != want {
		t.Errorf("Join: %q, want %q", got, want)
	}
	for target, want := range map[string]string{"a.test:1": "x", "a.test:2": "y", "a.test:3": "x"} {
		for _, host := range []string{"x", "y", "z"} {
			if got := both.From(host).Check(mustDest(t, target)) == nil; got != (host == want) {
				t.Errorf("%s from %s: %t", target, host, got)
			}
		}
	}
}
