package orbited2_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"encke/cause"
	"encke/legacy/cspdraft"
	"encke/legacy/legacytest"
	"encke/legacy/orbited2"
)

// With protocol ws the backend is a WebSocket server, and each frame a message.
func TestWebSocketBackend(t *testing.T) {
	for _, over := range []string{"csp", "websocket"} {
		t.Run(over, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := legacytest.New(t, cspdraft.New, orbited2.New)
				var c legacytest.Peer = r.Client(t)
				if over == "websocket" {
					c = dial(t, r)
				}
				c.Send(hello(0, `{"hostname":"b.test","port":80,"path":"/chat?x=1","protocol":"ws_hixie76"}`)...)
				requests := make(chan string, 1)
				ws := serve(t, r.Backend(t), func(r *http.Request) { requests <- r.Host + r.RequestURI + " " + r.Header.Get("Origin") })
				if got := <-requests; got != "b.test:80/chat?x=1 http://proxy.test" {
					t.Errorf("the backend was asked for %q", got)
				}
				if got := c.Next(); !slices.Equal(got, []string{"4,0,0,", "5,0,2,1"}) {
					t.Fatalf("the client got %q", got)
				}
				c.Send("7,0,2,on", "e", "4,0,2,", "7,0,2,two")
				for _, want := range []string{"one", "", "two"} {
					if typ, p, err := ws.Read(t.Context()); err != nil || typ != websocket.MessageText || string(p) != want {
						t.Errorf("the backend got %q, %v, want %q", p, err, want)
					}
				}
				ws.Write(t.Context(), websocket.MessageText, []byte("three ☃"))
				ws.Write(t.Context(), websocket.MessageText, nil)
				ws.Write(t.Context(), websocket.MessageBinary, []byte("\xff"))
				go ws.Close(websocket.StatusNormalClosure, "")
				want := frame("0,2,three ☃") + frame("0,2,") + frame("0,2,\ufffd") + "4,0,1,"
				if got := strings.Join(c.Next(), ""); got != want {
					t.Errorf("the client got %q, want %q", got, want)
				}
			})
		})
	}
}

// The client closes a socket whose backend is a WebSocket.
func TestWebSocketBackendIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := legacytest.New(t, orbited2.New)
		c := dial(t, r)
		c.Send(hello(0, `{"hostname":"b.test","port":80,"protocol":"ws"}`)...)
		ws := serve(t, r.Backend(t), func(*http.Request) {})
		c.Send("8,0,2,last", "4,0,1,")
		if _, p, err := ws.Read(t.Context()); err != nil || string(p) != "last" {
			t.Errorf("the backend got %q, %v, want last", p, err)
		}
		if _, _, err := ws.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusNormalClosure {
			t.Errorf("then %v, want a normal close", err)
		}
	})
}

// A backend that does not answer when its client closes holds up nobody.
func TestWebSocketBackendDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := legacytest.New(t, cspdraft.New, orbited2.New)
		for _, c := range []legacytest.Peer{r.Client(t), dial(t, r)} {
			c.Send(hello(0, `{"hostname":"b.test","port":80,"protocol":"ws"}`)...)
			serve(t, r.Backend(t), func(*http.Request) {})
			c.Next()
			began := time.Now()
			c.Send("4,0,1,", "4,7,0,")
			if got, want := strings.Join(c.Next(), ""), "4,0,1,4,7,0,"; got != want || time.Since(began) > 0 {
				t.Errorf("the client got %q after %v, want %q at once", got, time.Since(began), want)
			}
		}
	})
}

// A backend that does not become a WebSocket is refused.
func TestWebSocketBackendRefuses(t *testing.T) {
	for _, answer := range []string{
		"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "hello\r\n",
		"HTTP/1.1 302 Found\r\nLocation: http://evil.test/\r\nContent-Length: 0\r\n\r\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			r := legacytest.New(t, orbited2.New)
			c := dial(t, r)
			c.Send(hello(0, `{"hostname":"b.test","port":80,"protocol":"ws"}`)...)
			far := r.Backend(t)
			legacytest.Heard(t, far)
			far.Write([]byte(answer))
			want := []string{"4,0,0,", frame("0,1,refused")}
			if got := c.Next(); !slices.Equal(got, want) {
				t.Errorf("%q: got %q, want %q", answer, got, want)
			}
			if n := r.Sockets.Stats().Ended[cause.Refused]; n != 1 {
				t.Errorf("%q: %d sockets are recorded as refused, want 1", answer, n)
			}
		})
	}
}

