package app_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"encke/cause"
	"encke/client"
	"encke/cmd/encke/app"
	"encke/csp"
	"encke/tcpsocket"
)

func start(t *testing.T, cfg app.Config) *app.App {
	t.Helper()
	if len(cfg.Listen) == 0 {
		cfg.Listen = []string{"127.0.0.1:0"}
	}
	a, err := app.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// backend accepts connections and hands them out.
func backend(t *testing.T) (addr string, conns <-chan net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan net.Conn, 1000)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	t.Cleanup(func() {
		ln.Close()
		<-done
		close(accepted)
		for c := range accepted {
			c.Close()
		}
	})
	return ln.Addr().String(), accepted
}

// An idle session with one socket over WebSocket parks two goroutines: one reads
// the WebSocket, one waits for the backend.
func TestIdleSessionParksTwoGoroutines(t *testing.T) {
	addr, conns := backend(t)
	a := start(t, app.Config{Allow: []string{addr}})
	const sessions = 20
	host, port, _ := net.SplitHostPort(addr)
	openSession := func(i int) {
		ws, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(a.URL(), "http")+"/session/websocket", &websocket.DialOptions{
			HTTPHeader: http.Header{"Origin": {a.URL()}},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ws.CloseNow() })
		var portNumber uint64
		for _, d := range port {
			portNumber = portNumber*10 + uint64(d-'0')
		}
		open := tcpsocket.Frame{Type: tcpsocket.Open, Socket: 1, N: 1 << 20, Port: portNumber, Host: []byte(host)}
		hello := (&csp.Record{Kind: csp.New, Version: csp.Version, Key: csp.Key{byte(i)}}).Append(nil)
		hello = (&csp.Record{Kind: csp.Seq, ID: 1}).Append(hello)
		hello = (&csp.Record{Kind: csp.Data, Data: open.Append(nil)}).Append(hello)
		if err := ws.Write(t.Context(), websocket.MessageBinary, hello); err != nil {
			t.Fatal(err)
		}
		for opened := false; !opened; {
			_, msg, err := ws.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			opened = bytes.Contains(msg, []byte(addr))
		}
		t.Cleanup(func() { (<-conns).Close() })
	}
	openSession(0) // what is made once is made
	before := settled(0)
	for i := range sessions {
		openSession(i + 1)
	}
	if got := settled(before+2*sessions) - before; got != 2*sessions {
		buf := make([]byte, 1<<20)
		t.Errorf("%d idle sessions with a socket park %d goroutines, want %d\n%s", sessions, got, 2*sessions, buf[:runtime.Stack(buf, true)])
	}
}

// settled waits until the number of goroutines no longer changes, or is want.
func settled(want int) int {
	n := runtime.NumGoroutine()
	for same := 0; same < 20 && n != want; same++ {
		time.Sleep(20 * time.Millisecond)
		if now := runtime.NumGoroutine(); now != n {
			n, same = now, 0
		}
	}
	return n
}

func get(t *testing.T, c *http.Client, url string) (int, string, *http.Response) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body), resp
}

func TestRoutes(t *testing.T) {
	c := &http.Client{}
	defer c.CloseIdleConnections()
	a := start(t, app.Config{Allow: []string{"127.0.0.1:1"}, Prefix: "/tcp"})
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
	a := start(t, app.Config{Allow: []string{addr}, Cert: cert, Key: key})
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

// certificate makes a certificate for 127.0.0.1.
func certificate(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	write := func(name, typ string, der []byte) []byte {
		p := pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der})
		if err := os.WriteFile(name, p, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(write(cert, "CERTIFICATE", der))
	write(key, "PRIVATE KEY", pkcs8)
	return cert, key, pool
}

func TestBadSettingsAreAllNamed(t *testing.T) {
	bad := app.Config{
		Allow: []string{"irc.example.org", "*:80"}, AllowFiles: []string{"does-not-exist"},
		Origins: []string{"example.org"}, Hosts: []string{"http://x"}, Transports: []string{"udp"}, Listen: []string{"8000"},
		Prefix: "tcp/", Node: "a.b", Cert: "x", Linger: time.Hour * 48, MaxSockets: -1, Window: 5,
	}
	err := bad.Check()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, part := range []string{
		"irc.example.org", "*:80", "does-not-exist", `origin "example.org"`, "--host", `"udp"`, "--listen", "--prefix", "--node", "--cert", "--linger", "--max-sockets", "--window",
	} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not named in:\n%v", part, err)
		}
	}
	if _, err := app.Start(app.Config{}); err == nil || !strings.Contains(err.Error(), "--allow") {
		t.Errorf("started without a rule: %v", err)
	}
}

