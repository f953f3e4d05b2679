package hostile

import (
	"fmt"
	"strings"
	"testing"
)

// behind is the request that an attacker wants to have answered out of turn.
func (r *rig) behind() string {
	return "GET /TCPSocket.js?eViL HTTP/1.1\r\nHost: " + r.addr + "\r\n\r\n"
}

// smuggling are requests of which two parsers could see different ends. Each is refused,
// the connection ends, and what stands behind it is never answered.
func smuggling(_ *testing.T, r *rig) (all []attack) {
	host, origin := "Host: "+r.addr, "Origin: "+listed
	post := func(fields ...string) string { return r.post(fields...) }
	body, length, chunks := r.bodies()
	for name, wire := range map[string]string{
		"two Content-Lengths":                      post(length, "Content-Length: 0") + body,
		"two Content-Lengths, the other first":     post("Content-Length: 0", length) + body,
		"two Content-Lengths in one":               post(length+", 0") + body,
		"Content-Length with a plus":               post(fmt.Sprintf("Content-Length: +%d", len(body))) + body,
		"Content-Length negative":                  post("Content-Length: -1") + body,
		"Content-Length in hex":                    post("Content-Length: 0x12") + body,
		"Content-Length with an exponent":          post("Content-Length: 1e1") + body,
		"Content-Length with a fraction":           post("Content-Length: 18.0") + body,
		"Content-Length with a space":              post("Content-Length: 1 8") + body,
		"Content-Length that overflows":            post("Content-Length: 18446744073709551634") + body,
		"Content-Length of letters":                post("Content-Length: eViL") + body,
		"Content-Length with full-width digits":    post("Content-Length: １８") + body,
		"an empty Content-Length and chunked":      post("Content-Length: ", "Transfer-Encoding: chunked") + chunks,
		"identity and chunked":                     post("Transfer-Encoding: identity, chunked") + chunks,
		"identity":                                 post("Transfer-Encoding: identity", length) + body,
		"chunked twice":                            post("Transfer-Encoding: chunked, chunked") + chunks,
		"chunked in two fields":                    post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + chunks,
		"chunked and identity in two fields":       post("Transfer-Encoding: chunked", "Transfer-Encoding: identity") + chunks,
		"gzip, chunked":                            post("Transfer-Encoding: gzip, chunked") + chunks,
		"chunked, gzip":                            post("Transfer-Encoding: chunked, gzip") + chunks,
		"xchunked":                                 post("Transfer-Encoding: xchunked") + chunks,
		"chunkedx":                                 post("Transfer-Encoding: chunkedx") + chunks,
		"chunked with a parameter":                 post("Transfer-Encoding: chunked;eViL") + chunks,
		"chunked with a vertical tab":              post("Transfer-Encoding:\vchunked", length) + body,
		"chunked with quotes":                      post(`Transfer-Encoding: "chunked"`) + chunks,
		"chunked behind a comma":                   post("Transfer-Encoding: ,chunked") + chunks,
		"an empty Transfer-Encoding and a length":  post("Transfer-Encoding: ", length) + body,
		"a space before the colon":                 post("Transfer-Encoding : chunked", length) + body,
		"a tab before the colon":                   post("Transfer-Encoding\t: chunked", length) + body,
		"a space before the colon of the length":   post(fmt.Sprintf("Content-Length : %d", len(body))) + body,
		"a space before a name":                    post(length, " Transfer-Encoding: chunked") + body,
		"a folded first field":                     "POST /session/send HTTP/1.1\r\n " + host + "\r\n" + origin + "\r\n" + length + "\r\n\r\n" + body,
		"a bare CR in a field":                     post(length, "X-A: b\rTransfer-Encoding: chunked") + body,
		"a bare CR before a colon":                 post(length, "Transfer-Encoding\r: chunked") + body,
		"a bare CR at the end of a line":           strings.Replace(post(length), length+"\r\n", length+"\r", 1) + body,
		"a NUL in a field":                         post(length, "X-A: b\x00c") + body,
		"a NUL in a name":                          post(length, "X\x00A: b") + body,
		"a field without a colon":                  post(length, "eViL") + body,
		"a field without a name":                   post(length, ": eViL") + body,
		"a non-ASCII name":                         post(length, "Trаnsfer-Encoding: chunked") + body,
		"a name with a slash":                      post(length, "Content/Length: 0") + body,
		"a name with brackets":                     post(length, "(eViL): 0") + body,
		"no Host":                                  head("POST", "/session/send", origin, length) + body,
		"two Hosts":                                post(host, length) + body,
		"two Hosts, a foreign one second":          post("Host: eViL.test", length) + body,
		"two Hosts, a foreign one first":           head("POST", "/session/send", "Host: eViL.test", host, origin, length) + body,
		"two Hosts, one in capitals":               post("HOST: eViL.test", length) + body,
		"HTTP/2's preface":                         "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"HTTP/0.9":                                 "GET /TCPSocket.js\r\n",
		"HTTP/3.0":                                 strings.Replace(post(length), "HTTP/1.1", "HTTP/3.0", 1) + body,
		"http/1.1 in small letters":                strings.Replace(post(length), "HTTP/1.1", "http/1.1", 1) + body,
		"a version of three parts":                 strings.Replace(post(length), "HTTP/1.1", "HTTP/1.1.1", 1) + body,
		"two spaces in the request line":           strings.Replace(post(length), "POST ", "POST  ", 1) + body,
		"a tab in the request line":                strings.Replace(post(length), "POST ", "POST\t", 1) + body,
		"a space in the target":                    head("GET", "/TCPSocket.js eViL", host),
		"no target":                                head("GET", "", host),
		"a target without a slash":                 head("GET", "TCPSocket.js", host),
		"a method with a colon":                    head("GET:", "/TCPSocket.js", host),
		"a method of no letters":                   head("(eViL)", "/TCPSocket.js", host),
		"a request line of 64 KiB":                 head("GET", "/"+strings.Repeat("e", 64<<10), host),
		"20,000 fields":                            head("GET", "/TCPSocket.js", append([]string{host}, many(20000)...)...),
		"PROXY protocol 1":                         "PROXY TCP4 10.0.0.1 10.0.0.2 1000 2000\r\n" + head("GET", "/TCPSocket.js", host),
		"PROXY protocol 1, unknown":                "PROXY UNKNOWN\r\n" + head("GET", "/TCPSocket.js", host),
		"PROXY protocol 2":                         "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x0a\x00\x00\x01\x0a\x00\x00\x02\x03\xe8\x07\xd0" + head("GET", "/TCPSocket.js", host),
		"PROXY protocol 2, LOCAL":                  "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00" + head("GET", "/TCPSocket.js", host),
		"PROXY protocol 2 with a length of 64 KiB": "\r\n\r\n\x00\r\nQUIT\n\x21\x11\xff\xff" + head("GET", "/TCPSocket.js", host),
		"a TLS handshake":                          "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + strings.Repeat("eViL", 40) + "\r\n\r\n",
		"an SSH greeting":                          "SSH-2.0-eViL\r\n\r\n",
		"SMTP":                                     "EHLO eViL\r\nMAIL FROM:<a@eViL>\r\n\r\n",
		"Redis":                                    "*1\r\n$4\r\nPING\r\n\r\n",
		"binary":                                   "\x00\x01\x02\x03\xff\xfe\r\n\r\n",
	} {
		all = append(all, attack{name: name, wire: wire + r.behind(), want: answer{raw: true}})
	}
	return all
}

// head is the head of a request.
func head(method, target string, fields ...string) string {
	return method + " " + target + " HTTP/1.1\r\n" + strings.Join(fields, "\r\n") + "\r\n\r\n"
}

// post is the head of a request that opens a session, with these fields as well.
func (r *rig) post(fields ...string) string {
	return head("POST", "/session/send", append([]string{"Host: " + r.addr, "Origin: " + listed}, fields...)...)
}

// bodies are the records that open a session, their length as a field, and in chunks.
func (*rig) bodies() (body, length, chunks string) {
	body = fresh()
	return body, fmt.Sprintf("Content-Length: %d", len(body)), fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)
}
