package transports_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"encke/csp"
	"encke/transports"
)

func TestOrigins(t *testing.T) {
	origins, err := transports.ParseOrigins("https://app.example.org", "http://app.example.org:8080", "https://*.example.com", "null")
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, transports.Options{Origins: origins}, csp.Options{})
	own, _ := url.Parse(r.url)
	for origin, ok := range map[string]bool{
		r.url:                            true,
		"https://app.example.org":        true,
		"https://APP.example.org:443":    true,
		"http://app.example.org:8080":    true,
		"https://a.example.com":          true,
		"null":                           true,
		"http://app.example.org":         false,
		"https://app.example.org:444":    false,
		"https://xapp.example.org":       false,
		"https://app.example.org.evil":   false,
		"https://example.com":            false,
		"https://a.b.example.com":        false,
		"https://aexample.com":           false,
		"https://" + own.Host:            false,
		"http://localhost:" + own.Port(): false,
		"https://app.example.org/":       false,
		"https://u@app.example.org":      false,
		"file://":                        false,
		"":                               false,
		"http://*.example.com":           false,
	} {
		resp := r.post("send", r.hello(), "Origin", origin)
		if got := resp.StatusCode == 200; got != ok {
			t.Errorf("origin %q: status %d, accepted should be %v", origin, resp.StatusCode, ok)
		}
		if allow := resp.Header.Get("Access-Control-Allow-Origin"); ok && allow == "" || !ok && allow != "" || allow == "*" {
			t.Errorf("origin %q: Access-Control-Allow-Origin %q", origin, allow)
		}
	}
	req := r.request("POST", "send", r.hello())
	req.Header["Origin"] = []string{r.url, r.url}
	if resp := r.do(req); resp.StatusCode != 403 {
		t.Errorf("two Origin headers: status %d", resp.StatusCode)
	}
	for _, bad := range []string{"example.org", "*", "https://", "https://*", "https://a/b", "ftp://a", "https://a?", "https://*.*.a"} {
		if _, err := transports.ParseOrigins(bad); err == nil {
			t.Errorf("--origin %q was accepted", bad)
		}
	}
}

func TestSessionBelongsToItsOrigin(t *testing.T) {
	origins, err := transports.ParseOrigins("https://a.test", "https://b.test")
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, transports.Options{Origins: origins}, csp.Options{})
	recs := r.records(r.post("send", r.hello(), "Origin", "https://a.test"))
	id := string(recs[0].Session)
	if resp := r.post("send", resume(id, 0), "Origin", "https://b.test"); resp.StatusCode != 403 {
		t.Errorf("another accepted origin used the session: status %d", resp.StatusCode)
	}
	resp := r.get("eventsource?hold=1&"+query(resume(id, 0)), "Sec-Fetch-Site", "cross-site", "Referer", "https://a.test/page")
	newStream(t, resp).until("ack")
}

func TestPreflight(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	resp := r.do(r.request("OPTIONS", "send", nil, "Origin", r.url, "Access-Control-Request-Private-Network", "true"))
	if resp.StatusCode != 204 || resp.Header.Get("Access-Control-Allow-Origin") != r.url ||
		resp.Header.Get("Access-Control-Allow-Methods") != "POST" || resp.Header.Get("Access-Control-Allow-Private-Network") != "true" ||
		resp.Header.Get("Access-Control-Max-Age") != "600" {
		t.Errorf("status %d, %v", resp.StatusCode, resp.Header)
	}
	if resp := r.do(r.request("OPTIONS", "send", nil, "Origin", "http://evil.test")); resp.StatusCode != 403 {
		t.Errorf("preflight of a foreign origin: status %d", resp.StatusCode)
	}
}

func TestHosts(t *testing.T) {
	hosts := transports.Hosts{"Proxy.example.org", "192.0.2.7"}
	for host, ok := range map[string]bool{
		"localhost": true, "localhost:8000": true, "LOCALHOST": true, "app.localhost": true, "127.0.0.1:80": true, "127.9.9.9": true, "[::1]:8000": true,
		"proxy.example.org": true, "proxy.example.org:443": true, "proxy.example.org.": true, "192.0.2.7:80": true,
		"": false, "evil.test": false, "localhost.evil.test": false, "xproxy.example.org": false, "127.0.0.1.evil.test": false, "192.0.2.8": false,
		"[::2]": false, "[fe80::1%lo]": false, "0": false, "2130706433": false,
	} {
		if got := hosts.Accepts(host); got != ok {
			t.Errorf("host %q accepted: %v", host, got)
		}
	}
}

// A session is not bound to an address, since those of phones change; that one did is
// counted and logged.
func TestMovedSessions(t *testing.T) {
	var log bytes.Buffer
	r := newRig(t, transports.Options{Log: slog.New(slog.NewTextHandler(&log, nil))}, csp.Options{})
	id := r.open()
	for _, tt := range []struct {
		from  string
		moved uint64 // so far
	}{
		{"127.0.0.1:2", 0},
		{"192.0.2.1:1", 1},
		{"192.0.2.1:2", 1},
		{"[2001:db8::1]:1", 2},
		{"[2001:db8::2]:1", 2}, // of the same network
		{"127.0.0.1:3", 3},
	} {
		req := r.request(http.MethodPost, "send", resume(id, 0))
		req.RemoteAddr = tt.from
		w := httptest.NewRecorder()
		r.h.ServeHTTP(w, req)
		if n := r.h.Stats().Moved; w.Code != http.StatusOK || n != tt.moved {
			t.Errorf("from %s: status %d, %d changes so far, want 200 and %d", tt.from, w.Code, n, tt.moved)
		}
	}
	if n := strings.Count(log.String(), "session moved"); n != 3 || strings.Contains(log.String(), id) {
		t.Errorf("%d lines, want 3, without the id:\n%s", n, log.String())
	}
}
