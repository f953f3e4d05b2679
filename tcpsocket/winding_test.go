package tcpsocket

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/whitelist"
)

// A page that closes its session has said everything before: backends get it, and then
// the end.
func TestBackendsGetWhatWasSentBeforeTheSessionWasClosed(t *testing.T) {
	first := Frame{Type: Data, Socket: 1, Data: []byte("last words")}
	for _, tt := range []struct {
		name   string
		frames []Frame
		slow   time.Duration // before the backend reads
		dial   time.Duration
		want   string
	}{
		{"written", []Frame{first}, 0, 0, "last words"},
		{"not read yet", []Frame{first}, 10 * time.Second, 0, "last words"},
		{"not connected yet", []Frame{first}, 0, 5 * time.Second, "last words"},
		{"ended before", []Frame{first, {Type: EOF, Socket: 1}}, 0, 0, "last words"},
		{"ended before it was connected", []Frame{first, {Type: EOF, Socket: 1}}, 0, 5 * time.Second, "last words"},
		{"nothing sent", nil, 0, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := make(chan string, 1)
				m := &muxOnly{sent: make(chan Frame, 100)}
				server := NewServer(dialFunc(func(ctx context.Context, _ whitelist.Dest, _ OpenOptions) (net.Conn, error) {
					time.Sleep(tt.dial)
					near, far := net.Pipe()
					go func() {
						time.Sleep(tt.slow)
						p, _ := io.ReadAll(far)
						got <- string(p)
						far.Close()
					}()
					return near, nil
				}), Options{})
				m.Mux = server.Mux(m, Caller{})
				m.mustReceive(t, append([]Frame{openFrame(1)}, tt.frames...)...)
				if tt.dial == 0 {
					synctest.Wait()
				}
				m.Closed(cause.Closed.Err())
				if text := <-got; text != tt.want {
					t.Errorf("the backend got %q, want %q", text, tt.want)
				}
				server.Wait()
				if n := server.Open(); n != 0 {
					t.Errorf("%d sockets are open", n)
				}
			})
		})
	}
}

// One that takes nothing is given up.
func TestClosedSessionDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMux(t, Options{}) // whose backends read nothing
		m.mustReceive(t, openFrame(1), Frame{Type: Data, Socket: 1, Data: []byte("x")})
		synctest.Wait()
		began := time.Now()
		m.Closed(cause.Closed.Err())
		m.server.Wait()
		if took := time.Since(began); took > 25*time.Second {
			t.Errorf("it took %v", took)
		}
		if n := m.server.Open(); n != 0 {
			t.Errorf("%d sockets are open", n)
		}
	})
}

// Nor is it waited for when the proxy needs its memory, or ends.
func TestCutEndsClosedSessionsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget := buffer.NewBudget(1 << 20)
		closed := newMux(t, Options{Budget: budget}) // whose backends read nothing
		live := &muxOnly{sent: make(chan Frame, 1000)}
		live.Mux = closed.server.Mux(live, Caller{})
		for _, m := range []*muxOnly{closed, live} {
			m.mustReceive(t, openFrame(1), Frame{Type: Data, Socket: 1, Data: []byte("x")})
		}
		synctest.Wait()
		began := time.Now()
		closed.Closed(cause.Closed.Err())
		closed.server.Cut()
		synctest.Wait()
		if n, used := closed.server.Open(), budget.Used(); n != 1 || used != 4<<10 {
			t.Errorf("%d sockets are open and %d bytes wait, want those of the live session", n, used)
		}
		live.Closed(cause.SessionLost.Err())
		closed.server.Wait()
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %v", took)
		}
		if n := len(closed.server.all()); n != 0 {
			t.Errorf("%d sessions are remembered", n)
		}
	})
}
