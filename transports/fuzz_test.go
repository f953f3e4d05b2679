package transports

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"encke/csp"
)

// An accepted origin is exactly a listed one, one of a listed wildcard, or the
// proxy's own, in canonical form; nothing else comes out.
func FuzzOrigin(f *testing.F) {
	for _, s := range [][3]string{
		{"https://www.example.org", "https://www.example.org", "proxy.test"},
		{"https://*.example.org", "https://a.example.org:443", "proxy.test:8000"},
		{"https://*.example.org", "https://a.b.example.org", "[::1]:8000"},
		{"null", "null", "proxy.test"},
		{"http://example.org:8080", "HTTP://EXAMPLE.ORG:8080", "proxy.test"},
		{"http://[::1]", "http://[::1]:80", "[::1]"},
		{"https://example.org", "https://example.org.evil.test", "evil.test"},
		{"https://example.org", "https://evil.test#https://example.org", "https://example.org"},
		{"http://a;b", "http://a;b", "a;b.localhost"},
	} {
		f.Add(s[0], s[1], s[2], "", "")
		f.Add(s[0], "", s[2], s[1]+"/page?x", "same-origin")
	}
	form := regexp.MustCompile(`^(null|https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]+)?)$`)
	f.Fuzz(func(t *testing.T, entry, origin, host, referer, site string) {
		list, err := ParseOrigins(entry)
		if err != nil {
			list = Origins{}
		}
		for _, h := range list.hosts() {
			if strings.ContainsAny(h, " ;,'\"<>\r\n\t") {
				t.Fatalf("the entry %q becomes the source %q of a policy", entry, h)
			}
		}
		r := &http.Request{Header: http.Header{}, Host: host, URL: &url.URL{}}
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		if referer != "" {
			r.Header.Set("Referer", referer)
		}
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
		}
		own := ownOrigin(r)
		for _, get := range []bool{false, true} {
			got, err := list.check(r, get)
			if err != nil {
				if got != "" {
					t.Fatalf("origin %q beside the error %v", got, err)
				}
				continue
			}
			if got == "" && own == "" { // a Host that names no origin; Hosts refuses it
				continue
			}
			if !form.MatchString(got) {
				t.Fatalf("origin %q, host %q, referer %q: accepted as %q", origin, host, referer, got)
			}
			if got != "null" {
				if again, err := canonicalOrigin(got); err != nil || again != got {
					t.Fatalf("%q is canonical, then %q, %v", got, again, err)
				}
			}
			if got != own && !isListed(entry, got) {
				t.Fatalf("entry %q, origin %q, host %q, referer %q: accepted as %q", entry, origin, host, referer, got)
			}
			if origin != "" && got != "null" && !strings.EqualFold(strings.TrimSuffix(strings.TrimSuffix(origin, ":80"), ":443"), strings.TrimSuffix(strings.TrimSuffix(got, ":80"), ":443")) {
				t.Fatalf("the origin %q was accepted as %q", origin, got)
			}
		}
	})
}

// isListed says, in another way than the code does, whether an entry of the list is
// for an origin.
func isListed(entry, origin string) bool {
	e, err := url.Parse(entry)
	o, oerr := url.Parse(origin)
	if entry == "null" || origin == "null" || err != nil || oerr != nil {
		return entry == origin
	}
	port := func(u *url.URL) string {
		if u.Port() == "" {
			return map[string]string{"http": "80", "https": "443"}[u.Scheme]
		}
		return u.Port()
	}
	if e.Scheme != o.Scheme || port(e) != port(o) {
		return false
	}
	want, got := strings.ToLower(e.Hostname()), o.Hostname()
	if rest, ok := strings.CutPrefix(want, "*."); ok {
		_, parent, _ := strings.Cut(got, ".")
		return parent == rest
	}
	return want == got
}

// A Host that passes is one of ours, of the loopback interface, or a name below
// localhost, and holds nothing but what names and addresses are made of.
func FuzzHosts(f *testing.F) {
	for _, s := range []string{"proxy.test", "PROXY.test:8000", "proxy.test.", "localhost", "a.localhost:1", "127.0.0.1:80", "[::1]:80", "::1", "[::ffff:127.0.0.1]",
		"evil.test", "proxy.test.evil.test", "proxy.test@evil.test", "a;b.localhost", "x/.localhost", ".localhost", "[localhost]", "127.1", "0x7f.1"} {
		f.Add(s, "proxy.test")
	}
	form := regexp.MustCompile(`^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]|[0-9A-Fa-f:.]+)(:[0-9]*)?$`)
	f.Fuzz(func(t *testing.T, host, known string) {
		if !regexp.MustCompile(`^[a-z0-9.:-]*$`).MatchString(known) || strings.HasSuffix(known, ".") {
			return // the configuration takes no other
		}
		if !(Hosts{known}).Accepts(host) {
			return
		}
		if !form.MatchString(host) {
			t.Fatalf("the Host %q is accepted", host)
		}
		u := url.URL{Host: host}
		name := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
		if strings.Count(host, ":") > 1 && !strings.HasPrefix(host, "[") {
			name = strings.ToLower(host)
		}
		addr, err := netip.ParseAddr(name)
		if name != known && name != "localhost" && !strings.HasSuffix(name, ".localhost") && (err != nil || !addr.Unmap().IsLoopback()) {
			t.Fatalf("the Host %q is accepted, with the name %q", host, known)
		}
	})
}