func TestProxyDoesNotReachItself(t *testing.T) {
	a := start(t, app.Config{Allow: []string{"127.0.0.1:*", "localhost:*"}})
	d := &client.Dialer{Proxy: a.URL()}
	defer d.Close()
	_, port, _ := net.SplitHostPort(a.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost"} {
		if _, err := d.Dial("tcp", net.JoinHostPort(host, port)); !errors.Is(err, cause.Denied.Err()) {
			t.Errorf("%s: %v, want denied", host, err)
		}
	}
}

func TestShutdownLetsSocketsFinish(t *testing.T) {
	addr, conns := backend(t)
	a := start(t, app.Config{Allow: []string{addr}})
	d := &client.Dialer{Proxy: a.URL()}
	defer d.Close()
	conn, err := d.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	far := <-conns
	done := make(chan error, 1)
	go func() { done <- a.Shutdown(context.Background()) }()
	for {
		if _, err := d.Dial("tcp", addr); err != nil {
			break // no new sockets
		}
		(<-conns).Close()
	}
	if _, err := conn.Write([]byte("still here")); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	got, err := io.ReadAll(far)
	if err != nil || string(got) != "still here" {
		t.Errorf("the backend got %q, %v", got, err)
	}
	far.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestShutdownEndsAtItsLimit(t *testing.T) {
	addr, conns := backend(t)
	a := start(t, app.Config{Allow: []string{addr}, Drain: 100 * time.Millisecond})
	d := &client.Dialer{Proxy: a.URL()}
	defer d.Close()
	conn, err := d.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	far := <-conns
	defer far.Close()
	if err := a.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, cause.GoingAway.Err()) {
		t.Errorf("the client is told %v, want going-away", err)
	}
	if _, err := far.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("the backend saw %v, want a reset rather than a clean end", err)
	}
}

// syncBuffer is a log that may be written and read at the same time.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestAuditLog(t *testing.T) {
	var log syncBuffer
	addr, conns := backend(t)
	a := start(t, app.Config{Allow: []string{addr}, Log: slog.New(slog.NewTextHandler(&log, nil))})
	d := &client.Dialer{Proxy: a.URL()}
	conn, err := d.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	far := <-conns
	conn.Write([]byte("hello"))
	conn.Close()
	io.ReadAll(far)
	far.Close()
	d.Dial("tcp", "192.0.2.1:80")
	d.Close()
	a.Close()
	for _, want := range []string{"listening", "dest=" + addr, "in=5", "code=closed", "dest=192.0.2.1:80", "code=denied", "origin=" + a.URL()} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, log.String())
		}
	}
}

// A body that never comes holds no connection, also where the request is refused
// before anybody reads it.
func TestBodiesThatNeverCome(t *testing.T) {
	a := start(t, app.Config{Allow: []string{"127.0.0.1:1"}})
	type result struct {
		name string
		err  error
	}
	results := make(chan result)
	heads := map[string]string{
		"foreign origin":  "POST /session/send HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.test\r\nContent-Length: 1000\r\n\r\n",
		"foreign host":    "POST / HTTP/1.1\r\nHost: evil.test\r\nContent-Length: 1000\r\n\r\n",
		"chunked":         "POST /session/send HTTP/1.1\r\nHost: localhost\r\nOrigin: " + a.URL() + "\r\nTransfer-Encoding: chunked\r\n\r\n",
		"GET with a body": "GET /session/eventsource?d=AA HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 1000\r\n\r\n",
	}
	for name, head := range heads {
		conn, err := net.Dial("tcp", a.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		go func() {
			io.WriteString(conn, head)
			conn.SetReadDeadline(time.Now().Add(60 * time.Second))
			_, err := io.ReadAll(conn)
			results <- result{name, err}
		}()
	}
	for range heads {
		r := <-results
		if ne, ok := r.err.(net.Error); ok && ne.Timeout() {
			t.Errorf("%s: the connection is still open", r.name)
		}
	}
}
