package app_test

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"encke/cause"
	"encke/client"
	"encke/cmd/encke/app"
	"encke/integration/inprocess"
)

func TestRoutes(t *testing.T) {
	c := &http.Client{}
	defer c.CloseIdleConnections()
	a := inprocess.Start(t, app.Config{Allow: []string{"127.0.0.1:1"}, Prefix: "/tcp"})
	base := strings.TrimSuffix(a.URL(), "/tcp")
	for path, want := range map[string]int{
		"/tcp/healthz":               200,
		"/tcp/TCPSocket.js":          200,
		"/tcp/TCPSocket.mjs":         200,
		"/tcp/TCPSocket.d.ts":        200,
		"/tcp/TCPSocket.js.map":      200,
		"/tcp/session/long-polling":  403, // no origin
		"/tcp/session/eventsource":   403,
		"/tcp/":                      404,
		"/tcp/../etc/passwd":         404,
		"/TCPSocket.js":              404,
		"/healthz":                   404,
		"/session/long-polling":      404,
		"/tcp/demo/":                 404,
		"/tcp/static/dist/":          404,
		"/tcp/session/websocket/../": 404,
		"/tcp/tcp":                   404, // older protocols are off
		"/tcp/static/Orbited.js":     404,
		"/tcp/csp/handshake":         404,
		"/tcp/ws":                    404,
		"/tcp/websockify":            404,
		"/tcp/v1":                    404,
		"/tcp/wisp/":                 404,
	} {
		if got, body, _ := get(t, c, base+path); got != want {
			t.Errorf("%s: status %d (%.80s), want %d", path, got, body, want)
		}
	}
	req, _ := http.NewRequest(http.MethodGet, base+"/tcp/TCPSocket.js", nil)
	req.Host = "evil.test"
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("another host: status %d, want 421", resp.StatusCode)
	}
}

func TestTLSAndHTTP2(t *testing.T) {
	cert, key, pool := certificate(t)
	addr, conns := backend(t)
	a := inprocess.Start(t, app.Config{Allow: []string{addr}, Cert: cert, Key: key})
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}
	defer c.CloseIdleConnections()
	status, body, resp := get(t, c, a.URL()+"/healthz")
	if status != 200 || body != "ok\n" || resp.ProtoMajor != 2 {
		t.Errorf("healthz over TLS: %d %q, HTTP/%d", status, body, resp.ProtoMajor)
	}
	d := &client.Dialer{Proxy: a.URL(), TLS: &tls.Config{RootCAs: pool}}
	defer d.Close()
	conn, err := d.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	far := <-conns
	defer far.Close()
	want := make([]byte, 4<<20)
	rand.Read(want)
	go func() {
		far.Write(want)
		far.Close()
	}()
	got, err := io.ReadAll(conn)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes over TLS (%v), want the %d sent", len(got), err, len(want))
	}
	conn.Close()
}

func TestProxyDoesNotReachItself(t *testing.T) {
	a := inprocess.Start(t, app.Config{Allow: []string{"127.0.0.1:*", "localhost:*"}})
	d := &client.Dialer{Proxy: a.URL()}
	defer d.Close()
	_, port, _ := net.SplitHostPort(a.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost"} {
		if _, err := d.Dial("tcp", net.JoinHostPort(host, port)); !errors.Is(err, cause.Denied.Err()) {
			t.Errorf("%s: %v, want denied", host, err)
		}
	}
}
