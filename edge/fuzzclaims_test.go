package edge_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"encke/edge"
)

// Whatever forwarded headers say, the client's address is one they name and no
// balancer's, or the peer's; and a peer that is no balancer is never believed.
func FuzzForwarded(f *testing.F) {
	f.Add("203.0.113.7", "", "")
	f.Add("203.0.113.7, 10.0.0.9", `for=203.0.113.7;proto=https, for="10.0.0.9:80"`, "203.0.113.7")
	f.Add("[2001:db8::1]:4711", `for="[2001:db8::1]"`, "2001:db8::1")
	f.Add("::ffff:203.0.113.7", "for=unknown", "fe80::1%eth0")
	f.Add(strings.Repeat("10.0.0.1,", 40), "for=_hidden;for=203.0.113.7", ",")
	balancers := edge.Forwarded{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, xff, forwarded, real string) {
		for _, peer := range []string{"10.1.2.3:999", "192.0.2.1:999"} {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = peer
			for name, v := range map[string]string{"X-Forwarded-For": xff, "Forwarded": forwarded, "X-Real-Ip": real} {
				if v != "" {
					r.Header.Set(name, v)
				}
			}
			var got string
			balancers.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RemoteAddr })).ServeHTTP(nil, r)
			if got == peer {
				continue
			}
			a, err := netip.ParseAddr(got)
			switch {
			case peer != "10.1.2.3:999":
				t.Fatalf("a stranger was believed: %q", got)
			case err != nil || a.Zone() != "" || a.Is4In6():
				t.Fatalf("%q is no canonical address: %v", got, err)
			case balancers.Names(a):
				t.Fatalf("the client's address is a balancer's: %q", got)
			}
		}
	})
}

// A PROXY header is taken whole or not at all, and nothing behind it is touched.
func FuzzProxyHeader(f *testing.F) {
	const v2 = "\r\n\r\n\x00\r\nQUIT\n"
	f.Add([]byte("PROXY TCP4 203.0.113.7 10.0.0.1 4711 80\r\nGET / HTTP/1.1\r\n"))
	f.Add([]byte("PROXY UNKNOWN\r\n"))
	f.Add([]byte(v2 + "\x21\x11\x00\x0c\xcb\x00\x71\x07\x0a\x00\x00\x01\x12\x67\x00\x50rest"))
	f.Add([]byte(v2 + "\x20\x00\x00\x00rest"))
	f.Add([]byte(v2 + "\x21\x21\xff\xff"))
	f.Fuzz(func(t *testing.T, p []byte) {
		r := bytes.NewReader(p)
		err := edge.ReadProxyHeader(r)
		used := len(p) - r.Len()
		if used > 16+536 {
			t.Fatalf("%d bytes were taken for a header", used)
		}
		if err != nil {
			return
		}
		// The same header with something else behind it is the same header.
		again := bytes.NewReader(append(append([]byte(nil), p[:used]...), "something else"...))
		if err := edge.ReadProxyHeader(again); err != nil || again.Len() != len("something else") {
			t.Fatalf("%q: read again: %v, %d bytes left", p[:used], err, again.Len())
		}
		if edge.ReadProxyHeader(bytes.NewReader(p[:used-1])) == nil {
			t.Fatalf("%q is taken without its last byte", p[:used])
		}
	})
}