// Messages are read while their client takes what was said before, one at a time, and the
// budget knows of them. One that does not come to its end ends its socket.
func TestLargeMessages(t *testing.T) {
	const backends, size = 10, 500_000
	synctest.Test(t, func(t *testing.T) {
		r := legacytest.New(t, cspdraft.New, orbited2.New)
		c := r.Client(t)
		read := make([]atomic.Int64, backends)
		for i := range backends {
			c.Send(hello(10+i, `{"hostname":"b.test","port":80,"protocol":"ws"}`)...)
			ws := serve(t, &countedConn{r.Backend(t), &read[i]}, func(*http.Request) {})
			if i == 0 { // it says that a message comes, and part of it
				part, err := ws.Writer(t.Context(), websocket.MessageText)
				if err != nil {
					t.Fatal(err)
				}
				part.Write(make([]byte, size/2))
				continue
			}
			go ws.Write(context.Background(), websocket.MessageText, []byte(strings.Repeat(strconv.Itoa(i), size))) // until it is read
		}
		synctest.Wait()
		all := func() (n int64) {
			for i := range read {
				n += read[i].Load()
			}
			return n
		}
		if n := all(); n > size {
			t.Errorf("%d bytes of messages are held though one is under way", n)
		}
		if used := r.Sessions.Budget().Used(); used < size/4 {
			t.Errorf("they count as %d bytes", used)
		}
		time.Sleep(16 * time.Second)
		synctest.Wait()
		if n := all(); n > 3*size {
			t.Errorf("%d bytes of messages are held for a client that takes nothing", n)
		}
		got := make(map[string]int)
		for range 200 {
			for f := range strings.SplitSeq(strings.Join(c.Next(), ""), ",2,") {
				got[f[:min(len(f), 3)]]++
			}
			time.Sleep(time.Second)
		}
		for i := 1; i < backends; i++ {
			if n := got[strings.Repeat(strconv.Itoa(i), 3)]; n != 1 {
				t.Errorf("the message of backend %d came %d times", i, n)
			}
		}
	})
}

// countedConn counts what is written.
type countedConn struct {
	net.Conn
	written *atomic.Int64
}

func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.written.Add(int64(n))
	return n, err
}

// What there is of a frame is counted until it is whole or of no use, however it ends.
func TestFrameUnderWayIsCounted(t *testing.T) {
	const size = 400_000
	synctest.Test(t, func(t *testing.T) {
		r := legacytest.New(t, cspdraft.New, orbited2.New)
		c := r.Client(t)
		used := func() int64 { synctest.Wait(); return r.Sessions.Budget().Used() }
		c.Send(hello(0, `{"hostname":"b.test","port":80,"protocol":"ws"}`)...)
		ws := serve(t, r.Backend(t), func(*http.Request) {})
		c.Next()
		before := used()
		c.Send(fmt.Sprintf("%d,0,2,", size+4), strings.Repeat("x", size/2))
		if n := used() - before; n < size/2-8<<10 {
			t.Errorf("half a frame counts as %d bytes", n)
		}
		ws.CloseNow() // nobody wants the rest
		c.Send(strings.Repeat("x", size/2))
		c.Next()
		if n := used() - before; n > 8<<10 {
			t.Errorf("%d bytes are counted behind the frame", n)
		}
		for range 20 { // too long each time
			c.Send("4,0,0,", "6004,0,2,", strings.Repeat("x", 3000), strings.Repeat("x", 3000))
			c.Next()
		}
		if n := used() - before; n > 8<<10 {
			t.Errorf("%d bytes are counted behind frames that were too long", n)
		}
	})
}

// serve answers the request for a WebSocket that comes on a connection.
func serve(t *testing.T, conn net.Conn, see func(*http.Request)) *websocket.Conn {
	t.Helper()
	accepted := make(chan *websocket.Conn, 1)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		see(r)
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
		if err != nil {
			t.Error(err)
		}
		accepted <- ws
	})}
	ln := &one{conn: make(chan net.Conn, 1), done: make(chan struct{})}
	ln.conn <- conn
	go srv.Serve(ln) // until srv is closed
	t.Cleanup(func() { srv.Close() })
	ws := <-accepted
	t.Cleanup(func() { ws.CloseNow() })
	return ws
}

// one is a listener with one connection.
type one struct {
	conn chan net.Conn
	done chan struct{}
}

func (l *one) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *one) Close() error   { close(l.done); return nil }
func (l *one) Addr() net.Addr { return &net.TCPAddr{} }
