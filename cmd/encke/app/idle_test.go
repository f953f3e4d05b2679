package app_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"encke/cmd/encke/app"
	"encke/csp"
	"encke/integration/inprocess"
	"encke/tcpsocket"
)

// An idle session with one socket over WebSocket parks two goroutines: one reads
// the WebSocket, one waits for the backend.
func TestIdleSessionParksTwoGoroutines(t *testing.T) {
	addr, conns := backend(t)
	a := inprocess.Start(t, app.Config{Allow: []string{addr}})
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

// An open answer parks one goroutine, and so does a connection without a request.
func TestIdleConnectionsParkOneGoroutine(t *testing.T) {
	a := inprocess.Start(t, app.Config{Allow: []string{"127.0.0.1:1"}})
	request := func(path string, body []byte) {
		c, err := net.Dial("tcp", a.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		fmt.Fprintf(c, "POST /session/%s HTTP/1.1\r\nHost: localhost\r\nOrigin: %s\r\nContent-Length: %d\r\n\r\n%s", path, a.URL(), len(body), body)
		if _, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil {
			t.Fatal(err)
		}
	}
	const sessions = 20
	open := func(i int) {
		hello := (&csp.Record{Kind: csp.New, Version: csp.Version, Key: csp.Key{byte(i)}}).Append(nil)
		request("fetch-streaming", hello)
		request("send", hello)
	}
	open(0) // what is made once is made
	before := settled(0)
	for i := range sessions {
		open(i + 1)
	}
	if got := settled(before+2*sessions) - before; got != 2*sessions {
		buf := make([]byte, 1<<20)
		t.Errorf("%d idle sessions with two connections park %d goroutines, want %d\n%s", sessions, got, 2*sessions, buf[:runtime.Stack(buf, true)])
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
