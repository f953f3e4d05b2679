package transports_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"encke/cause"
	"encke/csp"
	"encke/transports"
)

// once is a listener with one connection.
type once chan net.Conn

func (l once) Accept() (net.Conn, error) {
	c, ok := <-l
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (l once) Close() error   { close(l); return nil }
func (l once) Addr() net.Addr { return &net.TCPAddr{} }

// A body must come whole in 15 s, and at 512 bytes a second when it takes more than 5.
func TestSlowBodies(t *testing.T) {
	for _, tt := range []struct {
		size, rate int           // bytes, and bytes a second
		cut        time.Duration // about; 0: answered
	}{
		{size: 4, rate: 1},
		{size: 400, rate: 100},
		{size: 10_000, rate: 1000},
		{size: 100_000, rate: 10_000},
		{size: 1000, rate: 100, cut: 6200 * time.Millisecond},
		{size: 1000, rate: 1, cut: 5 * time.Second},
		{size: 100_000, rate: 1000, cut: 15 * time.Second},
	} {
		t.Run(fmt.Sprintf("%d bytes, %d a second", tt.size, tt.rate), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := csp.NewServer(csp.Options{Accept: func(s *csp.Session) csp.Handler { return &echo{s} }})
				h, err := transports.New(server, transports.Options{})
				if err != nil {
					t.Fatal(err)
				}
				near, far := net.Pipe()
				ln := make(once, 1)
				ln <- far
				srv := &http.Server{Handler: h}
				go srv.Serve(ln)
				defer func() {
					near.Close()
					server.Close(cause.Closed.Err())
					srv.Close()
				}()
				began, took := time.Now(), time.Duration(0)
				sent := make(chan struct{})
				defer func() { near.Close(); <-sent }()
				go func() {
					defer close(sent)
					fmt.Fprintf(near, "POST /session/send HTTP/1.1\r\nHost: a\r\nOrigin: http://a\r\nContent-Length: %d\r\n\r\n", tt.size)
					step := max(tt.rate/100, 1)
					for p := bytes.Repeat([]byte{0}, tt.size); len(p) > 0; p = p[min(step, len(p)):] {
						time.Sleep(time.Second * time.Duration(step) / time.Duration(tt.rate))
						if _, err := near.Write(p[:min(step, len(p))]); err != nil {
							return
						}
					}
				}()
				var got strings.Builder
				p := make([]byte, 1000)
				n, err := near.Read(p)
				got.Write(p[:n])
				took = time.Since(began)
				if tt.cut == 0 {
					if err != nil || !strings.HasPrefix(got.String(), "HTTP/1.1 400") { // NOPs without a hello
						t.Errorf("after %v: %q, %v; want an answer", took, got.String(), err)
					}
					return
				}
				if err != io.EOF || took < tt.cut-100*time.Millisecond || took > tt.cut+100*time.Millisecond {
					t.Errorf("after %v: %q, %v; want the end after %v", took, got.String(), err, tt.cut)
				}
				if h.Stats().SlowBodies != 1 {
					t.Errorf("%d counted, want 1", h.Stats().SlowBodies)
				}
			})
		})
	}
}
