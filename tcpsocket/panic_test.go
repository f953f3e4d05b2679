package tcpsocket

import (
	"context"
	"net"
	"testing"

	"encke/cause"
	"encke/whitelist"
)

// faulty is a connection that breaks whoever uses it.
type faulty struct{ net.Conn }

func (faulty) RemoteAddr() net.Addr { panic("a fault") }

// A fault of ours in the goroutine of a socket ends the session it belongs to, with
// internal; the sockets of others go on.
func TestPanicsEndTheirSessionOnly(t *testing.T) {
	for name, opener := range map[string]dialFunc{
		"while dialing": func(context.Context, whitelist.Dest, OpenOptions) (net.Conn, error) { panic("a fault") },
		"with a connection": func(context.Context, whitelist.Dest, OpenOptions) (net.Conn, error) {
			near, _ := net.Pipe()
			return faulty{near}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			dest, conns := listen(t)
			rules, err := whitelist.New("127.0.0.1:*")
			if err != nil {
				t.Fatal(err)
			}
			working := NewDialer(rules, DialOptions{})
			r := newRig(t, dialFunc(func(ctx context.Context, d whitelist.Dest, o OpenOptions) (net.Conn, error) {
				if d.Port == 1 {
					return opener(ctx, d, o)
				}
				return working.Open(ctx, Caller{}, d, o)
			}), Options{})
			ended := make(chan cause.Code, 2)
			other := newWire(64 << 10)
			broken := r.server.Mux(other, Caller{End: func(why *cause.Error) { ended <- why.Code }})
			defer broken.Closed(cause.Internal.Err())
			open := Frame{Type: Open, Socket: 1, N: 1 << 20, Port: 1, Host: []byte("127.0.0.1")}
			if err := broken.Receive([][]byte{open.Append(nil)}); err != nil {
				t.Fatal(err)
			}
			if code := <-ended; code != cause.Internal {
				t.Errorf("the session was ended with %v, want internal", code)
			}
			if n := r.server.Stats().Panics; n != 1 {
				t.Errorf("%d panics counted, want 1", n)
			}
			conn := r.dial(dest)
			far := <-conns
			far.Close()
			conn.Close()
		})
	}
}
