package hostile

import (
	"strings"
	"testing"
)

// This file makes requests of the older protocols that are no WebSockets: of the Comet
// Session Protocol below /csp, and of Orbited 0.7 below /tcp.

// cspLeaves are the resources of the Comet Session Protocol.
var cspLeaves = []string{"handshake", "comet", "send", "close", "streamtest"}

// olderPost is the request of a page of the listed origin.
func olderPost(r *rig, target, body string) request {
	return request{method: "POST", target: target, fields: []string{"Host: " + r.addr, "Origin: " + listed, "Connection: close"}, body: body}
}

// olderGet is what a script tag or a frame of such a page asks for.
func olderGet(r *rig, target string) request {
	return request{method: "GET", target: target, fields: []string{"Host: " + r.addr, "Referer: " + listed + "/page", "Sec-Fetch-Site: cross-site", "Connection: close"}}
}

// said is an answer of fixed text to a page of the listed origin.
func said(status int, body string) answer { return answer{status: status, body: body, allow: listed} }

// Fixed answers of the older protocols.
var (
	noSession      = said(404, `'Session not found'`)
	protocolError  = said(400, `"protocol-error"`)
	noConnection   = said(404, "no such session\n")
	closedFrame    = answer{status: 200, kind: "text/html; charset=utf-8", allow: listed, body: "<html>\r\n <head>\r\n  <script src=\"../../static/HTMLFileClose.js\"></script>\r\n </head>\r\n <body></body>\r\n</html>\n"}
	wrongCSPMethod = said(405, `"wrong method"`)
)

// askOlder makes a request that is not hostile and returns its answer.
func (r *rig) askOlder(t *testing.T, q request) reply {
	t.Helper()
	got, err := exchange(r.addr, q.method, q.bytes())
	if err != nil || len(got) != 1 {
		t.Fatalf("%.200q: %d answers, %v", q.bytes(), len(got), err)
	}
	return got[0]
}

// openCSP makes a session of the Comet Session Protocol for a page of the listed origin. It
// waits for its next request for two minutes.
func (r *rig) openCSP(t *testing.T) string {
	t.Helper()
	text := r.askOlder(t, olderPost(r, "/csp/handshake", "{}")).text
	id, after, ok := strings.Cut(strings.TrimPrefix(text, `({"session":"`), `"})`)
	if !ok || len(id) != 25 || after != "" {
		t.Fatalf("no session was opened: %q", text)
	}
	r.aliveCSP(t, id)
	return id
}

// aliveCSP checks that the session lives and got nothing.
func (r *rig) aliveCSP(t *testing.T, id string) {
	t.Helper()
	if got := r.askOlder(t, olderPost(r, "/csp/comet?du=0&s="+id, "")); got.text != "([])" {
		t.Errorf("the session answers %d %q", got.StatusCode, got.text)
	}
}

// overCSP checks that the session is over.
func (r *rig) overCSP(t *testing.T, id string) {
	t.Helper()
	if got := r.askOlder(t, olderPost(r, "/csp/send?s="+id, "")); got.text != noSession.body {
		t.Errorf("the session answers %d %q", got.StatusCode, got.text)
	}
}

// openTCP is openCSP for Orbited 0.7.
func (r *rig) openTCP(t *testing.T) string {
	t.Helper()
	id := r.askOlder(t, olderGet(r, "/tcp")).text
	if len(id) != 25 {
		t.Fatalf("no session was opened: %q", id)
	}
	r.aliveTCP(t, id)
	return id
}

func (r *rig) aliveTCP(t *testing.T, id string) {
	t.Helper()
	if got := r.askOlder(t, olderPost(r, "/tcp/"+id, "")); got.text != "OK" {
		t.Errorf("the session answers %d %q", got.StatusCode, got.text)
	}
}

func (r *rig) overTCP(t *testing.T, id string) {
	t.Helper()
	if got := r.askOlder(t, olderGet(r, "/tcp/"+id+"/poll")); got.StatusCode != 404 || got.text != noConnection.body {
		t.Errorf("the session answers %d %q", got.StatusCode, got.text)
	}
}

// liveOlder opens one session of each of the two for the attacks of a family; they live and
// got nothing when t ends.
func (r *rig) liveOlder(t *testing.T) (csp, tcp string) {
	t.Helper()
	csp, tcp = r.openCSP(t), r.openTCP(t)
	t.Cleanup(func() {
		r.aliveCSP(t, csp)
		r.aliveTCP(t, tcp)
	})
	return csp, tcp
}

