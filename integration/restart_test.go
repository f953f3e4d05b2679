package integration

import (
	"testing"

	"encke/cause"
	"encke/integration/backend"
	"encke/integration/browser"
	"encke/integration/pages"
	"encke/integration/proxy"
)

// TestRestart: the proxy crashes and another one takes its place, which does not know the
// session. Every socket ends with that cause, none hangs, and a new one works.
func TestRestart(t *testing.T) {
	for _, transport := range proxy.Transports {
		t.Run(transport, func(t *testing.T) {
			b := backend.Echo(t)
			var site pages.Site
			origin := site.Serve(t)
			options := proxy.Options{Allow: []string{b.Addr()}, Origins: []string{origin}}
			first := encke(t).Start(t, options)
			r := &rig{t: t, transports: []string{transport}, page: launched(t, browser.Chromium).Page(t)}
			r.page.Goto(pages.URL(origin, "http://"+first.Addr+"/TCPSocket.js", "/scenarios.js"))
			r.run(nil, "park", args{"port": b.Port(), "count": 3})

			first.Kill()
			options.Listen = first.Addr
			encke(t).Start(t, options)
			var codes []string
			r.run(&codes, "parkedEnds", args{})
			if len(codes) != 3 {
				t.Errorf("%d sockets ended, want 3", len(codes))
			}
			for _, code := range codes {
				if want := cause.SessionLost.String(); code != want {
					t.Errorf("a socket ended with %q, want %q", code, want)
				}
			}
			r.run(nil, "echo", args{"port": b.Port()})
		})
	}
}
