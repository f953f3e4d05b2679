package integration

import (
	"testing"

	"encke/integration/backend"
	"encke/integration/browser"
	"encke/integration/pages"
	"encke/integration/proxy"
)

// TestSameOrigin uses every transport from a document of the proxy's own origin. The
// proxy serves no page that a test could use, so the document is the client script shown
// as text, to which the scripts are added.
func TestSameOrigin(t *testing.T) {
	for _, kind := range []browser.Kind{browser.Chromium, browser.Firefox} {
		t.Run(string(kind), func(t *testing.T) {
			for _, transport := range proxy.Transports {
				t.Run(transport, func(t *testing.T) {
					b := backend.Echo(t)
					var site pages.Site
					p := encke(t).Start(t, proxy.Options{Allow: []string{b.Addr()}})
					r := &rig{t: t, transports: []string{transport}, page: launched(t, kind).Page(t)}
					client := "http://" + p.Addr + "/TCPSocket.js"
					r.page.Goto(client)
					r.page.Eval(nil, `async (client, module) => {
						const script = document.createElement("script");
						script.src = client;
						await new Promise((resolve, reject) => {
							script.onload = resolve;
							script.onerror = () => reject(new Error("the client does not load"));
							document.body.append(script);
						});
						await import(module);
					}`, client, site.Serve(t)+"/scenarios.js")
					var got struct{ Transport string }
					r.run(&got, "echo", args{"port": b.Port()})
					if got.Transport != transport {
						t.Errorf("the transport is %q, want %q", got.Transport, transport)
					}
					wellEnded(t, b, 3)
				})
			}
		})
	}
}
