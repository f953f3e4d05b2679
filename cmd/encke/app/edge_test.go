package app_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"encke/cause"
	"encke/client"
	"encke/cmd/encke/app"
	"encke/csp"
	"encke/integration/inprocess"
)

// say sends a request as it is and returns all that comes back until the end of the
// connection.
func say(t *testing.T, a *app.App, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", a.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute)) // against hanging for ever
	io.WriteString(conn, request)
	got, err := io.ReadAll(conn)
	if err != nil {
		t.Errorf("after %q: %v", got, err)
	}
	return string(got)
}

// The proxy's listeners are those of package edge.
func TestSmuggledRequestIsNotAnswered(t *testing.T) {
	a := inprocess.Start(t, app.Config{Allow: []string{"127.0.0.1:1"}})
	got := say(t, a, "POST /session/send HTTP/1.1\r\nHost: localhost\r\nOrigin: "+a.URL()+"\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 400 ") || strings.Count(got, "HTTP/1.1") != 1 {
		t.Errorf("%q, want 400 and nothing else", got)
	}
	if st := a.Stats(); st.Edge.Malformed != 1 || st.Sessions.Opened != 0 {
		t.Errorf("%+v", st.Edge)
	}
	got = say(t, a, "GET /session/websocket HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 403 ") || strings.Count(got, "HTTP/1.1") != 1 || !strings.Contains(got, "Connection: close\r\n") {
		t.Errorf("behind a refused upgrade: %q, want 403 and nothing else", got)
	}
}

func TestSlowHead(t *testing.T) {
	a := inprocess.Start(t, app.Config{Allow: []string{"127.0.0.1:1"}, Limits: app.Limits{HeaderTimeout: 100 * time.Millisecond}})
	if got := say(t, a, "GET / HTTP/1.1\r\nHost: "); got != "" {
		t.Errorf("answered %q", got)
	}
	if n := a.Stats().Edge.SlowHeads; n != 1 {
		t.Errorf("%d counted, want 1", n)
	}
}

// HTTP/2 has the same limits of heads.
func TestHTTP2Heads(t *testing.T) {
	cert, key, pool := certificate(t)
	a := inprocess.Start(t, app.Config{Allow: []string{"127.0.0.1:1"}, Cert: cert, Key: key})
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}
	defer c.CloseIdleConnections()
	do := func(path string, fields int) int {
		req, _ := http.NewRequest("GET", a.URL()+path, nil)
		for i := range fields {
			req.Header.Add(fmt.Sprint("X-", i%7), "y")
		}
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.ProtoMajor != 2 {
			t.Errorf("HTTP/%d", resp.ProtoMajor)
		}
		return resp.StatusCode
	}
	if got := do("/healthz", 50); got != 200 {
		t.Errorf("50 fields: %d", got)
	}
	if got := do("/healthz", 65); got != 431 {
		t.Errorf("65 fields: %d, want 431", got)
	}
	if got := do("/healthz?"+strings.Repeat("a", 9000), 0); got != 431 {
		t.Errorf("a path of 9000 bytes: %d, want 431", got)
	}
	if n := a.Stats().Edge.TooLarge; n != 2 {
		t.Errorf("%d counted, want 2", n)
	}
}

