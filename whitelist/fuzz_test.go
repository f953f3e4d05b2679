package whitelist_test

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"encke/whitelist"
)

// An accepted host is canonical, whatever was asked for.
func FuzzParseDest(f *testing.F) {
	for _, s := range spellings(f) {
		f.Add(s.host, uint64(6667))
	}
	f.Add("irc.example.org", uint64(1<<32+25))
	any, err := whitelist.Options{AnyHost: true}.New("*:*")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, host string, port uint64) {
		d, err := whitelist.ParseDest(host, port)
		if err != nil {
			if d != (whitelist.Dest{}) {
				t.Fatalf("ParseDest(%q, %d) = %v beside %v", host, port, d, err)
			}
			return
		}
		if again, err := whitelist.ParseDest(d.Host, uint64(d.Port)); err != nil || again != d {
			t.Fatalf("ParseDest(%q) = %v, again %v, %v", host, d, again, err)
		}
		if again, err := whitelist.ParseHostPort(d.String()); err != nil || again != d {
			t.Fatalf("ParseHostPort(%q) = %v, %v; want %v", d.String(), again, err, d)
		}
		if uint64(d.Port) != port || len(d.Host) > 253 {
			t.Fatalf("ParseDest(%q, %d) = %v", host, port, d)
		}
		any.From("").Check(d) // must not panic
		addr, err := netip.ParseAddr(d.Host)
		if err == nil {
			if addr.String() != d.Host || addr.Is4In6() || addr.Zone() != "" {
				t.Fatalf("ParseDest(%q) = the address %v, not canonical", host, d)
			}
			return
		}
		if strings.Trim(d.Host, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" || strings.HasSuffix(d.Host, ".") {
			t.Fatalf("ParseDest(%q) = %q: not a plain name", host, d.Host)
		}
		for label := range strings.SplitSeq(d.Host, ".") {
			if label == "" || len(label) > 63 {
				t.Fatalf("ParseDest(%q) = %q: label %q", host, d.Host, label)
			}
		}
		// What resolvers take for an address begins its last label with a digit
		// and holds nothing but a number there.
		last := d.Host[strings.LastIndexByte(d.Host, '.')+1:]
		if strings.Trim(last, "0123456789") == "" {
			t.Fatalf("ParseDest(%q) = %q: ends in a number", host, d.Host)
		}
	})
}

func FuzzParseHostPort(f *testing.F) {
	for _, s := range []string{"irc.example.org:6667", "[::1]:80", "[::ffff:1.2.3.4]:1", "::1:80", "a:b:c", "[", ":", "[]:1", "a:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := whitelist.ParseHostPort(s)
		if err != nil {
			return
		}
		if again, err := whitelist.ParseHostPort(d.String()); err != nil || again != d {
			t.Fatalf("ParseHostPort(%q) = %v, again %v, %v", s, d, again, err)
		}
	})
}

// A rule that is accepted survives its own text, and allows the host it names.
func FuzzRule(f *testing.F) {
	for _, s := range []string{"irc.example.org:6667", "*.example.org:6667,7000-7010", "10.0.0.0/8:*", "[2001:db8::/32]:1-2",
		"[::1]:25", "192.0.2.7/32:25", "*:80", "[::/0]:*", "bücher.example:25,1-65535", "*.:1", "[::ffff:1.2.3.4/128]:1", "a:*,*",
		"www.example.org -> irc.example.org:6667", "[::1]:8000->a:1", "* -> *:1", "x:80\t-> a:1", "a -> b -> c:1", "-> a:1", "a ->"} {
		f.Add(s)
	}
	o := whitelist.Options{AnyHost: true}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := o.New(s)
		if err != nil {
			return
		}
		again, err := o.New(r.String())
		if err != nil || !reflect.DeepEqual(again, r) {
			t.Fatalf("New(%q) = %v, again %v, %v", s, r, again, err)
		}
		fromFile, err := o.Parse(strings.NewReader(r.String()))
		if len(r.String()) < 4096 && (err != nil || !reflect.DeepEqual(fromFile, r)) {
			t.Fatalf("New(%q) = %v, from a file %v, %v", s, r, fromFile, err)
		}
		if source := r.List()[0].Source(); source != "" {
			again, err := o.New(source + " -> a:1")
			if err != nil || again.List()[0].Source() != source {
				t.Fatalf("New(%q) has the source %q, which is %v, %v", s, source, again, err)
			}
			for _, host := range []string{"", "other.test", source, strings.ToUpper(source)} {
				for _, target := range []string{"a:6667", "a.example.org:6667", "127.0.0.1:6667", "[::1]:6667"} {
					if r.From(host).Check(mustDest(t, target)) == nil && !strings.EqualFold(host, source) {
						t.Fatalf("the rule %q allows %s to %q", s, target, host)
					}
				}
			}
			return
		}
		host, ports, _ := strings.Cut(s, ":")
		if d, err := whitelist.ParseHostPort(s); err == nil {
			if err := r.From("").Check(d); err != nil {
				t.Fatalf("the rule %q does not allow %v: %v", s, d, err)
			}
		} else if host == "a" && ports == "*" && r.From("").Check(whitelist.Dest{Host: "a", Port: 6667}) != nil {
			t.Fatalf("the rule %q does not allow a:6667", s)
		}
	})
}

