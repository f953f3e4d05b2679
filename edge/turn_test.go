package edge_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"encke/edge"
)

// taken is a connection whose answer is not net/http's.
type taken struct {
	takeable
	below net.Conn
}

// takeable is what package transports uses of a connection.
type takeable interface {
	Brief()
	Takeable() bool
	Take() net.Conn
	Await() error
	Answered()
	Hangup()
}

// taking is a server whose handler gives the connection of each request to its channel and
// returns, except for requests to /left, which end when their client leaves.
func taking(t *testing.T, opts edge.Options) (addr string, conns chan taken, left chan error, stop func()) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conns, left = make(chan taken, 1), make(chan error, 1)
	type key struct{}
	srv := &http.Server{
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, key{}, c) },
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/left" {
				<-r.Context().Done()
				left <- r.Context().Err()
				return
			}
			c := r.Context().Value(key{}).(takeable)
			if r.URL.Path == "/brief" {
				c.Brief()
			}
			io.Copy(io.Discard, r.Body)
			if !c.Takeable() {
				t.Error("a request that was read is not takeable")
			}
			io.WriteString(w, "to nobody")
			conns <- taken{c, c.Take()}
		}),
	}
	served := make(chan struct{})
	go func() { srv.Serve(edge.Listen(inner, opts)); close(served) }()
	stop = func() { srv.Close(); <-served }
	t.Cleanup(stop)
	return inner.Addr().String(), conns, left, stop
}

func dialed(t *testing.T, addr string) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, bufio.NewReader(c)
}

// A connection that begins no other request after such an answer is closed in the end.
func TestIdleBehindATakenAnswer(t *testing.T) {
	addr, conns, _, _ := taking(t, edge.Options{Idle: 100 * time.Millisecond})
	client, br := dialed(t, addr)
	defer time.AfterFunc(20*time.Second, func() { client.Close() }).Stop() // against hanging for ever
	io.WriteString(client, getIt)
	c := <-conns
	ended := make(chan error, 1)
	go func() { ended <- c.Await() }()
	io.WriteString(c.below, "answer\n")
	c.Answered()
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("waiting ended with %v", err)
	}
	c.Hangup()
	if line, err := br.ReadString('\n'); line != "answer\n" {
		t.Errorf("%q %v", line, err)
	}
	if _, err := br.ReadByte(); err != io.EOF {
		t.Errorf("behind the answer: %v, want the end", err)
	}
}

const (
	getIt  = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	postIt = "POST /brief HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
)

// After an answer that was taken from net/http the next request is served, whether it came
// before the answer or behind it, and nothing else is on the wire.
func TestTake(t *testing.T) {
	for _, request := range []string{getIt, postIt} {
		addr, conns, _, _ := taking(t, edge.Options{})
		client, br := dialed(t, addr)
		io.WriteString(client, request)
		ended := make(chan error, 3)
		answer := func(text string, early bool) {
			t.Helper()
			c := <-conns
			go func() { ended <- c.Await() }()
			if early {
				io.WriteString(client, request)
				if err := <-ended; err != nil {
					t.Fatal(err)
				}
			}
			io.WriteString(c.takeable.(io.Writer), "lost") // net/http's turn is over
			io.WriteString(c.below, text+"\n")
			c.Answered()
			if line, err := br.ReadString('\n'); line != text+"\n" {
				t.Fatalf("%q %v, want %q", line, err, text)
			}
			if !early {
				io.WriteString(client, request)
				if err := <-ended; err != nil {
					t.Fatal(err)
				}
			}
		}
		answer("first", false)
		answer("second", true)
		answer("third", false)
		c := <-conns
		go func() { ended <- c.Await() }()
		client.Close()
		if err := <-ended; err == nil {
			t.Error("nobody is told that the client has left")
		}
		c.Hangup()
	}
}

// A connection that waits for a request ends with the listener, one with an open answer
// with that.
func TestCloseOfResting(t *testing.T) {
	addr, conns, _, stop := taking(t, edge.Options{})
	resting, restingReader := dialed(t, addr)
	io.WriteString(resting, getIt)
	c := <-conns
	ended := make(chan error, 2)
	go func() { ended <- c.Await() }()
	c.Answered()
	open, openReader := dialed(t, addr)
	io.WriteString(open, getIt)
	o := <-conns
	go func() { ended <- o.Await() }()
	stop()
	if _, err := restingReader.ReadByte(); err != io.EOF {
		t.Errorf("%v from a connection that waits", err)
	}
	if err := <-ended; err == nil {
		t.Error("its end is not noticed")
	}
	io.WriteString(o.below, "!")
	o.Answered()
	if all, err := io.ReadAll(openReader); string(all) != "!" || err != nil {
		t.Errorf("%q, %v from an open answer", all, err)
	}
	<-ended
}

// A handler that stays in the hands of net/http learns that its client has left.
func TestClientLeaves(t *testing.T) {
	addr, _, left, _ := taking(t, edge.Options{})
	client, _ := dialed(t, addr)
	io.WriteString(client, strings.Replace(getIt, "/ ", "/left ", 1))
	client.Close()
	if err := <-left; err != context.Canceled {
		t.Error(err)
	}
}

// Requests of every size are whole when they come over a connection that was at rest, one
// after the other or all at once.
func TestRequestsAfterRest(t *testing.T) {
	server, client := serverTLS(t)
	client.NextProtos = []string{"http/1.1"}
	for _, config := range []*tls.Config{nil, server} {
		s := newSite(t, edge.Options{TLS: config})
		conn := s.dial(t)
		if config != nil {
			conn = tls.Client(conn, client)
		}
		br := bufio.NewReader(conn)
		var sizes []int
		for n := 1; n < 40_000; n = 3*n + 1 {
			sizes = append(sizes, n, 4000+n)
		}
		send := func(n int) {
			fmt.Fprintf(conn, "POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", n, n, strings.Repeat("x", n))
		}
		receive := func(n int) {
			t.Helper()
			resp, err := http.ReadResponse(br, nil)
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, resp.Body)
			if got, want := s.requests(), fmt.Sprintf("POST /%d %s", n, strings.Repeat("x", n)); len(got) == 0 || got[0] != want {
				t.Fatalf("a request with %d bytes arrived as %.30q", n, got)
			}
		}
		for _, n := range sizes {
			send(n)
			receive(n)
		}
		for _, n := range sizes[:8] {
			send(n)
		}
		for range sizes[:8] {
			resp, err := http.ReadResponse(br, nil)
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, resp.Body)
		}
	}
}