// olderRequests are the attacks that pages of other sites make on our own session
// endpoints, made on those of the older protocols, also by pages that know a session's id.
func olderRequests(t *testing.T, r *rig) (all []attack) {
	csp, tcp := r.liveOlder(t)
	bodies := map[string]string{"handshake": "{}", "send": `[[1,0,"eViL\n"]]`}
	for _, family := range []family{foreignOrigins, foreignReferers, foreignHosts} {
		for _, a := range family(t, r) {
			path, _, _ := strings.Cut(a.target, "?")
			posts := path == "/session/send"
			if !posts && (path != "/session/jsonp-send" || a.method != "GET") {
				continue
			}
			if !posts && strings.HasSuffix(a.name, "no Sec-Fetch-Site, no Referer") {
				continue // without records it is one of the foreign origins' again
			}
			_, what, _ := strings.Cut(a.name, ": ")
			if what == "" {
				what = a.name
			}
			retarget := func(name, target, body string) {
				b := a
				b.name, b.target, b.body = name+": "+what, target, ""
				if b.method == "POST" {
					b.body = body
				}
				all = append(all, b)
			}
			for _, leaf := range cspLeaves {
				target := "/csp/" + leaf + "?du=0&s=" + csp
				if !posts {
					target += "&rp=f&bp=f&d=%5B%5B1,0,%22eViL%22%5D%5D"
				}
				retarget(leaf+" by "+a.method, target, bodies[leaf])
			}
			switch {
			case !posts:
				retarget("a new connection", "/tcp", "")
				for _, transport := range []string{"poll", "htmlfile", "sse"} {
					retarget(transport, "/tcp/"+tcp+"/"+transport, "")
				}
			case a.method == "POST":
				retarget("packets of a connection", "/tcp/"+tcp, "11,105,close")
			}
		}
	}
	return all
}

// olderMethods are methods that the older protocols do not have.
func olderMethods(t *testing.T, r *rig) (all []attack) {
	csp, tcp := r.liveOlder(t)
	wrong := func(name string, q request, want answer) {
		for _, method := range []string{"HEAD", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "SEARCH", "get", "post", "EVIL"} {
			q.method = method
			want := want
			if method == "HEAD" {
				want.body = ""
			}
			all = append(all, attack{name: name + ": " + method, request: q, want: want})
			for _, override := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
				all = append(all, attack{name: name + ": " + method + ", with " + override, request: q.adding(override + ": POST"), want: want})
			}
		}
	}
	for _, leaf := range cspLeaves {
		wrong(leaf, olderPost(r, "/csp/"+leaf+"?du=0&d=[]&s="+csp, ""), wrongCSPMethod)
	}
	for _, target := range []string{"/tcp", "/tcp/" + tcp, "/tcp/" + tcp + "/poll"} {
		wrong(target[:4]+strings.TrimPrefix(target, "/tcp/"+tcp), olderPost(r, target, ""), wrongMethod)
	}
	return all
}

// olderBodies are bodies that are encoded or too large.
func olderBodies(t *testing.T, r *rig) (all []attack) {
	csp, tcp := r.liveOlder(t)
	targets := map[string]string{"packets of a connection": "/tcp/" + tcp}
	for _, leaf := range cspLeaves {
		targets[leaf] = "/csp/" + leaf + "?du=0&s=" + csp
	}
	want := encoded
	want.allow = listed
	for name, target := range targets {
		for _, coding := range []string{"gzip", "br", "deflate", "zstd", "compress", "identity", "x-eViL", "gzip, gzip", "*"} {
			all = append(all, attack{name: name + ": encoded with " + coding, request: olderPost(r, target, "[]").adding("Content-Encoding: " + coding), want: want})
		}
	}
	large := strings.Repeat(" ", 1<<20) + "[]"
	for _, leaf := range cspLeaves[:4] {
		q := olderPost(r, targets[leaf], large)
		all = append(all,
			attack{name: leaf + ": 1 MiB and two bytes", request: q, want: said(413, `"limit"`)},
			attack{name: leaf + ": 1 MiB and two bytes without a length", request: q.chunked(64 << 10), want: said(413, `"limit"`)})
		for _, n := range []string{"1048577", "4294967296", "1000000000000"} {
			all = append(all, attack{name: leaf + ": " + n + " bytes announced, none sent", request: olderPost(r, targets[leaf], "").adding("Content-Length: " + n), want: said(413, `"limit"`)})
		}
	}
	return all
}