// opened posts a NEW from a client address as a balancer would, and returns the status.
func opened(t *testing.T, a *app.App, key byte, forwarded string) int {
	t.Helper()
	req, _ := http.NewRequest("POST", a.URL()+"/session/send", strings.NewReader(string((&csp.Record{Kind: csp.New, Version: 1, Key: csp.Key{key}}).Append(nil))))
	req.Header.Set("Origin", a.URL())
	if forwarded != "" {
		req.Header.Set("X-Forwarded-For", forwarded)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// Limits are by the client's address: behind a trusted balancer by the forwarded one,
// else by the peer's, whatever headers say.
func TestLimitsByAddress(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	a := inprocess.Start(t, app.Config{Allow: []string{"127.0.0.1:1"}, Limits: app.Limits{AddressSessions: 1, TrustedProxies: []string{"127.0.0.1"}}})
	for i, tt := range []struct {
		from string
		want int
	}{{"192.0.2.1", 200}, {"192.0.2.2", 200}, {"192.0.2.1", 429}, {"192.0.2.9, 192.0.2.1", 429}, {"2001:db8::1", 200}, {"2001:db8::2", 429}, {"", 200}, {"nonsense", 429}} {
		if got := opened(t, a, byte(i), tt.from); got != tt.want {
			t.Errorf("from %q: %d, want %d", tt.from, got, tt.want)
		}
	}
	if n := a.Stats().Requests.Sessions; n != 4 {
		t.Errorf("%d counted, want 4", n)
	}
	a = inprocess.Start(t, app.Config{Allow: []string{"127.0.0.1:1"}, Limits: app.Limits{AddressSessions: 1}})
	if got := opened(t, a, 1, "192.0.2.1"); got != 200 {
		t.Errorf("%d", got)
	}
	if got := opened(t, a, 2, "192.0.2.2"); got != 429 {
		t.Errorf("a forwarded address from who is not trusted: %d, want 429", got)
	}
}

func TestProxyProtocol(t *testing.T) {
	var log inprocess.Log
	addr, conns := backend(t)
	a := inprocess.Start(t, app.Config{
		Allow: []string{addr}, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Listen: []string{"127.0.0.1:0", "[::1]:0"}, Limits: app.Limits{ProxyProtocol: []string{"127.0.0.1:0=127.0.0.0/8"}},
	})
	const header = "PROXY TCP4 192.0.2.7 192.0.2.2 1000 80\r\n"
	const get = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
	if got := say(t, a, header+get); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
		t.Errorf("%q", got)
	}
	d := &client.Dialer{Proxy: a.URL(), DialLink: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err == nil {
			io.WriteString(conn, header)
		}
		return conn, err
	}}
	conn, err := d.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	(<-conns).Close()
	conn.Close()
	d.Close()
	a.Close()
	if !strings.Contains(log.String(), "remote=192.0.2.7:1000") {
		t.Errorf("the log does not name the client:\n%s", log.String())
	}
}

// A client that takes no answers holds nothing for long, also where no session is.
func TestSlowReaderOfFiles(t *testing.T) {
	for _, path := range []string{"/TCPSocket.js.map", "/static/Orbited.js.map"} {
		t.Run(path, func(t *testing.T) {
			a := inprocess.Start(t, app.Config{
				Allow: []string{"127.0.0.1:1"}, Limits: app.Limits{WriteTimeout: time.Second},
				Legacy: []string{"orbited07"},
			})
			conn, err := net.Dial("tcp", a.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.(*net.TCPConn).SetReadBuffer(4 << 10)
			go func() { // until the connection is reset or closed
				for {
					if _, err := io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
						return
					}
				}
			}()
			for a.Stats().Edge.Accepted == 0 || a.Stats().Edge.Open > 0 {
				time.Sleep(10 * time.Millisecond) // until the proxy has had enough
			}
		})
	}
}

// descriptors is how many are open in this process.
func descriptors(t *testing.T) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("the descriptors of a process cannot be counted here")
	}
	return len(names)
}

// When descriptors are scarce new sessions are refused and sockets fail with limit;
// sessions and sockets that are there go on, and when there are enough all is as before.
func TestOutOfDescriptors(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	addr, conns := backend(t)
	limit := descriptors(t) + 3 + 100 // room for about 60 sockets, less what is set aside
	a := inprocess.Start(t, app.Config{Allow: []string{addr}, Limits: app.Limits{MaxDescriptors: limit}})
	if got := opened(t, a, 1, ""); got != 200 {
		t.Fatalf("the first session: %d", got)
	}
	d := &client.Dialer{Proxy: a.URL()}
	defer d.Close()
	var all []net.Conn
	var last error
	for range limit {
		conn, err := d.Dial("tcp", addr)
		if err != nil {
			last = err
			break
		}
		all = append(all, conn)
	}
	if !errors.Is(last, cause.Limit.Err()) || len(all) < 20 {
		t.Fatalf("after %d sockets: %v, want limit", len(all), last)
	}
	if got := opened(t, a, 2, ""); got != 503 {
		t.Errorf("a session while descriptors are scarce: %d, want 503", got)
	}
	far := <-conns
	io.WriteString(all[0], "still here\n")
	if line, err := bufio.NewReader(far).ReadString('\n'); line != "still here\n" {
		t.Errorf("a socket from before: %q, %v", line, err)
	}
	far.Close()
	for _, conn := range all {
		conn.Close()
	}
	for range all[1:] {
		(<-conns).Close()
	}
	for a.Stats().Sockets.Open > 0 {
		time.Sleep(time.Millisecond)
	}
	if got := opened(t, a, 2, ""); got != 200 {
		t.Errorf("a session after that: %d", got)
	}
	conn, err := d.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	(<-conns).Close()
}
