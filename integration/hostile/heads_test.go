package hostile

import (
	"fmt"
	"strings"
	"testing"
)

// wrongHeads are requests that net/http would answer although two parsers can see
// different ends of them, or that ask for what a forward proxy does, or that are larger
// than a head may be. The proxy looks at the head itself.
func wrongHeads(_ *testing.T, r *rig) (all []attack) {
	host, origin := "Host: "+r.addr, "Origin: "+listed
	post := func(fields ...string) string { return r.post(fields...) }
	body, length, chunks := r.bodies()
	for name, wire := range map[string]string{
		"Content-Length and chunked":               post(length, "Transfer-Encoding: chunked") + chunks,
		"chunked and Content-Length":               post("Transfer-Encoding: chunked", length) + chunks,
		"Content-Length of the chunks and chunked": post(fmt.Sprintf("Content-Length: %d", len(chunks)), "Transfer-Encoding: chunked") + chunks,
		"Content-Length 0 and chunked":             post("Content-Length: 0", "Transfer-Encoding: chunked") + chunks,
		"chunked and Content-Length 4":             post("transfer-encoding: chunked", "content-length: 4") + chunks,
		"CHUNKED in capitals and a length":         post("TRANSFER-ENCODING: CHUNKED", length) + chunks,
		"a folded Transfer-Encoding":               post(length, "Transfer-Encoding:", " chunked") + body,
		"a folded Transfer-Encoding with a tab":    post(length, "Transfer-Encoding:", "\tchunked") + body,
		"a folded field":                           post(length, "X-A: b", " Content-Length: 0") + body,
		"an absolute target":                       head("POST", "http://"+r.addr+"/session/send", host, origin, length) + body,
		"an absolute foreign target":               head("POST", "http://eViL.test/session/send", host, origin, length) + body,
		"an absolute target with a foreign Host":   head("POST", "http://"+r.addr+"/session/send", "Host: eViL.test", origin, length) + body,
		"an absolute https target":                 head("GET", "https://eViL.test/", host),
		"an absolute target of a file":             head("GET", "http://"+r.addr+"/TCPSocket.js", host),
		"an absolute ftp target":                   head("GET", "ftp://eViL.test/", host),
		"an absolute file target":                  head("GET", "file:///etc/passwd", host),
		"CONNECT":                                  head("CONNECT", "eViL.test:443", "Host: eViL.test:443"),
		"CONNECT with our Host":                    head("CONNECT", "eViL.test:443", host),
		"CONNECT to ourselves":                     head("CONNECT", r.addr, host),
		"CONNECT to the backend":                   head("CONNECT", r.backend.Addr(), host),
		"CONNECT with a path":                      head("CONNECT", "/session/send", host),
		"CONNECT to the canary":                    head("CONNECT", r.canary.addr, host),
		"OPTIONS of everything with a body":        head("OPTIONS", "*", host, length) + body,
		"HTTP/1.2":                                 strings.Replace(post(length), "HTTP/1.1", "HTTP/1.2", 1) + body,
		"a request line of 9 KiB":                  head("GET", "/TCPSocket.js?"+strings.Repeat("e", 9<<10), host),
		"a field of 17 KiB":                        head("GET", "/TCPSocket.js", host, "X-A: "+strings.Repeat("e", 17<<10)),
		"a name of 17 KiB":                         head("GET", "/TCPSocket.js", host, strings.Repeat("e", 17<<10)+": a"),
		"65 fields":                                head("GET", "/TCPSocket.js", append([]string{host}, many(64)...)...),
		"1,000 fields":                             head("GET", "/TCPSocket.js", append([]string{host}, many(1000)...)...),
		"a WebSocket handshake with a body":        upgrading(r, length) + body,
		"a WebSocket handshake with chunks":        upgrading(r, "Transfer-Encoding: chunked") + chunks,
	} {
		all = append(all, attack{name: name, wire: wire + r.behind(), want: answer{raw: true}})
	}
	return all
}

func upgrading(r *rig, field string) string {
	q := endpoints[0].plain(r, "").adding(field)
	q.behind = ""
	return string(q.bytes())
}
