package transports_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"encke/buffer"
	"encke/cause"
	"encke/csp"
	"encke/transports"
)

// An idle poll is answered at once, every time.
func TestIdlePollsAreNotHeld(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	id := r.open()
	for i := range 3 {
		began := time.Now()
		recs := r.records(r.post("long-polling?hold=2", resume(id, 0)))
		if took := time.Since(began); took < time.Second {
			t.Errorf("poll %d of an idle session with hold=2 was answered after %v: %v", i, took, recs)
		}
	}
}

// HTTP/2: the server's own write deadline resets a silent stream.
func TestHTTP2StreamReset(t *testing.T) {
	sessions := csp.Options{}
	sessions.Accept = func(s *csp.Session) csp.Handler { return &echo{s} }
	server := csp.NewServer(sessions)
	h, _ := transports.New(server, transports.Options{WriteTimeout: time.Second})
	srv := httptest.NewUnstartedServer(h)
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer func() {
		server.Close(cause.GoingAway.Err())
		srv.CloseClientConnections()
		srv.Close()
		h.Wait(time.Second)
	}()
	req, _ := http.NewRequest("POST", srv.URL+"/session/fetch-streaming?hold=25", strings.NewReader(string((&csp.Record{Kind: csp.New, Version: 1, Key: csp.Key{1}}).Append(nil))))
	req.Header.Set("Origin", srv.URL)
	resp, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	began := time.Now()
	done := make(chan error, 1)
	go func() { _, err := io.Copy(io.Discard, resp.Body); done <- err }()
	select {
	case err := <-done:
		t.Errorf("%s: a silent stream (hold 25 s, WriteTimeout 1 s) broke after %v: %v", resp.Proto, time.Since(began), err)
	case <-time.After(4 * time.Second):
	}
}

// HTTP/1.1: a displaced stream that was silent for WriteTimeout ends broken, not cleanly.
func TestDisplacedStreamEndsCleanly(t *testing.T) {
	r := newRig(t, transports.Options{WriteTimeout: 500 * time.Millisecond}, csp.Options{})
	id := r.open()
	old := newStream(t, r.post("xhr-streaming", resume(id, 0)))
	old.until("ack")
	time.Sleep(time.Second)
	now := newStream(t, r.post("xhr-streaming", resume(id, 0)))
	now.until("ack")
	old.end()
}

func (r *rig) ws(dial func(context.Context, string, string) (net.Conn, error)) *websocket.Conn {
	r.t.Helper()
	tr := &http.Transport{DialContext: dial}
	c, _, err := websocket.Dial(r.t.Context(), r.url+"/session/websocket", &websocket.DialOptions{
		HTTPHeader: http.Header{"Origin": {r.url}}, HTTPClient: &http.Client{Transport: tr}})
	if err != nil {
		r.t.Fatal(err)
	}
	c.SetReadLimit(-1)
	return c
}

// Once the network was full, the first write after WriteTimeout kills the WebSocket.
func TestWriteDeadlineOutlivesDrain(t *testing.T) {
	r := newRig(t, transports.Options{WriteTimeout: time.Second}, csp.Options{SendBuffer: 64 << 20})
	var d net.Dialer
	c := r.ws(func(ctx context.Context, n, a string) (net.Conn, error) {
		conn, err := d.DialContext(ctx, n, a)
		if err == nil {
			conn.(*net.TCPConn).SetReadBuffer(64 << 10)
		}
		return conn, err
	})
	defer c.CloseNow()
	c.Write(t.Context(), websocket.MessageBinary, r.hello())
	if _, _, err := c.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	const n = 8
	sent := make(chan struct{})
	go func() { // while they are read, or the proxy would wait longer than it may
		defer close(sent)
		for i := range n { // 8 x 900 kB are echoed: more than the kernel takes at once
			c.Write(t.Context(), websocket.MessageBinary, packets(uint64(i+1), strings.Repeat("x", 900_000)))
		}
	}()
	got := 0
	for got < n*900_000 {
		_, msg, err := c.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got += len(msg)
	}
	<-sent
	for _, s := range r.server.Sessions() {
		s.Acked(0)
	}
	time.Sleep(2 * time.Second) // idle
	c.Write(t.Context(), websocket.MessageBinary, packets(n+1, "hello"))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for {
		_, msg, err := c.Read(ctx)
		if err != nil {
			t.Errorf("a healthy link died at the first write after an idle second: %v", err)
			return
		}
		if strings.Contains(string(msg), "hello") {
			return
		}
	}
}

