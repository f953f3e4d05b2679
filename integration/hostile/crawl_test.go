package hostile

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"encke/cmd/encke/app"
	"encke/transports"
)

// TestEveryAnswer asks for everything there is, with every method, as every kind of
// page, well and badly, and looks at the headers that all answers must and must not have.
func TestEveryAnswer(t *testing.T) {
	for _, prefix := range []string{"", "/tcp"} {
		t.Run("prefix "+prefix, func(t *testing.T) {
			a := start(t, app.Config{Allow: []string{"127.0.0.1:1"}, Prefix: prefix, Origins: []string{listed}, Hosts: []string{name}, Transports: transports.All()})
			r := &rig{app: a, addr: a.Addr().String()}
			paths := []string{"/", "/healthz", "/TCPSocket.js", "/TCPSocket.mjs", "/TCPSocket.js.map", "/TCPSocket.d.ts", "/nothing", "/session/", "/session/nothing", "//", "/session"}
			asked := 0
			for _, path := range paths {
				for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "eViL"} {
					for _, host := range []string{r.addr, name, "eViL.test"} {
						for _, origin := range []string{"", listed, "https://eViL.test", "null"} {
							q := request{method: method, target: prefix + path + "?eViL=<eViL>", fields: []string{"Host: " + host, "Connection: close", "X-eViL: eViL"}}
							if origin != "" {
								q = q.adding("Origin: " + origin)
							}
							asked++
							r.inspect(t, q, strings.HasPrefix(path, "/session/"))
						}
					}
				}
			}
			for _, e := range endpoints {
				for _, records := range []string{fresh() + bye, "", "\x7feViL", resume("n0.eViL", 0)} {
					for _, origin := range []string{listed, "https://eViL.test", "null", "-"} {
						for _, method := range []string{e.method, "HEAD", "OPTIONS", "DELETE"} {
							q := e.plain(r, records).query("eViL=<eViL>").adding("X-eViL: <eViL>")
							q.method, q.behind = method, ""
							q.target = prefix + q.target
							q = q.without("Origin").without("Referer")
							if e.get && origin != "-" && origin != "null" {
								q = q.adding("Referer: " + origin + "/<eViL>?<eViL>")
							} else if origin != "-" {
								q = q.adding("Origin: " + origin)
							}
							if e.ws() && method == "GET" {
								q = q.without("Sec-WebSocket-Key")
							}
							asked++
							r.inspect(t, ended(q), true)
						}
					}
				}
			}
			t.Logf("%d answers", asked)
		})
	}
}

// inspect makes a request and checks the headers of its answer.
func (r *rig) inspect(t *testing.T, q request, session bool) {
	t.Helper()
	got, err := exchange(r.addr, q.method, q.bytes())
	if err != nil || len(got) != 1 {
		t.Errorf("%.200q: %d answers, %v", q.bytes(), len(got), err)
		return
	}
	g := got[0]
	problems := headers(g)
	bad := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	kind := g.Header.Get("Content-Type")
	if kind == "" && g.StatusCode != http.StatusNoContent {
		bad("no Content-Type")
	}
	if nosniff := g.Header.Get("X-Content-Type-Options"); nosniff != "nosniff" {
		bad("X-Content-Type-Options %q", nosniff)
	}
	if policy := g.Header.Get("Referrer-Policy"); policy != "no-referrer" && !strings.HasSuffix(path(q), "/healthz") {
		bad("Referrer-Policy %q", policy)
	}
	allow := g.Header.Get("Access-Control-Allow-Origin")
	refused := g.StatusCode == 403 || g.StatusCode == 421 || g.StatusCode == 404
	switch {
	case strings.HasPrefix(q.target, "/session/") && allow != "" && allow != listed, allow == "*" && session, allow == "null":
		bad("Access-Control-Allow-Origin %q", allow)
	case refused && !session && allow != "":
		bad("Access-Control-Allow-Origin %q with status %d", allow, g.StatusCode)
	}
	if session && g.StatusCode != 421 && !strings.Contains(g.Header.Get("Vary"), "Origin") {
		bad("Vary %q", g.Header.Get("Vary"))
	}
	if session && g.StatusCode != 421 && !strings.Contains(g.Header.Get("Cache-Control"), "no-store") {
		bad("Cache-Control %q", g.Header.Get("Cache-Control"))
	}
	if strings.HasPrefix(kind, "text/html") {
		policy := g.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'sha256-", "frame-ancestors 'self' " + listed + ";", "base-uri 'none'", "form-action 'none'"} {
			if !strings.Contains(policy, part) {
				bad("Content-Security-Policy %q lacks %q", policy, part)
			}
		}
		if g.StatusCode == 200 && !strings.HasPrefix(g.text, framePage) {
			bad("a page of HTML that is not the frame's: %.200q", g.text)
		}
	}
	if strings.HasPrefix(kind, "text/javascript") && strings.Contains(q.target, "/session/") {
		if !strings.HasPrefix(g.text, "/**/f(1,[[") || !strings.HasSuffix(g.text, "]]);") || g.Header.Get("Content-Disposition") != `attachment; filename="f.txt"` {
			bad("script %q, disposition %q", g.text, g.Header.Get("Content-Disposition"))
		}
	}
	for _, problem := range problems {
		t.Errorf("%.300q: %d: %s", q.bytes(), g.StatusCode, problem)
	}
}

func path(q request) string {
	path, _, _ := strings.Cut(q.target, "?")
	return path
}
