package tcpsocket

import (
	"errors"
	"testing"

	"encke/cause"
	"encke/whitelist"
)

// A rule with a source holds for callers with this Host, in a Mux and in a Group; others
// are told the same as for a target that no rule names.
func TestSources(t *testing.T) {
	dest, conns := listen(t)
	never := whitelist.Dest{Host: dest.Host, Port: dest.Port - 1}
	v := NewServer(NewDialer(rulesFor(t, "www.example.org -> "+dest.String()), DialOptions{}), Options{})
	for _, tt := range []struct {
		host    string
		allowed bool
	}{{"www.example.org", true}, {"WWW.example.org.:80", true}, {"", false}, {"www.example.org:8000", false}, {"other.example.org", false}} {
		ways := map[string]func(whitelist.Dest) error{}

		g := v.Group(Caller{Host: tt.host})
		ways["group"] = func(d whitelist.Dest) error {
			b, err := g.Dial(t.Context(), d, OpenOptions{})
			if err == nil {
				b.Close()
			}
			return err
		}

		m := &muxOnly{sent: make(chan Frame, 10)}
		m.Mux = v.Mux(m, Caller{Host: tt.host})
		last := uint64(0)
		ways["mux"] = func(d whitelist.Dest) error {
			last++
			f := Frame{Type: Open, Socket: last, N: 1 << 20, Host: []byte(d.Host), Port: uint64(d.Port)}
			if err := m.Receive(wireOf(f)); err != nil {
				return err
			}
			if f = <-m.sent; f.Type == Reset {
				return cause.FromWire(f.Cause).With("%s", f.Text)
			}
			return nil
		}

		for name, open := range ways {
			err := open(dest)
			refused := open(never)
			switch {
			case tt.allowed && err != nil:
				t.Errorf("Host %q, %s: %v", tt.host, name, err)
			case tt.allowed:
				(<-conns).Close()
			case !errors.Is(err, cause.Denied.Err()) || refused == nil || err.Error() != refused.Error():
				t.Errorf("Host %q, %s: %v; a target that no rule names: %v", tt.host, name, err, refused)
			}
		}
		g.Close(cause.Closed.Err())
		m.Closed(cause.Closed.Err())
	}
	v.Wait()
}