func maskedFrame(op byte, p []byte) []byte {
	f := []byte{0x80 | op}
	switch {
	case len(p) < 126:
		f = append(f, 0x80|byte(len(p)))
	case len(p) < 65536:
		f = binary.BigEndian.AppendUint16(append(f, 0x80|126), uint16(len(p)))
	default:
		f = binary.BigEndian.AppendUint64(append(f, 0x80|127), uint64(len(p)))
	}
	return append(append(f, 0, 0, 0, 0), p...)
}

func (r *rig) rawWS() net.Conn {
	r.t.Helper()
	conn := r.rawUpgrade("")
	br := bufio.NewReaderSize(conn, 16)
	for {
		line, err := br.ReadString('\n')
		if err != nil {
			r.t.Fatal(err)
		}
		if line == "\r\n" {
			return conn
		}
	}
}

// rawUpgrade asks for a WebSocket, with these header lines too, and reads nothing.
func (r *rig) rawUpgrade(headers string) net.Conn {
	r.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		r.t.Fatal(err)
	}
	conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	fmt.Fprintf(conn, "GET /session/websocket HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n%s\r\n", strings.TrimPrefix(r.url, "http://"), r.url, headers)
	return conn
}

// heap is in MiB.
func heap() int { return heapBytes() >> 20 }

func heapBytes() int {
	runtime.GC()
	runtime.GC() // what was in pools
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// A client that pings and does not read: its pongs pile up while a drain waits.
func TestPingFloodPilesUp(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	conn := r.rawWS()
	defer conn.Close()
	conn.Write(maskedFrame(2, r.hello()))
	for i := range 12 { // fills the kernel's buffers: the drain goroutine waits from now on
		conn.Write(maskedFrame(2, packets(uint64(i+1), strings.Repeat("x", 900_000))))
	}
	time.Sleep(500 * time.Millisecond)
	before := heap()
	ping := maskedFrame(9, make([]byte, 125))
	flood := []byte(strings.Repeat(string(ping), 1000))
	sent := 0
	conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
	for sent < 100<<20 {
		n, err := conn.Write(flood)
		sent += n
		if err != nil {
			t.Logf("%v", err)
			break
		}
	}
	time.Sleep(200 * time.Millisecond)
	if grown := heap() - before; grown > 8 {
		t.Errorf("%d MiB of pings made the heap grow by %d MiB in one WebSocket", sent>>20, grown)
	}
}

// Same-origin GETs behind a balancer that ends TLS.
func TestSameOriginBehindTLS(t *testing.T) {
	origins, _ := transports.ParseOrigins("https://proxy.test")
	r := newRig(t, transports.Options{Origins: origins}, csp.Options{})
	req := r.request("POST", "send", r.hello(), "Origin", "https://proxy.test")
	req.Host = "proxy.test"
	id := string(r.records(r.do(req))[0].Session)
	req = r.request("GET", "eventsource?"+query(resume(id, 0)), nil, "Sec-Fetch-Site", "same-origin", "Referer", "https://proxy.test/page")
	req.Host = "proxy.test"
	buf := make([]byte, 200)
	n, _ := r.do(req).Body.Read(buf)
	if !strings.Contains(string(buf[:n]), `["ack",0]`) {
		t.Errorf("eventsource of the same page: %s", buf[:n])
	}
}

// A body that stops is answered with an empty success.
func TestAbortedBodyIs200(t *testing.T) {
	r := newRig(t, transports.Options{BodyTimeout: time.Second}, csp.Options{})
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /session/send HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nContent-Length: 1000\r\n\r\nxx")
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	p, _ := io.ReadAll(conn)
	if strings.HasPrefix(string(p), "HTTP/1.1 200") {
		t.Errorf("a body cut short is answered %q", p)
	}
}

// An idle WebSocket keeps its last large message.
func TestIdleWebSocketPinsMemory(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{Accept: nil})
	const n = 40
	before := heap()
	body := make([]byte, 1_000_000)
	rand.Read(body)
	for i := range n {
		c := r.ws(nil)
		defer c.CloseNow()
		c.Write(t.Context(), websocket.MessageBinary, r.hello())
		c.Write(t.Context(), websocket.MessageBinary, packets(1, string(body)))
		got := 0
		for got < len(body) {
			_, msg, err := c.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got += len(msg)
		}
		c.Write(t.Context(), websocket.MessageBinary, (&csp.Record{Kind: csp.Ack, ID: 1}).Append(nil))
		c.Write(t.Context(), websocket.MessageBinary, []byte{byte(csp.Ping)})
		if _, _, err := c.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		_ = i
	}
	if grown := heap() - before; grown > n/4 {
		t.Errorf("%d idle WebSockets, everything acknowledged, hold %d MiB", n, grown)
	}
	_ = buffer.Max
}

