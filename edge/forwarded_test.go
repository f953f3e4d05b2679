package edge_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"encke/edge"
)

func TestForwarded(t *testing.T) {
	f := edge.Forwarded{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, tt := range []struct {
		name, peer string
		fields     []string // "Name: value"
		want       string
	}{
		{"no header", "10.0.0.1:5", nil, "10.0.0.1:5"},
		{"peer is not trusted", "192.0.2.1:5", []string{"X-Forwarded-For: 198.51.100.7"}, "192.0.2.1:5"},
		{"peer is not trusted, all headers", "192.0.2.1:5", []string{"Forwarded: for=198.51.100.7", "X-Real-IP: 198.51.100.7", "X-Forwarded-Proto: https", "X-Forwarded-Host: b"}, "192.0.2.1:5"},
		{"one address", "10.0.0.1:5", []string{"X-Forwarded-For: 198.51.100.7"}, "198.51.100.7"},
		{"what the client sent itself", "10.0.0.1:5", []string{"X-Forwarded-For: 203.0.113.9, 198.51.100.7"}, "198.51.100.7"},
		{"behind two balancers", "10.0.0.1:5", []string{"X-Forwarded-For: 203.0.113.9, 198.51.100.7, 10.0.0.2"}, "198.51.100.7"},
		{"in two fields", "10.0.0.1:5", []string{"X-Forwarded-For: 203.0.113.9", "X-Forwarded-For: 198.51.100.7"}, "198.51.100.7"},
		{"with a port", "10.0.0.1:5", []string{"X-Forwarded-For: 198.51.100.7:99"}, "198.51.100.7"},
		{"IPv6", "[fd00::1]:5", []string{"X-Forwarded-For: 2001:db8::7"}, "2001:db8::7"},
		{"IPv6 in brackets with a port", "[fd00::1]:5", []string{"X-Forwarded-For: [2001:db8::7]:99"}, "2001:db8::7"},
		{"IPv4 as IPv6", "[::ffff:10.0.0.1]:5", []string{"X-Forwarded-For: ::ffff:198.51.100.7"}, "198.51.100.7"},
		{"malformed at the end", "10.0.0.1:5", []string{"X-Forwarded-For: 198.51.100.7, unknown"}, "10.0.0.1:5"},
		{"empty at the end", "10.0.0.1:5", []string{"X-Forwarded-For: 198.51.100.7,"}, "10.0.0.1:5"},
		{"malformed before the balancers", "10.0.0.1:5", []string{"X-Forwarded-For: x, 10.0.0.2"}, "10.0.0.1:5"},
		{"malformed before the client", "10.0.0.1:5", []string{"X-Forwarded-For: x y z, 198.51.100.7"}, "198.51.100.7"},
		{"balancers only", "10.0.0.1:5", []string{"X-Forwarded-For: 10.0.0.3, 10.0.0.2"}, "10.0.0.1:5"},
		{"very many", "10.0.0.1:5", []string{"X-Forwarded-For: 198.51.100.7" + strings.Repeat(", 10.0.0.2", 40)}, "10.0.0.1:5"},
		{"Forwarded", "10.0.0.1:5", []string{`Forwarded: for=203.0.113.9, for="[2001:db8::7]:99";proto=https;by=10.0.0.1`}, "2001:db8::7"},
		{"Forwarded, name in capitals", "10.0.0.1:5", []string{`Forwarded: For="198.51.100.7"`}, "198.51.100.7"},
		{"Forwarded without for", "10.0.0.1:5", []string{"Forwarded: for=198.51.100.7, proto=http"}, "10.0.0.1:5"},
		{"Forwarded with two", "10.0.0.1:5", []string{"Forwarded: for=198.51.100.7;for=198.51.100.8"}, "10.0.0.1:5"},
		{"Forwarded, hidden", "10.0.0.1:5", []string{"Forwarded: for=_hidden"}, "10.0.0.1:5"},
		{"X-Real-IP", "10.0.0.1:5", []string{"X-Real-IP: 198.51.100.7"}, "198.51.100.7"},
		{"two headers that agree", "10.0.0.1:5", []string{"X-Real-IP: 198.51.100.7", "X-Forwarded-For: 198.51.100.7"}, "198.51.100.7"},
		{"two headers that do not", "10.0.0.1:5", []string{"X-Real-IP: 198.51.100.7", "X-Forwarded-For: 198.51.100.8"}, "10.0.0.1:5"},
		{"one that says nothing", "10.0.0.1:5", []string{"X-Real-IP: 198.51.100.7", "X-Forwarded-For: x"}, "10.0.0.1:5"},
	} {
		r := httptest.NewRequest("GET", "http://a/", nil)
		r.RemoteAddr = tt.peer
		for _, field := range tt.fields {
			name, value, _ := strings.Cut(field, ": ")
			r.Header.Add(name, value)
		}
		var got *http.Request
		f.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r })).ServeHTTP(nil, r)
		if got.RemoteAddr != tt.want {
			t.Errorf("%s: %v: from %s, want %s", tt.name, tt.fields, got.RemoteAddr, tt.want)
		}
		if got.Host != "a" || got.TLS != nil {
			t.Errorf("%s: host %s", tt.name, got.Host)
		}
	}
}