// The variables of a request: what is taken is in range, comes back from the encoder
// as it was, and is safe in a script.
func FuzzVariables(f *testing.F) {
	hello := base64.RawURLEncoding.EncodeToString((&csp.Record{Kind: csp.New, Version: csp.Version}).Append(nil))
	for _, s := range []string{"hold=25", "hold=0", "hold=61", "hold=+5", "hold=007", "d=" + hello, "d=AA==", "d=A", "d=AB", "d=%2B%2F", "d=AA%0AAA",
		"callback=Encke.a$1&seq=12", "callback=a.b.c.d.e.f&seq=0", "callback=alert(1)//&seq=1", "callback=a&seq=01", "callback=a&seq=1234567890", "callback=%E2%80%A8&seq=-1", "d=;&d=x"} {
		f.Add(s)
	}
	h := &Handler{opts: Options{}.withDefaults()}
	script := regexp.MustCompile(`^/\*\*/[A-Za-z0-9_$.]{1,64}\([0-9]{1,9}$`)
	f.Fuzz(func(t *testing.T, query string) {
		r := &http.Request{Header: http.Header{}, URL: &url.URL{RawQuery: query}}
		if hold, err := h.hold(r); err == nil && (hold < time.Second || hold > time.Minute) {
			t.Fatalf("%q holds for %v", query, hold)
		}
		d := r.URL.Query().Get("d")
		body, buf, err := h.body(nil, r, true)
		if buf != nil || err == nil && base64.RawURLEncoding.EncodeToString(body) != d || len(body) > len(query) {
			t.Fatalf("d=%q is %x, %v", d, body, err)
		}
		if head, p := (http.Header{}), (page{r: r}); (jsonp{}).header(head, p) == nil {
			opening := (jsonp{}).open(nil, p)
			if !script.Match(opening) {
				t.Fatalf("%q begins a script with %q", query, opening)
			}
		}
	})
}

// The records of a request: what is taken is bounded by what came, and begins with
// one hello.
func FuzzUplink(f *testing.F) {
	hello := (&csp.Record{Kind: csp.New, Version: csp.Version}).Append(nil)
	again := (&csp.Record{Kind: csp.Resume, Session: []byte("n0.x"), ID: 7}).Append(nil)
	f.Add(append(hello, 4, 1, 5, 1, 'x', 7, 1), "")
	f.Add(append(again, 4, 1, 5, 1, 'x', 6, 7, 1, 8, 9, 0), "9")
	f.Add(append(again, 10, 14, 0, 0), "18446744073709551615")
	f.Add(append(hello, hello...), "-1")
	f.Fuzz(func(t *testing.T, body []byte, last string) {
		u := new(uplink)
		next, err := u.parse(body)
		if len(u.packets)+u.pings > len(body) || len(u.packets) > csp.MaxPackets {
			t.Fatalf("%x: %d packets, %d pings", body, len(u.packets), u.pings)
		}
		size := 0
		for _, p := range u.packets {
			size += len(p.Data)
			if p.ID == 0 || p.ID > csp.MaxID {
				t.Fatalf("%x: packet %d", body, p.ID)
			}
		}
		if size > len(body) {
			t.Fatalf("%d bytes of data out of %d", size, len(body))
		}
		if err == nil && u.hello.Kind != csp.New && u.hello.Kind != csp.Resume {
			t.Fatalf("%x: taken without a hello", body)
		}
		if next > csp.MaxID+1 {
			t.Fatalf("%x: the next packet would be %d", body, next)
		}
		before := u.hello.ID
		u.lastEventID(&http.Request{Header: http.Header{"Last-Event-Id": {last}}})
		if u.hello.ID != before {
			want, err := strconv.ParseUint(last, 10, 64)
			if err != nil || want != u.hello.ID || want > csp.MaxID || want < before || u.hello.Kind != csp.Resume {
				t.Fatalf("Last-Event-ID %q made %d of %d", last, u.hello.ID, before)
			}
		}
	})
}

