package hostile

import (
	"fmt"
	"strings"
	"testing"

	"encke/cmd/encke/app"
)

// TestCSP: what other sites and hand-made requests may not do to sessions of the Comet
// Session Protocol, whatever framing they carry. Nothing of a request comes back.
func TestCSP(t *testing.T) {
	canary := newCanary(t)
	a := start(t, app.Config{
		Allow: []string{"127.0.0.1:1"}, Origins: []string{listed, another}, Legacy: []string{"csp", "orbited08", "orbited2"},
	})
	addr := a.Addr().String()
	requests := make(map[string]bool)
	ask := func(q request) reply {
		t.Helper()
		requests[strings.ReplaceAll(string(q.bytes()), addr, "ADDR")] = true
		got, err := exchange(addr, q.method, q.bytes())
		if err != nil || len(got) != 1 {
			t.Fatalf("%.200q: %d answers, %v", q.bytes(), len(got), err)
		}
		for _, problem := range headers(got[0]) {
			t.Errorf("%.200q: %s", q.bytes(), problem)
		}
		if got[0].Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%.200q: no nosniff in %v", q.bytes(), got[0].Header)
		}
		if strings.Contains(got[0].text, mark) {
			t.Errorf("%.200q: something of it comes back: %.200q", q.bytes(), got[0].text)
		}
		return got[0]
	}
	get := func(target string) request {
		return request{method: "GET", target: target, fields: []string{"Host: " + addr, "Referer: " + listed + "/page", "Connection: close"}}
	}
	post := func(target, body string) request {
		return request{method: "POST", target: target, fields: []string{"Host: " + addr, "Origin: " + listed, "Connection: close"}, body: body}
	}
	open := func() string {
		t.Helper()
		text := ask(post("/csp/handshake", "{}")).text
		_, rest, _ := strings.Cut(text, `"session":"`)
		id, _, ok := strings.Cut(rest, `"`)
		if !ok {
			t.Fatalf("no session was opened: %q", text)
		}
		return id
	}
	refused := func(name string, q request, want ...int) {
		t.Helper()
		got := ask(q)
		for _, status := range want {
			if got.StatusCode == status {
				return
			}
		}
		t.Errorf("%s: status %d (%.100q), want %d", name, got.StatusCode, got.text, want)
	}
	session := open()
	ours := ask(request{
		method: "POST", target: "/session/send", body: fresh(),
		fields: []string{"Host: " + addr, "Origin: " + listed, "Connection: close"},
	}).text
	native := ours[strings.Index(ours, "n0."):][:25]

	// Who may ask.
	for _, leaf := range []string{"handshake?", "comet?du=0&s=" + session, "send?s=" + session, "close?s=" + session} {
		q := post("/csp/"+leaf, "")
		for name, wrong := range map[string]request{
			"another site": q.with("Origin", "http://evil.test"), "its name in ours": q.with("Origin", listed+"."+mark+".test"),
			"null": q.with("Origin", "null"), "no origin": q.without("Origin"), "two origins": q.adding("Origin: " + another),
			"no URL": q.with("Origin", mark), "another port": q.with("Origin", listed+":444"),
		} {
			refused(leaf+", "+name, wrong, 403)
		}
		g := get("/csp/" + leaf)
		for name, wrong := range map[string]request{
			"another site": g.with("Referer", "http://evil.test/"), "nobody": g.without("Referer"),
			"a site behind ours": g.with("Referer", listed+"."+mark+".test/"), "cross-site": g.without("Referer").adding("Sec-Fetch-Site: cross-site"),
		} {
			refused(leaf+" by GET, "+name, wrong, 403)
		}
		refused(leaf+", another host", q.with("Host", mark+".test"), 421)
		refused(leaf+", encoded body", q.adding("Content-Encoding: gzip"), 415)
		for _, method := range []string{"PUT", "DELETE", "PATCH", "HEAD", "TRACE", "BREW"} {
			refused(leaf+", "+method, request{method: method, target: q.target, fields: q.fields}, 405)
		}
	}
	// Sessions of others.
	for _, leaf := range []string{"comet?du=0&s=", "send?s=", "close?s="} {
		for name, id := range map[string]string{
			"of our own protocol": native, "guessed": "n0." + strings.Repeat("a", 22), "none": "", "long": strings.Repeat(mark, 300),
			"bytes": "%00%ff", "markup": "<b>" + mark, "another case": strings.ToUpper(session), "cut": session[:len(session)-1],
		} {
			refused(leaf+" "+name, post("/csp/"+leaf+id, ""), 404, 400)
		}
		refused(leaf+" of another origin", post("/csp/"+leaf+session, "").with("Origin", another), 403, 404)
	}
	refused("theirs as one of ours", request{
		method: "POST", target: "/session/send", body: resume(session, 0),
		fields: []string{"Host: " + addr, "Origin: " + listed, "Connection: close"},
	}, 404)
	// What is echoed.
	for _, name := range []string{"rp", "rs", "bp", "bs", "p", "ct"} {
		for i, value := range []string{
			"<script>" + mark + "</script>", mark + "(", "a;" + mark, "a.b.c.d.e.f." + mark, strings.Repeat(mark, 60), "%0d%0aSet-Cookie:%20" + mark,
			"%00" + mark, "javascript:" + mark, "a[" + mark + "]", "a%20" + mark, "%E2%80%A8" + mark, "text/html;" + mark, "/**/" + mark, "alert(1)//" + mark,
		} {
			refused(fmt.Sprintf("%s, text %d", name, i), get("/csp/handshake?d={}&"+name+"="+value), 400)
		}
	}
	// Other resources.
	for _, path := range []string{"/csp/reflect?d=" + mark, "/csp/" + mark, "/csp/static/csp.js", "/csp/handshake/" + mark, "/csp/%2e%2e/session/send", "/csp//comet", "/csp/"} {
		refused(path, get(path), 404)
	}
	if got := ask(post("/csp/send?a=0&s="+session, "[]")); got.StatusCode != 200 {
		t.Errorf("the session that all this was about: %d %q", got.StatusCode, got.text)
	}

	// Batches that make no sense end their session.
	for name, body := range map[string]string{
		"no JSON": mark, "object": `{"a":1}`, "id 0": `[[0,1,""]]`, "negative id": `[[-1,1,"YQ=="]]`, "id a string": `[["1",1,"YQ=="]]`, "id with a fraction": `[[1.5,1,"YQ=="]]`,
		"id with an exponent": `[[1e0,1,"YQ=="]]`, "id 2^53": `[[9007199254740992,1,"YQ=="]]`, "far above a gap": `[[90,1,"YQ=="]]`, "unknown encoding": `[[1,2,"YQ=="]]`,
		"base64": `[[1,1,"!!!!"]]`, "a character above U+00FF": `[[1,0,"☃"]]`, "two elements": `[[1,1]]`, "four elements": `[[1,1,"YQ==",1]]`, "text behind": `[[1,1,"YQ=="]]` + mark,
		"half": `[[1,1,"YQ==`, "deep": strings.Repeat("[", 100_000), "1,001 packets": "[" + strings.Repeat(`[1,1,"YQ=="],`, 1000) + `[1,1,"YQ=="]]`,
		"too large": `[[1,1,"` + strings.Repeat("A", 1<<20) + `"]]`, "number": `[[1,1,5]]`, "invalid UTF-8": "[[1,0,\"\xff\xfe\"]]",
	} {
		id := open()
		refused(name, post("/csp/send?s="+id, body), 400, 413)
		if name != "too large" { // which is refused before it is read
			refused(name+", afterwards", post("/csp/send?s="+id, "[]"), 404)
		}
	}
	// Targets that no rule allows, in each framing.
	for name, stream := range map[string]string{
		"line": canary.addr + "\\n", "line with a name": "localhost:80\\n", "orbited08": "24:1,0127.0.0.1," + fmt.Sprint(canary.port) + "    "[:5-len(fmt.Sprint(canary.port))],
		"orbited2": `4,0,0,`, "line that is none": strings.Repeat(mark, 200) + "\\n", "line without a port": "localhost\\n", "metadata": "169.254.169.254:80\\n",
	} {
		id := open()
		refused(name, post("/csp/send?s="+id, `[[1,0,"`+stream+`"]]`), 200, 400)
		if got := ask(post("/csp/comet?du=1&a=0&s="+id, "")); strings.Contains(got.text, `"MQ==`) {
			t.Errorf("%s: it was connected: %q", name, got.text)
		}
	}
	canary.check(t)
	t.Logf("%d distinct requests", len(requests))
	if len(requests) < 250 {
		t.Errorf("%d distinct requests, want at least 250", len(requests))
	}
}
