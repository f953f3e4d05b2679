package whitelist_test

import (
	"fmt"
	"net/netip"
	"testing"

	"encke/whitelist"
)

// A long list: 1,000 hosts, 100 wildcards, 100 networks.
func manyRules(b *testing.B) *whitelist.Rules {
	var list []string
	for i := range 1000 {
		list = append(list, fmt.Sprintf("host%d.example.org:6667,6697,7000-7010", i))
	}
	for i := range 100 {
		list = append(list, fmt.Sprintf("*.net%d.example.net:6667", i), fmt.Sprintf("10.%d.0.0/16:6667", i))
	}
	return mustNew(b, list...)
}

func BenchmarkCheck(b *testing.B) {
	rules := manyRules(b)
	for _, bench := range []struct {
		name   string
		target string
		allow  bool
	}{
		{"name", "host999.example.org:6667", true},
		{"wildcard", "a.b.net99.example.net:6667", true},
		{"address", "10.99.1.1:6667", true},
		{"denied-name", "a.b.c.evil.test:6667", false},
		{"denied-address", "11.0.0.1:6667", false},
	} {
		d := mustDest(b, bench.target)
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := rules.From("").Check(d); (err == nil) != bench.allow {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCheckAddr(b *testing.B) {
	rules := manyRules(b)
	d := mustDest(b, "host999.example.org:6667")
	for _, addr := range []string{"8.8.8.8", "2606:2800::1", "64:ff9b::808:808", "10.99.1.1"} {
		a := netip.MustParseAddr(addr)
		b.Run(addr, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := rules.From("").CheckAddr(d, a); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParseDest(b *testing.B) {
	for _, host := range []string{"irc.example.org", "bücher.example", "192.0.2.7", "[2001:db8::1]"} {
		b.Run(host, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := whitelist.ParseDest(host, 6667); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
