package integration

import (
	"strings"
	"testing"

	"encke/integration/backend"
	"encke/integration/browser"
	"encke/integration/pages"
	"encke/integration/proxy"
	"encke/integration/servers"
)

// TestBalancers puts a balancer in front of the proxy, below /tcp, and of a web server,
// which has everything else. The page comes from the web server and opens its sockets on
// its own origin, so the operator names none.
func TestBalancers(t *testing.T) {
	for _, balancer := range []struct {
		name  string
		start func(t testing.TB, path, proxy, web string) *servers.Server
	}{{"haproxy", servers.HAProxy}, {"nginx", servers.Nginx}} {
		for _, transport := range []string{"websocket", "fetch-streaming", "eventsource", "long-polling"} {
			t.Run(balancer.name+"/"+transport, func(t *testing.T) {
				const key, n = 11, 4 * MiB
				echo, last, source, sink := backend.Echo(t), backend.HalfClose(t), backend.Source(t, key, n), backend.Sink(t)
				var site pages.Site
				web := strings.TrimPrefix(site.Serve(t), "http://")
				p := encke(t).Start(t, proxy.Options{
					Allow:  []string{echo.Addr(), last.Addr(), source.Addr(), sink.Addr()},
					Prefix: "/tcp",
				})
				front := balancer.start(t, "/tcp", p.Addr, web)
				r := &rig{t: t, transports: []string{transport}, page: launched(t, browser.Chromium).Page(t)}
				r.page.Goto(pages.URL("http://"+front.Addr(), "/tcp/TCPSocket.js", "/scenarios.js"))

				var got struct {
					Transport string
					Received  int64
				}
				r.run(&got, "echo", args{"port": echo.Port()})
				if got.Transport != transport {
					t.Errorf("the transport is %q, want %q", got.Transport, transport)
				}
				r.run(nil, "halfClose", args{"port": last.Port(), "bytes": 200 * KiB, "key": key})
				r.run(&got, "big", args{"source": source.Port(), "sink": sink.Port(), "bytes": n, "key": key})
				if got.Received != n {
					t.Errorf("got %d bytes, want %d", got.Received, n)
				}
				wellEnded(t, echo, 3)
				wellEnded(t, last, 1)
				wellEnded(t, source, 1)
				wellEnded(t, sink, 1)
			})
		}
	}
}