// SEQ in the message of the hello, the packet in the next one.
func TestSeqRunsOnAfterHello(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	conn := r.rawWS()
	defer conn.Close()
	conn.Write(maskedFrame(2, append(r.hello(), packets(1)...)))
	conn.Write(maskedFrame(2, (&csp.Record{Kind: csp.Data, Data: []byte("hi")}).Append(nil)))
	time.Sleep(200 * time.Millisecond)
	if err := r.server.Sessions()[0].Err(); err != nil {
		t.Error(err)
	}
}

// Packets in the body of a poll are not acknowledged before the poll ends.
func TestPollBodyIsAcknowledged(t *testing.T) {
	sessions := csp.Options{}
	r := newRig(t, transports.Options{}, sessions)
	id := r.open()
	r.records(r.post("send", join(resume(id, 0), packets(1, "a")))) // echo: packet 1 waits
	r.records(r.post("long-polling?hold=5", resume(id, 0)))
	began := time.Now()
	s := r.server.Sessions()[0]
	s.End() // from here on the echo says nothing (stands for a backend that only takes)
	r.records(r.post("long-polling?hold=5", resume(id, 1)))
	began = time.Now()
	recs := r.records(r.post("long-polling?hold=5", join(resume(id, 2), packets(2, "b"))))
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("packet 2, sent in the body of a poll, was acknowledged after %v (%v); PROTOCOL rule 4 says 1 s", took, recs)
	}
}

// After a stall of the proxy all links come at once that one client has given up
// meanwhile. That they are gone is read a moment after they were displaced; the session
// must not end for it.
func TestLinksGivenUpDuringAStall(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	id := r.open()
	s, err := r.server.Resume(id)
	if err != nil {
		t.Fatal(err)
	}
	leave := func() {}
	attached := r.server.Stats().Attached
	for i := range uint64(12) {
		ctx, cancel := context.WithCancel(t.Context())
		req := r.request("POST", "fetch-streaming", resume(id, 0)).WithContext(ctx)
		go r.h.ServeHTTP(httptest.NewRecorder(), req) // until ctx is done, at the latest
		for r.server.Stats().Attached < attached+i+1 {
			if s.Err() != nil {
				t.Fatalf("after %d links: %v", i, s.Err())
			}
			time.Sleep(time.Millisecond)
		}
		leave() // it is known now that the one before has left
		leave = cancel
	}
	defer leave()
	time.Sleep(500 * time.Millisecond) // what is said late is said by then
	if err := s.Err(); err != nil {
		t.Errorf("the session: %v", err)
	}
}
