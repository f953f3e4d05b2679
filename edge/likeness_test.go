package edge_test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"encke/edge"
)

// Whatever is uncommon about a request for a WebSocket, it is served, or refused, as one
// that passes through net/http, and the handler sees the same of it.
func TestUpgradesAreLikeThoseOfNetHTTP(t *testing.T) {
	tell := func(w http.ResponseWriter, r *http.Request) {
		text := fmt.Sprintf("%s %q %q %q %s %t %d %v %v %t %t %v", r.Method, r.URL, r.Host, r.RequestURI, r.Proto,
			r.Close, r.ContentLength, r.TransferEncoding, r.Trailer, r.TLS != nil, r.Body == http.NoBody, r.Header)
		w.Header().Set("Content-Length", fmt.Sprint(len(text)))
		w.Header().Set("Content-Type", "text/plain") // which net/http would guess
		io.WriteString(w, text)
	}
	below, above := serving(t, tell, true), serving(t, tell, false)
	compare := func(lines ...string) {
		t.Helper()
		request := strings.Join(lines, "\r\n") + "\r\n\r\n"
		if got, want := answerOf(t, below, request), answerOf(t, above, request); got != want {
			t.Errorf("%q\nis answered with %s\nby net/http with  %s", request, got, want)
		}
	}
	const line, name, token = "GET /a?b=c HTTP/1.1", "Host: h.test:80", "Upgrade: websocket"
	for _, l := range []string{
		line, "GET // HTTP/1.1", "GET //evil.test/x HTTP/1.1", "GET /%zz HTTP/1.1", "GET /a%2fb HTTP/1.1", "GET /a%00 HTTP/1.1",
		"GET /a?b#c HTTP/1.1", "GET /?%zz HTTP/1.1", "GET /a\\b HTTP/1.1", "GET http://evil.test/ HTTP/1.1", "GET * HTTP/1.1",
		"GET /../x HTTP/1.1", "GET /a:b HTTP/1.1", "GET /[::1] HTTP/1.1", "GET /a HTTP/1.0", "GET /a HTTP/1.2", "get /a HTTP/1.1",
		"GET /a  HTTP/1.1", "OPTIONS /a HTTP/1.1", "GET /\xff HTTP/1.1", "GET /a?\"<>^`{|} HTTP/1.1", "\r\n" + line,
	} {
		compare(l, name, token)
	}
	for _, host := range []string{
		"", "a b", "\xff", "a\xe9", "a/../b", "user@b", "a,b", "[::1]", "%zz", "a#b", "a?b", "a\\b", "a\tb", "a:b:c", "'",
	} {
		compare(line, "Host: "+host, token)
	}
	for _, field := range []string{
		"Host: b", "X: \x80\xff", "X: a\tb", "X:", "X:  a  ", "X: \x0b", "x-y: 1", "X: 1\r\nx: 2", "X_Y: 1", "\"x\": 1", ":authority: x",
		"X: " + strings.Repeat("a", 3000), "X: " + strings.Repeat("a", 5000),
		"Expect: 100-continue", "Expect:", "Expect: x", "Expect:\r\nExpect: 100-continue", "Content-Length: 0", "Content-Length: 00",
		"Content-Length: 5", "Content-Length:", "Transfer-Encoding: chunked", "Trailer: X", "Trailer: Content-Length", "TE: trailers",
		"Pragma: no-cache", "Connection: close", "Connection: keep-alive", "HTTP2-Settings: x",
		"Upgrade: h2c", "Upgrade:", "Upgrade: websocket", "Upgrade: WebSocket, h2c",
	} {
		compare(line, name, token, field)
		compare(line, field, name, token)
		compare(line, name, field)
	}
	compare(line, name, token, "", "GET /behind HTTP/1.1", name)
	compare(line, name, "", line, name, token)
}

// serving is a server with that handler, which gets requests for WebSockets below net/http if asked for.
func serving(t *testing.T, serve http.HandlerFunc, below bool) (addr string) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var opts edge.Options
	if below {
		opts.Upgrades = serve
	}
	srv, served := &http.Server{Handler: serve}, make(chan struct{})
	go func() { srv.Serve(edge.Listen(inner, opts)); close(served) }()
	t.Cleanup(func() { srv.Close(); <-served })
	return inner.Addr().String()
}

// answerOf returns what matters of the first answer to a request.
func answerOf(t *testing.T, addr, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute)) // against hanging for ever
	io.WriteString(conn, request)
	conn.(*net.TCPConn).CloseWrite()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return "nothing"
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	fields := slices.Sorted(maps.Keys(resp.Header))
	return fmt.Sprint(resp.StatusCode, fields, string(body))
}
