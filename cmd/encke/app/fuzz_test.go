package app_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"testing"

	"encke/cmd/encke/app"
	"encke/transports"
)

// Settings that are accepted work: an address can be resolved, a prefix is a clean
// path, a host is answered to, pages of an origin may open sessions.
func FuzzSettings(f *testing.F) {
	for _, s := range [][5]string{
		{"127.0.0.1:8000", "https://www.example.org", "tcp.example.org", "/tcp", "n0"},
		{":0", "null", "::1", "/a/b.c", "a-b"},
		{"[::1]:65535", "https://*.example.org", "EXAMPLE.org", "/..", "N"},
		{"localhost:65536", "http://[::1]:80", "b\u00fccher.example", "/.", "x.y"},
		{"a:b:c", "http://a;b", "a b", "/tcp/", ""},
	} {
		f.Add(s[0], s[1], s[2], s[3], s[4])
	}
	f.Fuzz(func(t *testing.T, listen, origin, host, prefix, node string) {
		good := func(cfg app.Config) bool {
			cfg.Allow = []string{"irc.example.org:6667"}
			return cfg.Check() == nil
		}
		if good(app.Config{Listen: []string{listen}}) {
			_, port, err := net.SplitHostPort(listen)
			if err != nil {
				t.Fatalf("--listen %q: %v", listen, err)
			}
			if n, err := net.LookupPort("tcp", port); err != nil || n < 0 || n > 65535 {
				t.Fatalf("--listen %q: port %d, %v", listen, n, err)
			}
		}
		if prefix != "" && good(app.Config{Prefix: prefix}) && (path.Clean(prefix) != prefix || prefix[0] != '/' || len(prefix) < 2 || (&url.URL{Path: prefix}).EscapedPath() != prefix) {
			t.Fatalf("--prefix %q is taken", prefix)
		}
		if good(app.Config{Hosts: []string{host}}) {
			name := host
			if strings.Contains(host, ":") {
				name = "[" + host + "]"
			}
			if hosts := (transports.Hosts{host}); !hosts.Accepts(name) || !hosts.Accepts(name+":8000") {
				t.Fatalf("--host %q is taken, and not answered to", host)
			}
		}
		if node != "" && good(app.Config{Node: node}) && (len(node) > 32 || strings.Trim(node, "-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") != "") {
			t.Fatalf("--node %q is taken", node)
		}
		if good(app.Config{Origins: []string{origin}}) {
			list, err := transports.ParseOrigins(origin)
			if err != nil {
				t.Fatalf("--origin %q: %v", origin, err)
			}
			h, err := transports.New(nil, transports.Options{Origins: list})
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(http.MethodOptions, "/session/send", nil)
			r.Header.Set("Origin", strings.Replace(origin, "://*.", "://a.", 1))
			w := httptest.NewRecorder()
			if h.ServeHTTP(w, r); w.Code != http.StatusNoContent {
				t.Fatalf("--origin %q is taken, and its pages are refused: %d", origin, w.Code)
			}
		}
	})
}
