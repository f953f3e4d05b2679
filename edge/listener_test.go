package edge_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"encke/edge"
	"encke/quota"
)

const get = "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

// answered reads one answer from a connection that stays open.
func answered(t *testing.T, conn net.Conn) string {
	t.Helper()
	p := make([]byte, 4<<10)
	n, err := conn.Read(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(p[:n])
}

func TestTooManyOfOneAddress(t *testing.T) {
	per := quota.NewCounts(2)
	s := newSite(t, edge.Options{PerAddress: per})
	first, second := s.dial(t), s.dial(t)
	for _, conn := range []net.Conn{first, second} { // both are counted
		io.WriteString(conn, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
		answered(t, conn)
	}
	got := s.talk(t, "")
	if !strings.HasPrefix(got, "HTTP/1.1 429 ") || !strings.Contains(got, "\r\nRetry-After: ") {
		t.Errorf("the third connection is told %q, want 429 with Retry-After", got)
	}
	if n := s.stats.TooManyOfAddress.Load(); n != 1 {
		t.Errorf("%d refusals counted, want 1", n)
	}
	io.WriteString(first, get)
	if rest := s.rest(t, first); !strings.HasPrefix(rest, "HTTP/1.1 200") {
		t.Errorf("a connection from before is told %q", rest)
	}
	for per.Len() == 1 && !per.Take(quota.Key("127.0.0.1")) { // until the end of the first is known
		time.Sleep(time.Millisecond)
	}
	per.Give(quota.Key("127.0.0.1"))
	if got := s.talk(t, get); !strings.HasPrefix(got, "HTTP/1.1 200") {
		t.Errorf("after one has ended the next is told %q", got)
	}
}

func TestTrustedBalancersAreNotCounted(t *testing.T) {
	s := newSite(t, edge.Options{PerAddress: quota.NewCounts(0), Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if got := s.talk(t, get); !strings.HasPrefix(got, "HTTP/1.1 200") {
		t.Errorf("%q", got)
	}
}

func TestTooManyInAll(t *testing.T) {
	s := newSite(t, edge.Options{MaxConnections: 1})
	first := s.dial(t)
	io.WriteString(first, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
	answered(t, first)
	if got := s.talk(t, get); !strings.HasPrefix(got, "HTTP/1.1 503 ") || !strings.Contains(got, "\r\nRetry-After: ") {
		t.Errorf("the second connection is told %q, want 503 with Retry-After", got)
	}
	if n := s.stats.TooMany.Load(); n != 1 {
		t.Errorf("%d refusals counted, want 1", n)
	}
}

// Accepting stops while descriptors are scarce and goes on when they are not.
func TestScarceDescriptors(t *testing.T) {
	var backends atomic.Int64
	backends.Store(1 << 20)
	d := edge.NewDescriptors(1<<20, func() int { return int(backends.Load()) })
	s := newSite(t, edge.Options{Descriptors: d})
	conn := s.dial(t) // the kernel's backlog has it
	io.WriteString(conn, get)
	for s.stats.Pauses.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	if n := s.stats.Accepted.Load(); n != 0 {
		t.Errorf("%d connections accepted", n)
	}
	if !d.Scarce() || !d.Out() {
		t.Error("not scarce")
	}
	backends.Store(0)
	if got := s.rest(t, conn); !strings.HasPrefix(got, "HTTP/1.1 200") {
		t.Errorf("%q", got)
	}
}

// broken is a listener whose Accept fails some times first.
type broken struct {
	net.Listener
	errs []error
}

func (b *broken) Accept() (net.Conn, error) {
	if len(b.errs) > 0 {
		err := b.errs[0]
		b.errs = b.errs[1:]
		return nil, &net.OpError{Op: "accept", Err: err}
	}
	return b.Listener.Accept()
}

func TestErrorsOfAcceptEndNothing(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var stats edge.Stats
	ln := edge.Listen(&broken{inner, []error{syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED, errors.New("anything")}}, edge.Options{Stats: &stats})
	defer ln.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	io.WriteString(client, getIt)
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if n := stats.AcceptErrors.Load(); n != 4 {
		t.Errorf("%d errors counted, want 4", n)
	}
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

const v2 = "\r\n\r\n\x00\r\nQUIT\n"

func TestProxyHeader(t *testing.T) {
	s := newSite(t, edge.Options{ProxyFrom: loopback})
	for _, tt := range []struct{ name, header, from string }{
		{"version 1", "PROXY TCP4 192.0.2.7 192.0.2.2 1000 80\r\n", "192.0.2.7"},
		{"version 1, IPv6", "PROXY TCP6 2001:db8::7 2001:db8::1 1000 80\r\n", "[2001:db8::7]"},
		{"version 1, unknown", "PROXY UNKNOWN\r\n", "127.0.0.1"},
		{"version 2", v2 + "\x21\x11\x00\x0c\xc0\x00\x02\x07\xc0\x00\x02\x02\x00\x01\x00\x50", "192.0.2.7"},
		{"version 2, with more", v2 + "\x21\x11\x00\x13\xc0\x00\x02\x07\xc0\x00\x02\x02\x00\x01\x00\x50" + "\x04\x00\x04abcd", "192.0.2.7"},
		{"version 2, LOCAL", v2 + "\x20\x00\x00\x00", "127.0.0.1"},
		{"version 2, LOCAL with addresses", v2 + "\x20\x11\x00\x0c\xc0\x00\x02\x07\xc0\x00\x02\x02\x00\x01\x00\x50", "127.0.0.1"},
	} {
		for _, pieces := range [][]string{{tt.header + get}, append(strings.Split(tt.header, ""), get)} {
			if got := s.talk(t, pieces...); !strings.Contains(got, "from "+tt.from+",") {
				t.Errorf("%s: %q, want a request from %s", tt.name, got, tt.from)
			}
		}
	}
}

func TestBadProxyHeaders(t *testing.T) {
	s := newSite(t, edge.Options{ProxyFrom: loopback})
	cases := map[string]string{
		"none":                get,
		"nothing":             "\n",
		"too long version 1":  "PROXY TCP4 192.0.2.7 192.0.2.2 1000 80" + strings.Repeat(" ", 200) + "\r\n" + get,
		"bad address":         "PROXY TCP4 192.0.2 192.0.2.2 1000 80\r\n" + get,
		"version 2, too long": v2 + "\x21\x11\x02\x19\xc0\x00\x02\x07\xc0\x00\x02\x02\x00\x01\x00\x50" + strings.Repeat("\x04\x00\x00", 200) + get,
		"version 3":           v2 + "\x31\x11\x00\x0c\xc0\x00\x02\x07\xc0\x00\x02\x02\x00\x01\x00\x50" + get,
	}
	for name, bytes := range cases {
		conn := s.dial(t)
		io.WriteString(conn, bytes)
		if got, _ := io.ReadAll(conn); len(got) > 0 {
			t.Errorf("%s: answered %q", name, got)
		}
	}
	if seen := s.requests(); len(seen) > 0 {
		t.Errorf("the handler got %q", seen)
	}
	if n := s.stats.BadProxyHeaders.Load(); n != uint64(len(cases)) {
		t.Errorf("%d counted, want %d", n, len(cases))
	}
	other := newSite(t, edge.Options{ProxyFrom: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	conn := other.dial(t)
	io.WriteString(conn, "PROXY TCP4 192.0.2.7 192.0.2.2 1000 80\r\n"+get)
	if got, _ := io.ReadAll(conn); len(got) > 0 || len(other.requests()) > 0 {
		t.Errorf("a header from who is no balancer: answered %q", got)
	}
}

// A PROXY header that does not come holds a connection for 3 s, a TLS handshake for as
// long as Options say; the server ends both. And Close waits for neither.
func TestProxyHeaderThatNeverComes(t *testing.T) {
	s := newSite(t, edge.Options{ProxyFrom: loopback})
	conn := s.dial(t)
	io.WriteString(conn, "PROXY TCP4 ")
	if _, err := io.ReadAll(conn); errors.Is(err, syscall.ETIMEDOUT) || s.stats.BadProxyHeaders.Load() != 1 {
		t.Errorf("%v, %d counted", err, s.stats.BadProxyHeaders.Load())
	}
	s.dial(t) // left open at the end of the test
}

func serverTLS(t *testing.T) (*tls.Config, *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"a"}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, _ := x509.ParseCertificate(der)
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"h2", "http/1.1"}},
		&tls.Config{RootCAs: pool, ServerName: "a"}
}

// In TLS the same is checked, and Request.TLS is there.
func TestTLS(t *testing.T) {
	server, client := serverTLS(t)
	s := newSite(t, edge.Options{TLS: server, Patience: 3 * time.Second, ProxyFrom: loopback}) // a busy machine needs a while for a handshake
	dial := func() net.Conn {
		raw := s.dial(t)
		io.WriteString(raw, "PROXY TCP4 192.0.2.7 192.0.2.2 1000 80\r\n")
		conn := tls.Client(raw, client)
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	conn := dial()
	io.WriteString(conn, get)
	if got := s.rest(t, conn); !strings.Contains(got, "<GET /x  from 192.0.2.7, TLS true>") {
		t.Errorf("%q", got)
	}
	s.requests()
	conn = dial()
	io.WriteString(conn, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"+malformed[0].request+last)
	if got := s.rest(t, conn); strings.Count(got, "HTTP/1.1 ") != 2 || !strings.Contains(got, "HTTP/1.1 400 ") {
		t.Errorf("%q, want 200 and then 400", got)
	}
	if seen := s.requests(); !slices.Equal(seen, []string{"POST /a hello"}) {
		t.Errorf("the handler got %q", seen)
	}
	h2 := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: client, Dial: func(string, string) (net.Conn, error) {
		raw := s.dial(t)
		_, err := io.WriteString(raw, "PROXY TCP4 192.0.2.7 192.0.2.2 1000 80\r\n")
		return raw, err
	}}
	defer h2.CloseIdleConnections()
	resp, err := (&http.Client{Transport: h2}).Get("https://a/x")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.ProtoMajor != 2 || string(body) != "<GET /x  from 192.0.2.7, TLS true>" {
		t.Errorf("HTTP/%d %q", resp.ProtoMajor, body)
	}

	raw := s.dial(t)
	io.WriteString(raw, "PROXY TCP4 192.0.2.7 192.0.2.2 1000 80\r\n")
	io.ReadAll(raw) // ends, though no handshake comes
	if s.stats.FailedTLS.Load() != 1 {
		t.Errorf("%d failed handshakes counted, want 1", s.stats.FailedTLS.Load())
	}
}

// Whoever takes over a connection gets the one below, which is a socket, and what the
// client sent ahead.
func TestDetach(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 1)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		below, ahead := conn.(interface{ Detach() (net.Conn, []byte) }).Detach()
		defer below.Close()
		if _, ok := below.(syscall.Conn); !ok {
			t.Errorf("%T is no socket", below)
		}
		buffered, _ := rw.Reader.Peek(rw.Reader.Buffered())
		rest, _ := io.ReadAll(below)
		got <- string(buffered) + string(ahead) + string(rest)
	})}
	ln := edge.Listen(inner, edge.Options{})
	served := make(chan struct{})
	go func() { srv.Serve(ln); close(served) }()
	defer func() { srv.Close(); <-served }()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x82\x81frames\r\nand more")
	io.WriteString(conn, ", later")
	conn.(*net.TCPConn).CloseWrite()
	if s := <-got; s != "\x82\x81frames\r\nand more, later" {
		t.Errorf("%q", s)
	}
}
