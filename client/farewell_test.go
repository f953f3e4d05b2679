package client

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"encke/cause"
	"encke/csp"
)

// A proxy is told that the session is over also when something of its own comes first.
func TestClosingPassesWhatArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := make(chan struct{})
		var said *cause.Error
		s := sessionWith(t, func(w http.ResponseWriter, r *http.Request) {
			ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
			if err != nil {
				t.Error(err)
				return
			}
			defer ws.CloseNow()
			write := func(r csp.Record) {
				if err := ws.Write(t.Context(), websocket.MessageBinary, r.Append(nil)); err != nil {
					t.Error(err)
				}
			}
			read := func() []byte {
				_, msg, err := ws.Read(t.Context())
				if err != nil {
					t.Error("before the session was said to be over:", err)
				}
				return msg
			}
			read() // the hello
			write(csp.Record{Kind: csp.Welcome, Session: []byte("n0.x"), Window: 120, Heartbeat: 25})
			read() // the acknowledgement that a link begins with
			<-reads
			write(csp.Record{Kind: csp.Ack})
			time.Sleep(time.Second) // fake: the client has taken it
			csp.Parse(read(), 0, func(r *csp.Record) error {
				if r.Kind == csp.Close {
					said = &cause.Error{Code: cause.FromWire(r.Cause)}
				}
				return nil
			})
			ws.Read(t.Context()) // the handshake that closes
		})
		synctest.Wait()
		s.csp.Close(cause.Closed.Err())
		synctest.Wait() // that is being written
		close(reads)
		<-s.done
		time.Sleep(time.Minute) // fake: the proxy has heard it, or that nothing comes
		if said == nil || said.Code != cause.Closed {
			t.Errorf("the proxy was told %v, want %v", said, cause.Closed)
		}
	})
}

// sessionWith returns a session with a proxy that the handler is. What either writes waits
// until it is read.
func sessionWith(t *testing.T, proxy http.HandlerFunc) *session {
	t.Helper()
	near, far := net.Pipe()
	srv := &http.Server{Handler: proxy}
	ln := &listener{conns: make(chan net.Conn, 1)}
	ln.conns <- far
	go srv.Serve(ln)
	t.Cleanup(func() { srv.Close() })
	d := &Dialer{Proxy: "http://proxy.test", DialLink: func(context.Context, string, string) (net.Conn, error) { return near, nil }}
	s, err := d.newSession()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// listener accepts what is sent to it.
type listener struct {
	conns chan net.Conn
	once  sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	if c, ok := <-l.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.conns) })
	return nil
}

func (l *listener) Addr() net.Addr { return &net.TCPAddr{} }
