package orbited07

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"encke/tcpsocket"
	"encke/whitelist"
)

// reader reads packets as the client does: where a piece begins it passes over spaces and
// then over x, and it takes less than 2,000 strings at once.
type reader struct {
	rest   string
	packet []string
}

var errBorked = errors.New("2,000 strings at once")

func (r *reader) feed(piece string) (packets [][]string, err error) {
	if r.rest == "" {
		piece = strings.TrimLeft(piece, " ")
		piece = strings.TrimLeft(piece, "x")
	}
	r.rest += piece
	for n := 0; ; n++ {
		if n == 2000 {
			return packets, errBorked
		}
		comma := strings.IndexByte(r.rest, ',')
		if comma < 0 {
			return packets, nil
		}
		size, err := strconv.Atoi(r.rest[1:comma])
		if err != nil {
			return packets, fmt.Errorf("%.40q: %w", r.rest, err)
		}
		if len(r.rest) < comma+1+size {
			return packets, nil
		}
		last := r.rest[0] == '0'
		r.packet = append(r.packet, r.rest[comma+1:comma+1+size])
		r.rest = r.rest[comma+1+size:]
		if last {
			packets = append(packets, r.packet)
			r.packet = nil
		}
	}
}

// oldClient is a client that behaves as the original does where a lost connection can be
// seen: it asks again with what it has, sends a POST again that was not answered, and does
// not look at ids.
type oldClient struct {
	http      *http.Client
	base, key string
	transport string

	opened    chan struct{} // closed when "open" has come
	connected chan struct{} // closed when the handshake was answered

	mu       sync.Mutex
	lastID   int // for POSTs: the highest
	got      []byte
	answered bool // the handshake was
	closed   bool
	moved    chan struct{} // rung when something has come
}

// run asks for packets until the session is over.
func (c *oldClient) run(ctx context.Context) error {
	ack := ""
	for ctx.Err() == nil {
		req, _ := http.NewRequestWithContext(ctx, "GET", c.base+"/tcp/"+c.key+"/"+c.transport+"?nocache=0.5"+ack, nil)
		req.Header.Set("Referer", c.base+"/page")
		resp, err := c.http.Do(req)
		if err != nil {
			continue
		}
		if resp.StatusCode != 200 {
			resp.Body.Close()
			return fmt.Errorf("status %d", resp.StatusCode)
		}
		var r reader
		var whole strings.Builder
		body := bufio.NewReaderSize(resp.Body, 64<<10)
		for {
			body.Peek(1)
			piece, _ := body.Peek(body.Buffered())
			body.Discard(len(piece))
			_, err = body.Peek(0)
			if len(piece) == 0 {
				_, err = body.ReadByte()
			}
			whole.Write(piece)
			text := string(piece)
			if c.transport == "longpoll" {
				text = ""
				if err == io.EOF { // it looks at whole answers only
					text = whole.String()
				}
			}
			packets, bad := r.feed(text)
			if bad != nil {
				return bad
			}
			for _, p := range packets {
				ack = "&ack=" + p[0]
				c.take(p)
			}
			if err != nil {
				break
			}
		}
		resp.Body.Close()
		c.mu.Lock()
		closed := c.closed
		c.mu.Unlock()
		if closed {
			return nil
		}
	}
	return ctx.Err()
}

func (c *oldClient) take(p []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, _ := strconv.Atoi(p[0])
	c.lastID = max(c.lastID, id)
	switch p[1] {
	case "open":
		select {
		case <-c.opened:
		default:
			close(c.opened)
		}
	case "data":
		data, _ := base64.StdEncoding.DecodeString(p[2])
		if !c.answered {
			c.answered = true // whatever else is in it
			close(c.connected)
		} else {
			c.got = append(c.got, data...)
		}
	case "close":
		c.closed = true
	}
	select {
	case c.moved <- struct{}{}:
	default:
	}
}

