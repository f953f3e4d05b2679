package app_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"encke/cause"
	"encke/client"
	"encke/cmd/encke/app"
	"encke/csp"
	"encke/integration/inprocess"
	"encke/tcpsocket"
)

func post(t *testing.T, a *app.App, body []byte) []csp.Record {
	t.Helper()
	req, _ := http.NewRequest("POST", a.URL()+"/session/send", bytes.NewReader(body))
	req.Header.Set("Origin", a.URL())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	out, _ := io.ReadAll(resp.Body)
	var all []csp.Record
	if _, err := csp.Parse(out, 0, func(r *csp.Record) error { all = append(all, *r); return nil }); err != nil {
		t.Fatalf("%d %q %v", resp.StatusCode, out, err)
	}
	return all
}

func heapMiB() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc >> 20)
}

// OPENs that are refused are answered without any bound.
func TestRefusedOpensFillMemory(t *testing.T) {
	a := inprocess.Start(t, app.Config{Allow: []string{"127.0.0.1:1"}})
	defer http.DefaultClient.CloseIdleConnections()
	id := post(t, a, (&csp.Record{Kind: csp.New, Version: 1, Key: csp.Key{1}}).Append(nil))[0].Session
	before, sent := heapMiB(), 0
	socket := uint64(0)
	for i := range 5 {
		var frames []byte
		for len(frames) < 1_000_000 {
			socket++
			frames = (&tcpsocket.Frame{Type: tcpsocket.Open, Socket: socket, Port: 1}).Append(frames)
		}
		body := (&csp.Record{Kind: csp.Resume, Session: id}).Append(nil)
		body = (&csp.Record{Kind: csp.Seq, ID: uint64(i + 1)}).Append(body)
		body = (&csp.Record{Kind: csp.Data, Data: frames}).Append(body)
		sent += len(body)
		if recs := post(t, a, body); recs[0].Kind != csp.Ack {
			if recs[0].Kind != csp.Close || recs[0].Cause != uint64(cause.Limit) {
				t.Errorf("%v, want CLOSE limit", recs)
			}
			break
		}
	}
	if grown := heapMiB() - before; grown > 4 {
		t.Errorf("%d MiB of OPENs with an empty host in ONE session (SendBuffer 256 KiB) made the heap grow by %d MiB", sent>>20, grown)
	}
}

// A WebSocket that says no hello delays the end of the process by BodyTimeout.
func TestShutdownWaitsForHello(t *testing.T) {
	a := inprocess.Start(t, app.Config{Allow: []string{"127.0.0.1:1"}})
	ws, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(a.URL(), "http")+"/session/websocket", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {a.URL()}}})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	began := time.Now()
	a.Shutdown(context.Background())
	if took := time.Since(began); took > 6*time.Second {
		t.Errorf("Shutdown of an idle proxy took %v", took)
	}
}

// A socket that ended while draining: what the page has not yet taken is dropped.
func TestDrainLosesTheTail(t *testing.T) {
	addr, conns := backend(t)
	a := inprocess.Start(t, app.Config{Allow: []string{addr}, Drain: 10 * time.Second})
	defer http.DefaultClient.CloseIdleConnections()
	_, port, _ := net.SplitHostPort(addr)
	n, _ := strconv.Atoi(port)
	frames := (&tcpsocket.Frame{Type: tcpsocket.Open, Socket: 1, N: 1 << 20, Port: uint64(n), Host: []byte("127.0.0.1")}).Append(nil)
	frames = (&tcpsocket.Frame{Type: tcpsocket.EOF, Socket: 1}).Append(frames)
	body := (&csp.Record{Kind: csp.New, Version: 1, Key: csp.Key{2}}).Append(nil)
	body = (&csp.Record{Kind: csp.Seq, ID: 1}).Append(body)
	body = (&csp.Record{Kind: csp.Data, Data: frames}).Append(body)
	id := post(t, a, body)[0].Session
	far := <-conns
	far.Write(bytes.Repeat([]byte("x"), 100_000)) // the answer, whole, and a clean end
	far.Close()
	for a.Stats().Sockets.Open > 0 {
		time.Sleep(5 * time.Millisecond)
	}
	done := make(chan struct{})
	go func() { a.Shutdown(context.Background()); close(done) }()
	time.Sleep(200 * time.Millisecond) // the page polls again 200 ms later, well within the drain time
	req, _ := http.NewRequest("POST", a.URL()+"/session/long-polling", bytes.NewReader((&csp.Record{Kind: csp.Resume, Session: id}).Append(nil)))
	req.Header.Set("Origin", a.URL())
	resp, err := http.DefaultClient.Do(req)
	got := 0
	if err == nil {
		out, _ := io.ReadAll(resp.Body)
		got = bytes.Count(out, []byte("x"))
		resp.Body.Close()
	}
	if got < 100_000 {
		t.Errorf("the page got %d of 100000 bytes that the proxy had taken from the backend (%v)", got, err)
	}
	<-done
}

// Write, Close, Dialer.Close: Conn.Close promises that what was written arrives.
func TestCloseThenDialerClose(t *testing.T) {
	addr, conns := backend(t)
	a := inprocess.Start(t, app.Config{Allow: []string{addr}})
	bad := 0
	for range 20 {
		d := &client.Dialer{Proxy: a.URL()}
		conn, err := d.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		far := <-conns
		conn.Write(bytes.Repeat([]byte("y"), 100_000))
		conn.Close()
		d.Close()
		if got, err := io.ReadAll(far); len(got) != 100_000 || err != nil {
			bad++
			if bad == 1 {
				t.Logf("%d bytes, %v", len(got), err)
			}
		}
		far.Close()
	}
	if bad > 0 {
		t.Errorf("%d of 20 connections lost their tail", bad)
	}
}

// A page that holds an answer by not reading it is cut when the proxy stops, which is no
// failure of the proxy.
func TestStopWithAPageThatDoesNotRead(t *testing.T) {
	addr, conns := backend(t)
	a := inprocess.Start(t, app.Config{Allow: []string{addr}})
	host, port, _ := net.SplitHostPort(addr)
	n, _ := strconv.Atoi(port)
	open := tcpsocket.Frame{Type: tcpsocket.Open, Socket: 1, N: 16 << 20, Port: uint64(n), Host: []byte(host)}
	body := (&csp.Record{Kind: csp.New, Version: 1, Key: csp.Key{9}}).Append(nil)
	body = (&csp.Record{Kind: csp.Seq, ID: 1}).Append(body)
	body = (&csp.Record{Kind: csp.Data, Data: open.Append(nil)}).Append(body)

	// Small segments and a small buffer: the kernels must not take all that the proxy has.
	dialer := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		var set error
		err := c.Control(func(fd uintptr) {
			set = errors.Join(syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10),
				syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, 1460))
		})
		return errors.Join(err, set)
	}}
	page, err := dialer.Dial("tcp", a.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer page.Close()
	request := "POST /session/fetch-streaming HTTP/1.1\r\nHost: " + a.Addr().String() + "\r\nOrigin: " + a.URL() +
		"\r\nContent-Type: text/plain\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + string(body)
	if _, err := io.WriteString(page, request); err != nil {
		t.Fatal(err)
	}
	far := <-conns
	for err == nil { // until everything between here and the page is full
		far.SetWriteDeadline(time.Now().Add(time.Second))
		_, err = far.Write(make([]byte, 1<<20))
	}
	far.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}
