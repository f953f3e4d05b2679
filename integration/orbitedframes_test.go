package integration

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"encke/integration/backend"
	"encke/integration/browser"
	"encke/integration/proxy"
)

// framesPage is what the files of Orbited 0.7 for frames find around them: as much of an
// Orbited object as they use.
const framesPage = `<!DOCTYPE html>
<title>frames for Orbited</title>
<body>
<script>
document.domain = document.domain;
var proxy = "%s";
var Orbited = {settings: {HEARTBEAT_TIMEOUT: 6000}, singleton: {XSDR: {queues: {1: []}, receiveCbs: {}}, HTMLFile: {instances: {}}}};

function frame(path) {
	var f = document.createElement("iframe");
	f.src = proxy + path;
	document.body.appendChild(f);
	return f;
}

// bridge opens the bridge and returns a function that makes a request through it.
function bridge() {
	return new Promise(function (ready) {
		var answer, text, states;
		Orbited.singleton.XSDR.receiveCbs[1] = function (event) {
			if (event[0] === "initialized") return ready(ask);
			states.push(event[1].readyState);
			text += event[1].responseText;
			if (event[1].readyState === 4) answer({Status: event[1].status, Text: text, States: states.join("")});
		};
		function ask(method, path, body) {
			text = ""; states = [];
			Orbited.singleton.XSDR.queues[1].push([method, proxy + path, body, {}]);
			return new Promise(function (resolve) { answer = resolve; });
		}
		frame("/static/xsdrBridge.html#1");
	});
}
</script>
`

// TestOrbited07Frames lets a page of another port use the proxy through the bridge and the
// forever frame, as the original client does where it can.
func TestOrbited07Frames(t *testing.T) {
	for _, kind := range []browser.Kind{browser.Chromium, browser.Firefox} {
		t.Run(string(kind), func(t *testing.T) {
			echo := backend.Echo(t)
			var base string
			site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Origin-Agent-Cluster", "?0")
				fmt.Fprintf(w, framesPage, base)
			}))
			t.Cleanup(site.Close)
			p := encke(t).Start(t, proxy.Options{Allow: []string{echo.Addr()}, Origins: []string{site.URL}, Args: []string{"--legacy", "orbited07"}})
			base = "http://" + p.Addr
			page := launched(t, kind).Page(t)
			page.Goto(site.URL)

			var got struct {
				Key, Posted, Polled struct {
					Status int
					Text   string
				}
				Events []string
			}
			page.Eval(&got, `async port => {
				const ask = await bridge();
				const key = await ask("GET", "/tcp?nocache=1", null);
				const session = "/tcp/" + key.Text;
				const events = [];
				let now = () => {};
				const note = what => (events.push(what), now());
				const until = what => new Promise(done => (now = () => events.some(e => e.includes(what)) && done(), now()));
				Orbited.singleton.HTMLFile.instances[7] = {
					streamStarted: () => note("started"),
					streamClosed: () => note("closed"),
					restartingStream: url => note("restarting " + url.replace(key.Text, "KEY")),
					receive: (id, name, data) => note([id, name, data || ""].join(" ")),
				};
				frame(session + "/htmlfile?nocache=1&frameID=7");
				await until("open");
				const packet = (...strings) => strings.map((s, i) => (i < strings.length - 1 ? 1 : 0) + String(s.length) + "," + s).join("");
				const posted = await ask("POST", session + "?ack=2", packet("1", "data", btoa("127.0.0.1:" + port + "\n")));
				await until("3 data " + btoa("1"));
				await ask("POST", session + "?ack=3", packet("2", "data", btoa("hello")));
				await until(btoa("hello"));
				await ask("POST", session + "?ack=4", packet("3", "close"));
				await until("closed"); // the frame has loaded itself again
				const polled = await ask("GET", session + "/longpoll?ack=5", null);
				return {Key: key, Posted: posted, Polled: polled, Events: events};
			}`, echo.Port())
			if got.Key.Status != 200 || got.Posted.Status != 200 || got.Posted.Text != "OK" || got.Polled.Status != 404 {
				t.Errorf("through the bridge: %+v", got)
			}
			const want = "started, 1 opt pingTimeout,30, 2 opt pingInterval,30, 2 open , 3 data MQ==, 4 data aGVsbG8=, " +
				"5 close close acked, restarting /tcp/KEY/htmlfile?ack=5&frameID=7&reload=1, closed"
			if events := strings.Join(got.Events, ", "); events != want {
				t.Errorf("in the frame:\n got %s\nwant %s", events, want)
			}
		})
	}
}

// TestOrbited07BridgeIsForListedPages: a page that may not use the proxy gets no bridge.
func TestOrbited07BridgeIsForListedPages(t *testing.T) {
	p := encke(t).Start(t, proxy.Options{Allow: []string{"127.0.0.1:1"}, Origins: []string{"http://page.test"}, Args: []string{"--legacy", "orbited07"}})
	for _, c := range []struct {
		path, referer string
		status        int
		cluster       string
	}{
		{"/static/xsdrBridge.html", "http://page.test/", 200, "?0"},
		{"/tcp/static/xsdrBridge.html", "http://page.test/", 200, "?0"},
		{"/static/xsdClose.html", "http://page.test/", 200, "?0"},
		{"/static/xsdrBridge.html", "http://evil.test/", 403, ""},
		{"/static/xsdrBridge.html", "", 403, ""},
		{"/tcp/static/xsdClose.html", "http://evil.test/", 403, ""},
		{"/static/xsdrBridge.js", "", 200, ""},
		{"/static/reach.js", "http://page.test/", 404, ""},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.Addr+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.referer != "" {
			req.Header.Set("Referer", c.referer)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if cluster := resp.Header.Get("Origin-Agent-Cluster"); resp.StatusCode != c.status || cluster != c.cluster {
			t.Errorf("%s for %q: status %d, Origin-Agent-Cluster %q; want %d, %q", c.path, c.referer, resp.StatusCode, cluster, c.status, c.cluster)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}
