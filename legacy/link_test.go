package legacy

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/coder/websocket"

	"encke/buffer"
	"encke/cause"
	"encke/csp"
	"encke/tcpsocket"
	"encke/transports"
)

// serve serves a protocol that run speaks and returns its client.
func serve(t *testing.T, heartbeat time.Duration, run func(*Link) *cause.Error, pinged func()) *websocket.Conn {
	t.Helper()
	sessions := csp.NewServer(csp.Options{})
	h, err := transports.New(sessions, transports.Options{})
	if err != nil {
		t.Fatal(err)
	}
	sockets := tcpsocket.NewServer(nil, tcpsocket.Options{})
	p := &Proxy{
		Handler: h, Sessions: sessions, Heartbeat: heartbeat,
		Group: func(peer csp.Peer, session string, end func(*cause.Error)) *tcpsocket.Group {
			return sockets.Group(tcpsocket.Caller{Remote: peer.Addr, Origin: peer.Origin, Session: session, End: end})
		},
	}
	srv := httptest.NewServer(transports.Hosts{}.Guard(h.Guard(false, func(w http.ResponseWriter, r *http.Request, origin string) {
		p.WebSocket(w, r, origin, nil, run)
	})))
	t.Cleanup(func() { h.Wait(time.Minute); sockets.Wait(); srv.Close() })
	ws, _, err := websocket.Dial(t.Context(), srv.URL, &websocket.DialOptions{
		HTTPHeader:     http.Header{"Origin": {srv.URL}},
		OnPingReceived: func(context.Context, []byte) bool { pinged(); return true },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.CloseNow() })
	return ws
}

// echo sends back each message, and panics at one that is "panic".
func echo(l *Link) *cause.Error {
	for {
		r, ok := l.Next(context.Background())
		if !ok {
			return l.Why()
		}
		var p [100]byte
		n, _ := r.Read(p[:])
		r.Read(p[n:]) // the end
		switch string(p[:n]) {
		case "panic":
			panic("as a fault of ours would")
		case "panic elsewhere":
			l.Go(func() { panic("as a fault of ours would") })
			continue
		case "end":
			return cause.Idle.With("said to nobody")
		}
		l.Write(p[:n])
	}
}

func TestLinkEnds(t *testing.T) {
	for message, want := range map[string]cause.Code{"panic": cause.Internal, "panic elsewhere": cause.Internal, "end": cause.Idle} {
		ws := serve(t, time.Minute, echo, nil)
		ws.Write(t.Context(), websocket.MessageBinary, []byte("x"))
		if _, p, err := ws.Read(t.Context()); err != nil || string(p) != "x" {
			t.Errorf("%s: got %q, %v, want an echo", message, p, err)
		}
		ws.Write(t.Context(), websocket.MessageBinary, []byte(message))
		_, _, err := ws.Read(t.Context())
		if got := websocket.CloseStatus(err); got != websocket.StatusCode(4000+int(want)) {
			t.Errorf("%s: %v, want %d", message, err, 4000+int(want))
		}
	}
}

// A link on which nothing is said is kept open by pings, again and again.
func TestLinkPings(t *testing.T) {
	pings := make(chan struct{}, 100)
	ws := serve(t, 50*time.Millisecond, echo, func() { pings <- struct{}{} })
	read := make(chan error, 1)
	go func() { _, _, err := ws.Read(context.Background()); read <- err }()
	for range 3 {
		<-pings
	}
	ws.CloseNow()
	<-read
}

// farEnd is a backend that says what happens to it.
type farEnd chan string

func (f farEnd) Write(p []byte) (int, error)      { f <- string(p); return len(p), nil }
func (f farEnd) SetWriteDeadline(time.Time) error { return nil }
func (f farEnd) Close() error                     { f <- "(closed)"; return nil }
func (f farEnd) Fail(why *cause.Error)            { f <- why.Error() }

// A client may close its WebSocket while a backend is dialed: that gets what was sent.
func TestLinkEndsWhileConnecting(t *testing.T) {
	far, connected := make(farEnd), make(chan struct{})
	ws := serve(t, time.Minute, func(l *Link) *cause.Error {
		q := l.Buffers.Backlog(nil, nil)
		q.Put(buffer.Copy([]byte("last")))
		q.End()
		l.Go(func() {
			<-connected
			q.Start(far, nil)
		})
		return cause.Closed.Err()
	}, nil)
	ws.Read(t.Context()) // it is over
	close(connected)
	for _, want := range []string{"last", "(closed)"} {
		if got := <-far; got != want {
			t.Errorf("the backend got %q, want %q", got, want)
		}
	}
}
