package integration

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"encke/integration/browser"
	"encke/integration/proxy"
)

// seen is what talk of jsio/talk.js returns.
type seen struct {
	Answer string   // to the target
	Echoes []string // messages that came back
	End    string   // why the session ended
}

// TestJSIO lets the client of js.io as it comes from npm talk through CSP sessions: in Node,
// and in pages of Chromium of another origin than the proxy's, and of the same.
func TestJSIO(t *testing.T) {
	if _, err := os.Stat("jsio/node_modules"); err != nil {
		t.Fatal("js.io is not installed: run sh integration/install.sh")
	}
	for _, c := range []struct {
		name string
		args func(target string) []any // of talk, behind the URL
		want seen
		more func(target string) []string // of the proxy's command line
	}{
		{"text", func(target string) []any { return []any{target, "utf8", texts, false} }, seen{"1", texts, "ConnectionClosedCleanly"}, nil},
		{"bytes", func(target string) []any { return []any{target, "plain", bytesOfText, false} }, seen{"1", bytesOfText, "ConnectionClosedCleanly"}, nil},
		{"the client closes", func(target string) []any { return []any{target, "utf8", texts, true} }, seen{"1", texts, "undefined"}, nil},
		{"not allowed", func(string) []any { return []any{"127.0.0.1:1", "utf8", texts, false} }, seen{"0106", []string{}, "ConnectionClosedCleanly"}, nil},
		{
			"a page made for one server", func(string) []any { return []any{"", "utf8", texts, false} }, seen{"none", texts, "ConnectionClosedCleanly"},
			func(target string) []string { return []string{"--csp-target", target} },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, place := range []struct {
				name string
				run  func(*testing.T, jsioSite, []any, *seen)
			}{
				{"node", inNode}, {"another origin", inPageOfAnotherOrigin}, {"same origin", inPageOfSameOrigin},
			} {
				t.Run(place.name, func(t *testing.T) {
					target, ended := quitter(t)
					var more []string
					if c.more != nil {
						more = c.more(target)
					}
					s := newJSIOSite(t, target, more...)
					var got seen
					place.run(t, s, c.args(target), &got)
					if got.Answer != c.want.Answer || !slices.Equal(got.Echoes, c.want.Echoes) || got.End != c.want.End {
						t.Errorf("got %q, want %q", got, c.want)
					}
					if c.want.Answer != "0106" {
						await(t, "the end of the connection to the backend", ended)
					}
				})
			}
		})
	}
}

var (
	texts = []string{"hello", greeting, strings.Repeat("0123456789", 10_000), "\x00\r\n"}

	// bytesOfText has a character for each byte.
	bytesOfText = func() []string {
		var all []rune
		for b := range 256 {
			all = append(all, rune(b))
		}
		return []string{string(all), "hello"}
	}()
)

// quitter is a backend that sends back what it reads, until that is quit.
func quitter(t *testing.T) (target string, ended <-chan struct{}) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	done := make(chan struct{})
	go func() { // until there was a connection, or ln is closed
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer close(done)
		defer conn.Close()
		for b := make([]byte, 64<<10); ; {
			n, err := conn.Read(b)
			if err != nil || string(b[:n]) == "quit" {
				return
			}
			conn.Write(b[:n])
		}
	}()
	return ln.Addr().String(), done
}

// jsioSite is a proxy and a site whose pages it accepts. The site has a way to the proxy too, below
// its own origin.
type jsioSite struct{ proxy, origin string }

func newJSIOSite(t *testing.T, target string, more ...string) jsioSite {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/jsio/", http.StripPrefix("/jsio/", http.FileServer(http.Dir("jsio"))))
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, `<!doctype html><link rel="icon" href="data:,"><script src="/jsio/node_modules/jsio/packages/jsio.js"></script><script src="/jsio/talk.js"></script>`)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p := encke(t).Start(t, proxy.Options{Allow: []string{target}, Origins: []string{server.URL}, Args: append([]string{"--legacy", "csp"}, more...)})
	to, err := url.Parse("http://" + p.Addr)
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle("/csp/", httputil.NewSingleHostReverseProxy(to))
	return jsioSite{"http://" + p.Addr, server.URL}
}

func inNode(t *testing.T, s jsioSite, args []any, got *seen) {
	text, err := json.Marshal(append([]any{s.proxy + "/csp"}, args...))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "jsio/node.js", s.origin, string(text))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, got)
	}
	if err != nil {
		t.Fatalf("node: %v, %q", err, out)
	}
}

func inPageOfAnotherOrigin(t *testing.T, s jsioSite, args []any, got *seen) {
	inPage(t, s, s.proxy+"/csp", args, got)
}

func inPageOfSameOrigin(t *testing.T, s jsioSite, args []any, got *seen) {
	inPage(t, s, s.origin+"/csp", args, got)
}

func inPage(t *testing.T, s jsioSite, url string, args []any, got *seen) {
	page := launched(t, browser.Chromium).Page(t)
	page.Goto(s.origin + "/")
	page.Eval(got, `(...args) => { jsio.path.set("/jsio/node_modules/jsio/packages"); return talk(...args); }`, append([]any{url}, args...)...)
}
