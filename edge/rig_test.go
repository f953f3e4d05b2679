package edge_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"encke/edge"
)

// site is an http.Server behind a Listener. Its handler answers with what it got.
type site struct {
	addr  string
	stats *edge.Stats

	mu  sync.Mutex
	got []string // "METHOD path body"
}

func newSite(t *testing.T, opts edge.Options) *site {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	opts.Stats = new(edge.Stats)
	s := &site{addr: inner.Addr().String(), stats: opts.Stats}
	srv := &http.Server{Handler: s, ReadHeaderTimeout: 20 * time.Second}
	served := make(chan struct{})
	go func() {
		defer close(served)
		srv.Serve(edge.Listen(inner, opts))
	}()
	t.Cleanup(func() {
		srv.Close()
		<-served
	})
	return s
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	line := fmt.Sprintf("%s %s %s", r.Method, r.URL.Path, body)
	s.mu.Lock()
	s.got = append(s.got, line)
	s.mu.Unlock()
	fmt.Fprintf(w, "<%s from %s, TLS %t>", line, r.RemoteAddr[:strings.LastIndexByte(r.RemoteAddr, ':')], r.TLS != nil)
}

// requests returns what the handler got since the last call.
func (s *site) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.got
	s.got = nil
	return got
}

func (s *site) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute)) // against hanging for ever
	return conn
}

// talk sends the pieces in writes of their own and returns all that comes back until
// the server ends the connection.
func (s *site) talk(t *testing.T, pieces ...string) string {
	t.Helper()
	conn := s.dial(t)
	for _, p := range pieces {
		if _, err := io.WriteString(conn, p); err != nil {
			break // refused before all was sent
		}
	}
	return s.rest(t, conn)
}

func (s *site) rest(t *testing.T, conn net.Conn) string {
	t.Helper()
	var out bytes.Buffer
	if _, err := io.Copy(&out, conn); err != nil {
		t.Errorf("after %q: %v", out.String(), err)
	}
	return out.String()
}