// The Host of a request never opens what its own canonical form does not, and never
// panics.
func FuzzFrom(f *testing.F) {
	for _, s := range []string{"www.example.org", "WWW.example.org.:80", "[::1]:8000", "::1", "", "*", "x:", ":1", "[", "a b", "a_b", "bücher.example:443"} {
		f.Add(s)
	}
	const named = "www.example.org:8000"
	rules := mustNew(f, named+" -> a:1", "b:1")
	a, b := mustDest(f, "a:1"), mustDest(f, "b:1")
	f.Fuzz(func(t *testing.T, host string) {
		scope := rules.From(host)
		if scope.Check(b) != nil {
			t.Fatalf("From(%q) does not allow what all may reach", host)
		}
		again, err := whitelist.New(host + " -> a:1")
		same := err == nil && strings.Count(host, "->") == 0 && again.List()[0].Source() == named
		if got := scope.Check(a) == nil; got && !same {
			t.Fatalf("From(%q) is taken for %s", host, named)
		}
	})
}

// A file that is accepted survives its own text.
func FuzzParse(f *testing.F) {
	f.Add("irc.example.org:6667 # x\r\n\n# y\n*.example.org:1-2\n")
	f.Add("\ufeff[2001:db8::/32]:80\n10.0.0.0/8:*")
	f.Add("bad\na:1\nworse worse\n")
	f.Add(strings.Repeat("a:1 ", 2000) + "\nb:2\n")
	f.Add("www.example.org -> a:1\nlocalhost:8000->b:2 # x\n* -> c:3")
	f.Fuzz(func(t *testing.T, file string) {
		r, err := whitelist.Parse(strings.NewReader(file))
		if err != nil {
			if r != nil {
				t.Fatalf("Parse(%q) gives rules beside %v", file, err)
			}
			return
		}
		if len(r.List()) == 0 {
			t.Fatalf("Parse(%q) gives no rule and no error", file)
		}
		again, err := whitelist.Parse(strings.NewReader(r.String()))
		if err != nil || !reflect.DeepEqual(again, r) {
			t.Fatalf("Parse(%q) = %v, again %v, %v", file, r, again, err)
		}
	})
}

// What no rule names is never reached at an address that package netip, which
// has its own tables, does not call global unicast and public; and an address
// is judged alike in all its IPv6 wrappers.
func FuzzCheckAddr(f *testing.F) {
	for _, s := range []string{"8.8.8.8", "127.0.0.1", "::1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "fe80::1", "2606::1"} {
		a := netip.MustParseAddr(s).As16()
		f.Add(a[:])
	}
	rules := mustNew(f, "irc.example.org:6667")
	d := mustDest(f, "irc.example.org:6667")
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) < 16 {
			return
		}
		a := netip.AddrFrom16([16]byte(raw))
		err := rules.From("").CheckAddr(d, a)
		bare := a.Unmap()
		if again := rules.From("").CheckAddr(d, bare); (again == nil) != (err == nil) {
			t.Fatalf("%v: %v, but %v: %v", a, err, bare, again)
		}
		if err == nil && (!bare.IsGlobalUnicast() || bare.IsPrivate() || bare.IsLoopback() || bare.IsLinkLocalUnicast()) {
			t.Fatalf("%v is reached", a)
		}
		v4 := netip.AddrFrom4([4]byte(raw[12:16]))
		plain := rules.From("").CheckAddr(d, v4)
		for prefix, strict := range map[string]bool{"::ffff:0:0": false, "64:ff9b::": false, "::": true, "64:ff9b:1::": true, "::ffff:0:0:0": true} {
			b := netip.MustParseAddr(prefix).As16()
			copy(b[12:], raw[12:16])
			w := netip.AddrFrom16(b)
			got := rules.From("").CheckAddr(d, w)
			if plain != nil && got == nil || plain == nil && (got == nil) == strict {
				t.Fatalf("%v: %v, but %v: %v", v4, plain, w, got)
			}
		}
	})
}