// post sends packets until that is answered.
func (c *oldClient) post(ctx context.Context, packets string) error {
	for {
		c.mu.Lock()
		ack := c.lastID
		c.mu.Unlock()
		req, _ := http.NewRequestWithContext(ctx, "POST", fmt.Sprintf("%s/tcp/%s?nocache=0.5&ack=%d", c.base, c.key, ack), strings.NewReader(packets))
		req.Header.Set("Origin", c.base)
		resp, err := c.http.Do(req)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
			if err == nil && resp.StatusCode != 200 {
				return fmt.Errorf("status %d", resp.StatusCode)
			}
		}
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// cutting is a connection that breaks after so many bytes.
type cutting struct {
	net.Conn
	left int
}

func (c *cutting) Read(p []byte) (int, error) {
	if c.left <= 0 {
		c.Close()
		return 0, io.ErrUnexpectedEOF
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// TestOverCuttingLinks: over links that keep breaking, nothing is lost and nothing comes twice.
func TestOverCuttingLinks(t *testing.T) {
	for _, transport := range []string{"longpoll", "xhrstream"} {
		t.Run(transport, func(t *testing.T) { overCuttingLinks(t, transport) })
	}
}

func overCuttingLinks(t *testing.T, transport string) {
	echo := echoServer(t)
	rules, err := whitelist.New("127.0.0.1:*")
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, tcpsocket.NewDialer(rules, tcpsocket.DialOptions{}), nil)
	srv := httptest.NewServer(r.mux)
	defer srv.Close()
	defer r.stop()

	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random, fate := rand.New(rand.NewPCG(seed, 0)), rand.New(rand.NewPCG(seed, 1))
	var mu sync.Mutex // guards fate and cuts
	cuts := 0
	tr := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		var d net.Dialer
		conn, err := d.DialContext(ctx, network, addr)
		mu.Lock()
		defer mu.Unlock()
		cuts++
		return &cutting{conn, 64 << fate.IntN(12)}, err // at times enough for the largest answer
	}}
	defer tr.CloseIdleConnections()
	c := &oldClient{http: &http.Client{Transport: tr}, base: srv.URL, transport: transport, opened: make(chan struct{}), connected: make(chan struct{}), moved: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", srv.URL+"/tcp?nocache=0.5", nil)
	req.Header.Set("Referer", srv.URL+"/page")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	key, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	c.key = string(key)

	over := make(chan error, 1)
	go func() { over <- c.run(ctx) }()
	<-c.opened
	id := 0
	data := func(p []byte) string {
		id++
		number, text := strconv.Itoa(id), base64.StdEncoding.EncodeToString(p)
		return fmt.Sprintf("1%d,%s14,data0%d,%s", len(number), number, len(text), text)
	}
	if err := c.post(ctx, data([]byte(echo+"\n"))); err != nil {
		t.Fatal(err)
	}
	<-c.connected
	var want []byte
	for range 300 {
		var batch string
		for range 1 + random.IntN(3) {
			p := make([]byte, 1+random.IntN(5000))
			for i := range p {
				p[i] = byte(random.Uint32())
			}
			want = append(want, p...)
			batch += data(p)
		}
		if err := c.post(ctx, batch); err != nil {
			t.Fatal(err)
		}
	}
	for {
		c.mu.Lock()
		n := len(c.got)
		c.mu.Unlock()
		if n >= len(want) {
			break
		}
		select {
		case <-c.moved:
		case err := <-over:
			t.Fatalf("after %d of %d bytes: %v", n, len(want), err)
		}
	}
	id++
	if err := c.post(ctx, fmt.Sprintf("1%d,%d05,close", len(strconv.Itoa(id)), id)); err != nil {
		t.Error(err)
	}
	if err := <-over; err != nil && err.Error() != "status 404" {
		t.Error(err)
	}
	if got := string(c.got); got != string(want) {
		t.Errorf("got %d bytes, want %d; the first that differs is at %d", len(got), len(want), differ(got, string(want)))
	}
	mu.Lock()
	defer mu.Unlock()
	t.Logf("%d bytes over %d connections", len(want), cuts)
	if cuts < 10 {
		t.Errorf("%d connections: the links did not break", cuts)
	}
}

func differ(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// echoServer returns the address of a server that echoes.
func echoServer(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() { // until ln is closed
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { // until the proxy closes
				io.Copy(conn, conn)
				conn.Close()
			}()
		}
	}()
	return ln.Addr().String()
}
