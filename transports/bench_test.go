package transports_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http/httptest"
	"testing"
	"time"

	"encke/cause"
	"encke/csp"
	"encke/transports"
)

// sink is a Handler that drops what it gets, and tells when that was enough.
type sink struct {
	left int
	done chan struct{}
}

func (s *sink) Receive(data [][]byte) error {
	for _, p := range data {
		s.left -= len(p)
	}
	if s.left == 0 {
		close(s.done)
	}
	return nil
}
func (s *sink) Writable()           {}
func (s *sink) Closed(*cause.Error) {}

// BenchmarkWebSocketUp is the way of messages from a client that sends them back to back
// to the Handler of its session, over a connection on loopback.
func BenchmarkWebSocketUp(b *testing.B) {
	for _, size := range []int{64, 32 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s := &sink{left: b.N * size, done: make(chan struct{})}
			server := csp.NewServer(csp.Options{Accept: func(*csp.Session) csp.Handler { return s }})
			defer server.Close(cause.GoingAway.Err())
			h, err := transports.New(server, transports.Options{Transports: transports.All()})
			if err != nil {
				b.Fatal(err)
			}
			srv := httptest.NewServer(h)
			defer srv.Close()
			conn, err := net.Dial("tcp", srv.Listener.Addr().String())
			if err != nil {
				b.Fatal(err)
			}
			defer h.Wait(time.Second)
			defer conn.Close()
			fmt.Fprintf(conn, "GET /session/websocket HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\nConnection: Upgrade\r\n"+
				"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
			conn.Read(make([]byte, 1024))
			hello := (&csp.Record{Kind: csp.New, Version: csp.Version, Key: csp.Key{1}}).Append(nil)
			conn.Write(clientFrame(append(hello, 4, 1)))

			batch := min(64, b.N)
			message := clientFrame((&csp.Record{Kind: csp.Data, Data: make([]byte, size)}).Append(nil))
			wire := bytes.Repeat(message, batch)
			go func() { // until conn is closed
				for buf := make([]byte, 1024); ; {
					if _, err := conn.Read(buf); err != nil {
						return
					}
				}
			}()
			b.SetBytes(int64(size))
			b.ReportAllocs()
			b.ResetTimer()
			for n := b.N; n > 0; n -= batch {
				batch = min(batch, n)
				if _, err := conn.Write(wire[:batch*len(message)]); err != nil {
					b.Fatal(err)
				}
			}
			<-s.done
			b.StopTimer()
		})
	}
}

// clientFrame is a message in one frame, with a mask of zeros.
func clientFrame(p []byte) []byte {
	head := []byte{0x82, 0x80 | byte(len(p))}
	switch {
	case len(p) > 1<<16:
		panic("too long")
	case len(p) > 125:
		head = []byte{0x82, 0x80 | 126, byte(len(p) >> 8), byte(len(p))}
	}
	return append(append(head, 0, 0, 0, 0), p...)
}
