package hostile

import (
	"context"
	"net"
	"testing"

	"encke/integration/nameserver"
)

// newNameServer starts a name server and makes it the one that this process asks.
func newNameServer(t *testing.T) *nameserver.Server {
	t.Helper()
	s, err := nameserver.New(t, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	system := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", s.Addr())
	}}
	t.Cleanup(func() { net.DefaultResolver = system })
	return s
}
