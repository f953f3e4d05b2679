package hostile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"encke/cmd/encke/app"
)

// TestOrbited07: what other sites and hand-made requests may not do to sessions of Orbited
// 0.7 and to folders of the operator. Each answer is one of ours, and nothing comes back.
func TestOrbited07(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{"page.html": "page", ".env": mark} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	a := start(t, app.Config{
		Allow: []string{"127.0.0.1:1"}, Origins: []string{listed, another}, Legacy: []string{"orbited07"}, Static: []string{"app=" + folder},
	})
	addr := a.Addr().String()
	ask := func(q request) reply {
		t.Helper()
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
		return got[0]
	}
	get := func(target string) request {
		return request{method: "GET", target: target, fields: []string{"Host: " + addr, "Referer: " + listed + "/page", "Connection: close"}}
	}
	post := func(target, body string) request {
		return request{method: "POST", target: target, fields: []string{"Host: " + addr, "Origin: " + listed, "Connection: close"}, body: body}
	}
	ours := ask(request{
		method: "POST", target: "/session/send", body: fresh(),
		fields: []string{"Host: " + addr, "Origin: " + listed, "Connection: close"},
	}).text
	native := ours[strings.Index(ours, "n0."):][:25]
	key := ask(get("/tcp")).text
	session := "/tcp/" + key
	for _, c := range []struct {
		name   string
		q      request
		status int
	}{
		{"another site opens", get("/tcp").with("Referer", "http://evil.test/"), 403},
		{"nobody opens", get("/tcp").without("Referer"), 403},
		{"by origin", get("/tcp").with("Origin", "https://"+mark+".test"), 403},
		{"null", get("/tcp").with("Origin", "null"), 403},
		{"another host", get("/tcp").with("Host", mark+".test"), 421},
		{"another host of a file", get("/static/Orbited.js").with("Host", mark+".test"), 421},
		{"another host of a folder", get("/app/page.html").with("Host", mark+".test"), 421},
		{"another site polls", get(session+"/poll").with("Referer", another+"/"), 403},
		{"another site sends", post(session, "11,105,close").with("Origin", another), 403},
		{"no origin sends", post(session, "11,105,close").without("Origin"), 403},
		{"a session of ours", get("/tcp/" + native + "/poll"), 404},
		{"a session of ours is sent to", post("/tcp/"+native, "11,105,close"), 404},
		{"theirs as one of ours", request{
			method: "POST", target: "/session/send", body: resume(key, 0),
			fields: []string{"Host: " + addr, "Origin: " + listed, "Connection: close"},
		}, 404},
		{"guess", get("/tcp/n0." + mark + mark + mark + mark + mark + mark[:2] + "/poll"), 404},
		{"long key", get("/tcp/" + strings.Repeat(mark, 500) + "/poll"), 404},
		{"bytes for a key", get("/tcp/%00%ff/poll"), 404},
		{"no transport", get(session + "/" + mark), 404},
		{"no key", get("/tcp//poll"), 404},
		{"a frame for another site", get(session+"/htmlfile?frameID="+mark).with("Referer", "http://evil.test/"), 403},
		{"markup in a frame", get("/tcp/x/htmlfile?frameID=<script>" + mark + "</script>"), 200},
		{"ack", get(session + "/poll?ack=" + mark), 400},
		{"ack of what never was", get(session + "/poll?ack=99999"), 404},
		{"method", request{method: "PUT", target: session, fields: get("").fields}, 405},
		{"method of a file", request{method: "DELETE", target: "/static/Orbited.js", fields: get("").fields}, 405},
		{"method of a folder", request{method: "PUT", target: "/app/page.html", fields: get("").fields}, 405},
		{"folder", get("/app/page.html"), 200},
		{"hidden", get("/app/.env"), 404},
		{"hidden, encoded", get("/app/%2eenv"), 404},
		{"up", get("/app/../../etc/passwd"), 404},
		{"up, encoded", get("/app/%2e%2e/%2e%2e/etc/passwd"), 404},
		{"up, all encoded", get("/app/..%2f..%2fetc%2fpasswd"), 404},
		{"up, backslash", get("/app/..%5c..%5cetc%5cpasswd"), 404},
		{"absolute", get("/app//etc/passwd"), 404},
		{"nul", get("/app/page.html%00" + mark), 404},
		{"listing", get("/app/"), 404},
		{"folder without a slash", get("/app"), 404},
		{"up from ours", get("/static/../session/send"), 404},
		{"bridge", get("/static/xsdrBridge.html").with("Referer", "http://evil.test/"), 403},
		{"encoded body", post(session, "11,105,close").adding("Content-Encoding: gzip"), 415},
	} {
		if got := ask(c.q); got.StatusCode != c.status {
			t.Errorf("%s: status %d (%.100q), want %d", c.name, got.StatusCode, got.text, c.status)
		}
	}
	// Bodies that make no sense end the session, each its own.
	for name, body := range map[string]string{
		"too large": strings.Repeat("a", 1<<20+1), "text": mark, "half": "11,114,data0100,", "name": "11,104," + mark, "base64": "11,114,data04,!!!!",
		"length": "199999999999999999999,", "id": "120,184467440737095516160" + "4,ping", "far above": "16,90000004,ping",
	} {
		session := "/tcp/" + ask(get("/tcp")).text
		got := ask(post(session, body))
		if got.StatusCode != 400 && got.StatusCode != 413 {
			t.Errorf("%s: status %d (%.100q), want a refusal", name, got.StatusCode, got.text)
		}
		if got := ask(get(session + "/poll")); got.StatusCode != 404 {
			t.Errorf("%s: the session lives on: %d", name, got.StatusCode)
		}
	}
}
