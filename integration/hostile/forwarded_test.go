package hostile

import (
	"net"
	"testing"
)

// forwarded are requests with headers that only a trusted balancer may set, from a peer
// that is none. They must change nothing.
func forwarded(_ *testing.T, r *rig) (all []attack) {
	_, port, _ := net.SplitHostPort(r.addr)
	headers := []string{
		"X-Forwarded-Host: " + name, "X-Forwarded-Host: 127.0.0.1:" + port, "X-Host: localhost", "X-Forwarded-Server: localhost", "X-HTTP-Host-Override: localhost",
		"Forwarded: host=localhost;proto=https;for=127.0.0.1", "Forwarded: for=\"[::1]\";host=\"" + name + "\"",
		"X-Forwarded-For: 127.0.0.1", "X-Forwarded-For: eViL", "X-Forwarded-For: 127.0.0.1, 10.0.0.1", "X-Forwarded-For: " + "'; DROP", "X-Real-IP: 127.0.0.1", "X-Client-IP: 127.0.0.1", "True-Client-IP: 127.0.0.1", "CF-Connecting-IP: 127.0.0.1", "Client-IP: ::1",
		"X-Original-URL: /TCPSocket.js", "X-Rewrite-URL: /TCPSocket.js", "X-Original-Host: localhost", "X-Forwarded-Prefix: /eViL", "X-Forwarded-Port: 443", "X-Forwarded-Scheme: https", "X-Forwarded-Proto: https", "X-Forwarded-Ssl: on", "Front-End-Https: on", "Via: 1.1 localhost",
	}
	for _, e := range endpoints {
		for _, header := range headers {
			good := e.plain(r, fresh())
			good.behind = ""
			good = ended(good)
			rebound := good.with("Host", "eViL.test").adding(header)
			all = append(all, attack{name: e.name + ": a foreign Host with " + header, request: rebound, want: misdirected})
			q := good.with("Origin", "https://eViL.test").without("Referer").adding(header)
			all = append(all, attack{name: e.name + ": a foreign Origin with " + header, request: q, want: foreign})
			q = good.with("Origin", "https://"+r.addr).without("Referer").without("Sec-Fetch-Site").adding(header)
			all = append(all, attack{name: e.name + ": our Origin by https with " + header, request: q, want: foreign})
		}
	}
	for _, header := range headers {
		q := request{method: "GET", target: "/nothing", fields: []string{"Host: " + r.addr, header, "Connection: close"}}
		all = append(all, attack{name: "another file with " + header, request: q, want: notFound})
	}
	return all
}
