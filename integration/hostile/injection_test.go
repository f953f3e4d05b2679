package hostile

import (
	"net/http"
	"strings"
	"testing"

	"encke/cause"
)

// injections try to get something of the request into an answer: a header of their own,
// or text of theirs. Every place that has a say in a header or body is tried with every
// way to end a line.
func injections(t *testing.T, r *rig) (all []attack) {
	ends := []struct{ name, text string }{
		{"CR LF", "%0d%0a"}, {"LF", "%0a"}, {"CR", "%0d"}, {"NUL", "%00"}, {"CR LF twice", "%0d%0a%0d%0a"},
		{"line separator", "%e2%80%a8"}, {"overlong", "%c0%8a"}, {"UTF-16 rest", "%e5%98%8a%e5%98%8d"},
	}
	for _, e := range endpoints {
		for _, end := range ends {
			value := "1" + end.text + "X-eViL:" + end.text + "<script>eViL()</script>"
			in := func(where string, q request, want answer) {
				q.behind = ""
				all = append(all, attack{name: e.name + ": " + end.name + " in " + where, request: ended(q), want: want})
			}
			good := e.plain(r, resume("n0.nothing", 0))
			lost := e.refusal(404, cause.SessionLost, "unknown session")
			if !e.ws() {
				in("hold", good.replacing("hold", value), e.refusal(400, cause.ProtocolError, "hold must be 1 to 60 seconds"))
				in("node", good.query("node="+value), lost)
				in("a variable that is none", good.query("eViL="+value), lost)
				in("a variable's name", good.query(value+"=1"), lost)
				in("Last-Event-ID", good.adding("Last-Event-ID: "+value), lost)
				in("User-Agent", good.adding("User-Agent: "+value), lost)
				in("Cookie", good.adding("Cookie: session="+value), lost)
				in("Accept", good.adding("Accept: text/html,"+value), lost)
				in("Content-Type", good.adding("Content-Type: text/html;"+value), lost)
				in("Authorization", good.adding("Authorization: Bearer "+value), lost)
			}
			if e.get {
				in("d", good.replacing("d", value), e.refusal(400, cause.ProtocolError, "d is not URL-safe base64 without padding"))
				in("Referer's path", good.with("Referer", listed+"/"+value), lost)
				in("Referer's query", good.with("Referer", listed+"/?"+value), lost)
				in("Referer's host", good.with("Referer", listed+value), foreign)
			}
			in("Origin", good.with("Origin", listed+value), foreign)
			if e.post() {
				q := good
				q.method, q.body = "OPTIONS", ""
				in("Access-Control-Request-Headers", q.adding("Access-Control-Request-Method: "+value).adding("Access-Control-Request-Headers: "+value),
					answer{status: http.StatusNoContent, kind: "-", allow: listed})
			}
		}
	}
	for _, end := range ends {
		for _, base := range []string{"/session/", "/session/send", "/"} {
			q := request{method: "GET", target: base + end.text + "X-eViL:1", fields: []string{"Host: " + r.addr, "Origin: " + listed, "Connection: close"}}
			want := notFound
			if strings.HasPrefix(base, "/session/") {
				want = noTransport
			}
			all = append(all, attack{name: "path " + base + ": " + end.name, request: q, want: want})
		}
	}
	return all
}