// The guard's verdict does not depend on how frames are cut, nothing behind a
// violation passes, and it keeps no more than a close frame.
func FuzzFrameGuard(f *testing.F) {
	f.Add(clientFrame(0x82, "x"), byte(1))
	f.Add(clientFrame(0x88, "\x03\xe8\xff"), byte(3))
	f.Add([]byte{0x82, 0xff, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0}, byte(2))
	f.Add([]byte{0x82, 0xfe, 0, 125, 0, 0, 0, 0}, byte(5))
	f.Add(bytes.Repeat(clientFrame(0x8a, ""), maxControl+1), byte(7))
	f.Fuzz(func(t *testing.T, wire []byte, size byte) {
		var whole, pieces frameGuard
		n, err := whole.check(wire, 0)
		var perr error
		passed := 0
		for at := 0; at < len(wire) && perr == nil; at += int(size) + 1 {
			var k int
			k, perr = pieces.check(wire[at:min(at+int(size)+1, len(wire))], 0)
			passed += k
		}
		var bad, pbad *violation
		if errors.As(err, &bad) != errors.As(perr, &pbad) || bad != nil && *bad != *pbad {
			t.Fatalf("%x: %v whole, %v in pieces", wire, err, perr)
		}
		if (err == nil) != (n == len(wire)) || passed < n || passed > len(wire) || err != nil && passed == len(wire) && len(wire) > 0 {
			t.Fatalf("%x: %v after %d bytes whole, %d in pieces", wire, err, n, passed)
		}
		if len(whole.close) > 125 || len(pieces.close) > 125 {
			t.Fatalf("%x: keeps %d bytes", wire, len(whole.close))
		}
	})
}

// Text is 1003 if it is UTF-8, else 1007, however it arrives.
func FuzzRefuseText(f *testing.F) {
	for _, s := range []string{"", "hello", "\u20ac", "\xed\xa0\x80", "\xf0\x90", strings.Repeat("x", 511) + "\u20ac", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want := websocket.StatusUnsupportedData
		if !utf8.ValidString(s) {
			want = websocket.StatusInvalidFramePayloadData
		}
		for name, r := range map[string]io.Reader{"whole": strings.NewReader(s), "in bytes": iotest.OneByteReader(strings.NewReader(s)), "with EOF": iotest.DataErrReader(strings.NewReader(s))} {
			var bad *violation
			if err := refuseText(r); !errors.As(err, &bad) || bad.code != want {
				t.Fatalf("%q %s: %v, want %d", s, name, err, want)
			}
		}
	})
}

// Whatever the path and the headers are, the answer is a refusal or a preflight's.
func FuzzRequest(f *testing.F) {
	f.Add("GET", "websocket", "http://proxy.test", "proxy.test", "Upgrade", "websocket")
	f.Add("OPTIONS", "send", "http://proxy.test", "proxy.test", "Access-Control-Request-Method", "POST")
	f.Add("POST", "long-polling", "null", "proxy.test", "Content-Encoding", "gzip")
	f.Add("GET", "jsonp?callback=x&seq=1&d=AA", "http://proxy.test", "proxy.test", "Sec-Fetch-Site", "same-origin")
	server := csp.NewServer(csp.Options{Accept: func(*csp.Session) csp.Handler { panic("a session was made of nothing") }})
	h, err := New(server, Options{Transports: All()})
	if err != nil {
		f.Fatal(err)
	}
	guarded := Hosts{"proxy.test"}.Guard(h)
	f.Fuzz(func(t *testing.T, method, path, origin, host, name, value string) {
		path, query, _ := strings.Cut(path, "?")
		r := httptest.NewRequest("GET", "/", nil)
		r.Method, r.Host, r.URL = method, host, &url.URL{Path: "/session/" + path, RawQuery: query}
		r.Header.Set("Origin", origin)
		r.Header.Set(name, value)
		if r.Header.Get("Upgrade") != "" || strings.Contains(query, "d=") {
			return // a session, perhaps
		}
		w := httptest.NewRecorder()
		guarded.ServeHTTP(w, r)
		if w.Code < 400 && w.Code != http.StatusNoContent && !strings.Contains(path, "jsonp") && path != "eventsource" && path != "iframe" {
			t.Fatalf("%s %s: status %d", method, path, w.Code)
		}
		if allowed := w.Header().Get("Access-Control-Allow-Origin"); allowed != "" && allowed != "http://"+strings.TrimSuffix(strings.ToLower(host), ":80") {
			t.Fatalf("origin %q at host %q: %q is allowed", origin, host, allowed)
		}
	})
}
