package hostile

import (
	"context"
	"errors"
	"net"
	"testing"

	"encke/cause"
	"encke/cmd/encke/app"
	"encke/integration/backend"
	"encke/integration/peer"
	"encke/transports"
)

// The proxy has two names; a backend may be reached by way of one of them.
const ours, theirs = "ours.localhost", "theirs.localhost"

func newTwoNames(t *testing.T) (addr, port string, b *backend.Backend) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = ln.Addr().String()
	ln.Close() // the rules have to name the port before the proxy listens there
	_, port, _ = net.SplitHostPort(addr)
	b = backend.Echo(t)
	start(t, app.Config{
		Listen: []string{addr}, Origins: []string{listed}, Transports: transports.All(),
		Allow: []string{ours + ":" + port + " -> " + b.Addr()},
	})
	return addr, port, b
}

// TestSources: on every transport a backend is reached by way of the name that a rule has
// as its source. By way of another name it is refused like one that no rule names.
func TestSources(t *testing.T) {
	addr, port, b := newTwoNames(t)
	canary := newCanary(t)
	for _, transport := range peer.Transports() {
		open := func(host string, to int) *cause.Error {
			t.Helper()
			p, err := peer.Dial(t.Context(), peer.Options{
				Base: "http://" + host, Transport: transport, Origin: listed,
				Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
					return new(net.Dialer).DialContext(ctx, network, addr)
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			conn, err := p.Open(t.Context(), "127.0.0.1", to)
			if err == nil {
				conn.Close()
				return nil
			}
			var why *cause.Error
			if !errors.As(err, &why) {
				t.Fatal(err)
			}
			return why
		}
		if why := open(ours+":"+port, b.Port()); why != nil {
			t.Errorf("%s, by way of %s: %v", transport, ours, why)
		}
		for _, host := range []string{theirs + ":" + port, "127.0.0.1:" + port, "x." + ours + ":" + port, ours, ours + ":1"} {
			got, never := open(host, b.Port()), open(host, canary.port)
			if got == nil || got.Code != cause.Denied || never == nil || *got != *never {
				t.Errorf("%s, by way of %s: %v; a target that no rule names: %v", transport, host, got, never)
			}
		}
	}
}

// TestSourceOfASession: a session keeps the name by which it was opened, whichever its
// later links use.
func TestSourceOfASession(t *testing.T) {
	addr, port, b := newTwoNames(t)
	for _, tt := range []struct {
		first, then string
		allowed     bool
	}{{ours, theirs, true}, {theirs, ours, false}} {
		p := visitAs(t, addr, tt.first+":"+port, listed)
		p.link(addr, tt.then+":"+port, listed)
		p.write(resume(p.id, 0))
		if !tt.allowed {
			p.refused(1, "127.0.0.1", uint64(b.Port()), cause.Denied)
		} else if f := p.open(1, "127.0.0.1", uint64(b.Port())); len(f.Remote) == 0 {
			t.Errorf("opened by way of %s: %s", tt.first, f.Text)
		}
	}
}
