package hostile

import "testing"

// wrongMethods are requests with a method that the path does not have. HEAD must not
// open anything, GET must not send anything.
func wrongMethods(_ *testing.T, r *rig) (all []attack) {
	methods := []string{"GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "SEARCH", "PURGE", "get", "post", "EVIL", "M-SEARCH"}
	for _, e := range endpoints {
		for _, method := range methods {
			if method == e.method || method == "OPTIONS" && e.post() {
				continue
			}
			q := e.plain(r, fresh())
			q.method, q.behind = method, ""
			want := e.fixed(wrongMethod)
			if method == "HEAD" {
				want.body = ""
			}
			all = append(all, attack{name: e.name + ": " + method, request: ended(q), want: want})
			for _, override := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
				all = append(all, attack{name: e.name + ": " + method + ", with " + override, request: ended(q).adding(override + ": " + e.method), want: want})
			}
		}
	}
	for _, target := range []string{"/TCPSocket.js", "/TCPSocket.d.ts", "/", "/nothing"} {
		for _, method := range methods {
			if method == "GET" || method == "HEAD" {
				continue
			}
			q := request{method: method, target: target, fields: []string{"Host: " + r.addr, "Connection: close"}}
			all = append(all, attack{name: target + ": " + method, request: q, want: wrongMethod})
		}
	}
	return all
}
