package integration

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"encke/integration/backend"
	"encke/integration/browser"
	"encke/integration/bundle"
	"encke/integration/proxy"
	"encke/integration/servers"
)

// oldPage opens a page with one of the clients in integration/wsclients, and a proxy that
// its origin may use. It returns also the address for WebSockets.
func oldPage(t *testing.T, client string, allow []string, args ...string) (page *browser.Page, ws string) {
	t.Helper()
	script, err := bundle.Module(client)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/client.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = w.Write(script)
	})
	mux.HandleFunc("/libcurl.wasm", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join(bundle.Folder("wsclients"), "node_modules", "libcurl.js", "libcurl.wasm"))
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<!doctype html><title>old</title><link rel="icon" href="data:,"><script type="module" src="/client.js"></script>`)
	})
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	p := encke(t).Start(t, proxy.Options{Allow: allow, Origins: []string{site.URL}, Args: args})
	page = launched(t, browser.Chromium).Page(t)
	load(page, site.URL)
	return page, "ws://" + p.Addr
}

// load loads a page and waits for its client: a module may wait for something before it
// publishes that.
func load(page *browser.Page, url string) {
	page.Goto(url)
	page.Eval(nil, `async () => { while (!globalThis.client) await new Promise((resolve) => setTimeout(resolve)); }`)
}

// TestWispJS lets wisp-js speak to echo servers and others, in both versions.
func TestWispJS(t *testing.T) {
	echo, hello := backend.Echo(t), backend.FirstFin(t, "hello", 1, 0)
	stuck := backend.NeverReads(t, 1, 0, t.Context().Done())
	refused := backend.Refuse(t)
	page, ws := oldPage(t, "wisp", []string{echo.Addr(), hello.Addr(), stuck.Addr(), hostPort(refused)}, "--legacy", "wisp", "--wisp-motd", "welcome here")
	type greeting struct {
		Version, Credit int
		Motd, Failure   string
	}
	for version, want := range map[int]greeting{1: {1, 8, "", ""}, 2: {2, 8, "welcome here", ""}} {
		var got greeting
		if page.Eval(&got, `(...args) => client.connect(...args)`, ws+"/wisp/", version); got != want {
			t.Fatalf("version %d: got %+v, want %+v", version, got, want)
		}
		var places []int
		page.Eval(&places, `(...args) => client.echo(...args)`, "127.0.0.1", echo.Port(), 5, 1<<20, 10_000)
		if !slices.Equal(places, []int{-1, -1, -1, -1, -1}) {
			t.Errorf("version %d: streams differ at %v", version, places)
		}
		type heard struct {
			Text   string
			Reason int
		}
		for _, c := range []struct {
			name, host string
			port       int
			kind       int
			want       heard
		}{
			{"a server that ends", "127.0.0.1", hello.Port(), 1, heard{"hello", 0x02}},
			{"nobody listens", "127.0.0.1", refused, 1, heard{"", 0x44}},
			{"not allowed", "127.0.0.2", echo.Port(), 1, heard{"", 0x48}},
			{"UDP", "127.0.0.1", echo.Port(), 2, heard{"", 0x48}},
		} {
			var got heard
			err := page.TryEval(&got, `(...args) => client.hear(...args)`, c.host, c.port, c.kind)
			if c.kind == 2 && version == 2 { // it knows before it asks
				if err == nil || !strings.Contains(err.Error(), "udp is not enabled") {
					t.Errorf("version 2, UDP: %+v, %v", got, err)
				}
				continue
			}
			if err != nil || got != c.want {
				t.Errorf("version %d, %s: %+v, %v, want %+v", version, c.name, got, err, c.want)
			}
		}
	}
	var waits int
	page.Eval(&waits, `(...args) => client.besides(...args)`, stuck.Port(), echo.Port(), "127.0.0.1")
	if waits == 0 {
		t.Error("a stream to a server that reads nothing was not held up")
	}
	var text string
	page.Eval(&text, `(...args) => client.socket(...args)`, ws+"/wisp/"+echo.Addr(), "through the polyfill")
	if text != "through the polyfill" {
		t.Errorf("WispWebSocket: %q", text)
	}
}

// TestLibcurlJS fetches from a web server through Wisp.
func TestLibcurlJS(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/big":
			p := make([]byte, 3<<20)
			backend.Fill(p, 1, 0)
			_, _ = w.Write(p)
		case "/count":
			n := 0
			for p := make([]byte, 64<<10); ; {
				m, err := r.Body.Read(p)
				if n += m; err != nil {
					break
				}
			}
			fmt.Fprintf(w, "%s %d", r.Method, n)
		default:
			fmt.Fprintf(w, "hello from %s", r.URL.Path)
		}
	}))
	t.Cleanup(web.Close)
	page, ws := oldPage(t, "libcurl", []string{strings.TrimPrefix(web.URL, "http://")}, "--legacy", "wisp")
	page.Eval(nil, `(...args) => client.load(...args)`, "/libcurl.wasm", ws+"/wisp/")
	type response struct {
		Status int
		Text   string
	}
	var got response
	page.Eval(&got, `(...args) => client.fetch(...args)`, web.URL+"/page")
	if want := (response{200, "hello from /page"}); got != want {
		t.Errorf("GET: %+v, want %+v", got, want)
	}
	page.Eval(&got, `(url, n) => client.fetch(url, "x".repeat(n))`, web.URL+"/count", 5<<20)
	if want := (response{200, fmt.Sprintf("POST %d", 5<<20)}); got != want {
		t.Errorf("POST: %+v, want %+v", got, want)
	}
	var sizes []int
	urls := slices.Repeat([]string{web.URL + "/big"}, 6)
	if page.Eval(&sizes, `(...args) => client.fetchAll(...args)`, urls); !slices.Equal(sizes, slices.Repeat([]int{3 << 20}, 6)) {
		t.Errorf("6 at once: %v bytes, want 3 MiB each", sizes)
	}
	var failure string
	page.Eval(&failure, `(...args) => client.fail(...args)`, "http://127.0.0.1:1/")
	if strings.HasPrefix(failure, "status") {
		t.Errorf("a server that is not allowed: %s", failure)
	}
}

// TestNoVNC shows the desktop of a VNC server and types on it.
func TestNoVNC(t *testing.T) {
	vnc := startRFB(t)
	page, ws := oldPage(t, "novnc", []string{vnc.addr}, "--legacy", "websockify", "--target", "desk="+vnc.addr)
	for _, c := range []struct {
		path      string
		protocols []string
	}{
		{"/websockify?token=desk", nil},
		{"/websockify/desk", []string{"binary"}},
	} {
		var got struct{ Name, End string }
		page.Eval(&got, `(...args) => client.connect(...args)`, ws+c.path, c.protocols)
		if got.Name != rfbName {
			t.Fatalf("%s: %+v, want the desktop %q", c.path, got, rfbName)
		}
		page.Eval(nil, `(...args) => client.pixel(...args)`, 20, 30, rfbColour)
		page.Eval(nil, `(...args) => client.key(...args)`, 'k')
		page.Eval(nil, `(...args) => client.paste(...args)`, "pasted")
		for _, want := range []string{"key 107 down", "key 107 up", "text pasted"} {
			if said := await(t, want, vnc.said); said != want {
				t.Errorf("%s: the server heard %q, want %q", c.path, said, want)
			}
		}
		var end string
		if page.Eval(&end, `() => client.disconnect()`); end != "clean" {
			t.Errorf("%s: the end was %s", c.path, end)
		}
		var url string
		page.Eval(&url, `() => location.href`)
		load(page, url)
	}
	var got struct{ Name, End string }
	page.Eval(&got, `(...args) => client.connect(...args)`, ws+"/websockify?token=other")
	if got.End == "" {
		t.Errorf("a token that names nothing: %+v", got)
	}
}

// TestNeon asks a database through /v1.
func TestNeon(t *testing.T) {
	db := startPostgres(t)
	page, ws := oldPage(t, "neon", []string{db.addr}, "--legacy", "wsproxy")
	host, port, _ := strings.Cut(db.addr, ":")
	at := strings.TrimPrefix(ws, "ws://") + "/v1"
	var rows []struct{ Question string }
	page.Eval(&rows, `(...args) => client.query(...args)`, at, host, port, "select 'all'")
	if len(rows) != 1 || rows[0].Question != "select 'all'" {
		t.Errorf("got %v", rows)
	}
	var failure string
	page.Eval(&failure, `(...args) => client.fail(...args)`, at, "127.0.0.2", port)
	if !strings.HasPrefix(failure, "failed") {
		t.Errorf("a database that is not allowed: %s", failure)
	}
}

// TestWebsockifyServers lets Redis answer through /websockify, in plain messages.
func TestWebsockifyServers(t *testing.T) {
	redis := servers.Redis(t)
	page, ws := oldPage(t, "novnc", []string{redis.Addr()}, "--legacy", "websockify", "--target", redis.Addr())
	var got string
	page.Eval(&got, `(url) => new Promise((resolve, reject) => {
		const ws = new WebSocket(url, "binary");
		ws.binaryType = "arraybuffer";
		let all = "";
		ws.onopen = () => ws.send(new TextEncoder().encode("AUTH pw1\r\nECHO hello\r\nQUIT\r\n"));
		ws.onmessage = ({ data }) => { all += new TextDecoder().decode(data); };
		ws.onclose = ({ code, reason, wasClean }) => resolve(all + code + reason + wasClean);
	})`, ws+"/websockify")
	if want := "+OK\r\n$5\r\nhello\r\n+OK\r\n1000closedtrue"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
