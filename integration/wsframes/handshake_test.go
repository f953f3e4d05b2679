package wsframes

import (
	"crypto/sha1"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"
)

// accepted is what the proxy must answer to a key (RFC 6455 section 4.2.2).
func accepted(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// The opening handshake: what is upgraded, what is refused and how.
func TestHandshake(t *testing.T) {
	s := start(t)
	own := "Origin: http://" + s.addr
	for _, tt := range []struct {
		name    string
		line    string // default: GET
		changes []string
		status  int
		header  string // that the refusal has, as "Name: value"
	}{
		{name: "as browsers do", status: 101},
		{name: "names in lower case", changes: []string{"Upgrade:", "Connection:", "+upgrade: websocket", "+connection: upgrade"}, status: 101},
		{name: "values in upper case", changes: []string{"Upgrade: WEBSOCKET", "Connection: UPGRADE"}, status: 101},
		{name: "as Firefox does", changes: []string{"Connection: keep-alive, Upgrade"}, status: 101},
		{name: "two Connection headers", changes: []string{"Connection: keep-alive", "+Connection: Upgrade"}, status: 101},
		{name: "one of several Upgrade values", changes: []string{"Upgrade: h2c, websocket"}, status: 101},
		{name: "with a query", line: "GET /session/websocket?node=n0 HTTP/1.1", status: 101},
		{name: "key in blanks", changes: []string{"Sec-WebSocket-Key:   dGhlIHNhbXBsZSBub25jZQ==  "}, status: 101},
		{name: "another key", changes: []string{"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="}, status: 101},
		{name: "unknown headers", changes: []string{"+X-Anything: y", "+User-Agent: z", "+Cookie: a=b"}, status: 101},
		{name: "subprotocols, none of which is ours", changes: []string{"+Sec-WebSocket-Protocol: chat, superchat"}, status: 101},
		{name: "empty subprotocol", changes: []string{"+Sec-WebSocket-Protocol:"}, status: 101},

		{name: "no Upgrade", changes: []string{"Upgrade:"}, status: 426, header: "Upgrade: websocket"},
		{name: "another Upgrade", changes: []string{"Upgrade: h2c"}, status: 426, header: "Upgrade: websocket"},
		{name: "no Connection", changes: []string{"Connection:"}, status: 426, header: "Connection: Upgrade"},
		{name: "another Connection", changes: []string{"Connection: keep-alive"}, status: 426, header: "Connection: Upgrade"},
		{name: "no version", changes: []string{"Sec-WebSocket-Version:"}, status: 400, header: "Sec-WebSocket-Version: 13"},
		{name: "version 0", changes: []string{"Sec-WebSocket-Version: 0"}, status: 400, header: "Sec-WebSocket-Version: 13"},
		{name: "version 8", changes: []string{"Sec-WebSocket-Version: 8"}, status: 400, header: "Sec-WebSocket-Version: 13"},
		{name: "version 14", changes: []string{"Sec-WebSocket-Version: 14"}, status: 400, header: "Sec-WebSocket-Version: 13"},
		{name: "version 013", changes: []string{"Sec-WebSocket-Version: 013"}, status: 400, header: "Sec-WebSocket-Version: 13"},
		{name: "no key", changes: []string{"Sec-WebSocket-Key:"}, status: 400},
		{name: "two keys", changes: []string{"+Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="}, status: 400},
		{name: "short key", changes: []string{"Sec-WebSocket-Key: c2hvcnQ="}, status: 400},
		{name: "long key", changes: []string{"Sec-WebSocket-Key: " + base64.StdEncoding.EncodeToString(make([]byte, 17))}, status: 400},
		{name: "key that is no base64", changes: []string{"Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!=="}, status: 400},
		{name: "key of URL-safe base64", changes: []string{"Sec-WebSocket-Key: ____________________-w=="}, status: 400},
		{name: "POST", line: "POST /session/websocket HTTP/1.1", changes: []string{"+Content-Length: 0"}, status: 405, header: "Allow: GET"},
		{name: "PUT", line: "PUT /session/websocket HTTP/1.1", changes: []string{"+Content-Length: 0"}, status: 405, header: "Allow: GET"},
		{name: "CONNECT", line: "CONNECT /session/websocket HTTP/1.1", status: 400},
		{name: "HTTP/1.0", line: "GET /session/websocket HTTP/1.0", status: 426},
		{name: "another path", line: "GET /session/websocket/ HTTP/1.1", status: 404},
		{name: "no Origin", changes: []string{"Origin:"}, status: 403},
		{name: "another Origin", changes: []string{"Origin: http://evil.test"}, status: 403},
		{name: "Origin null", changes: []string{"Origin: null"}, status: 403},
		{name: "two Origins", changes: []string{"+" + own}, status: 403},
		{name: "Origin and more", changes: []string{own + " http://evil.test"}, status: 403},
		{name: "Origin with a path", changes: []string{own + "/"}, status: 403},
		{name: "Origin of another port", changes: []string{"Origin: http://127.0.0.1:1"}, status: 403},
		{name: "Origin of another scheme", changes: []string{"Origin: https://" + s.addr}, status: 403},
		{name: "Sec-WebSocket-Origin only", changes: []string{"Origin:", "+Sec-WebSocket-" + own}, status: 403},
		{name: "another Host and its Origin", changes: []string{"Host: evil.test", "Origin: http://evil.test"}, status: 421},
		{name: "no Host", changes: []string{"Host:"}, status: 400},
		{name: "two Hosts", changes: []string{"+Host: evil.test"}, status: 400},
		{name: "a body", changes: []string{"+Content-Length: 5"}, status: 400},
		{name: "a body in chunks", changes: []string{"+Transfer-Encoding: chunked"}, status: 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			played.Add(1)
			c := dial(t, s.addr)
			resp := c.upgrade(tt.line, tt.changes...)
			if resp.StatusCode != tt.status {
				t.Fatalf("%s, want %d", resp.Status, tt.status)
			}
			if tt.status != 101 {
				if name, value, _ := strings.Cut(tt.header, ": "); resp.Header.Get(name) != value {
					t.Errorf("%s is %q, want %q", name, resp.Header.Get(name), value)
				}
				if resp.Header.Get("Sec-WebSocket-Accept") != "" {
					t.Error("the refusal accepts the key")
				}
				return
			}
			upgraded(t, c, resp, tt.changes)
		})
	}
}

// Offers of extensions are declined, whatever they say; the WebSocket works without.
func TestExtensionsAreDeclined(t *testing.T) {
	s := start(t)
	for _, offer := range []string{
		"permessage-deflate",
		"permessage-deflate; client_max_window_bits",
		"permessage-deflate; client_max_window_bits=15",
		"permessage-deflate; client_max_window_bits=8",
		"permessage-deflate; client_max_window_bits=7",
		"permessage-deflate; client_max_window_bits=\"9\"",
		"permessage-deflate; server_max_window_bits=15",
		"permessage-deflate; server_max_window_bits=9",
		"permessage-deflate; server_max_window_bits",
		"permessage-deflate; server_no_context_takeover",
		"permessage-deflate; client_no_context_takeover",
		"permessage-deflate; client_no_context_takeover; client_no_context_takeover",
		"permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=10",
		"permessage-deflate; client_max_window_bits, permessage-deflate",
		"permessage-deflate; mode=1",
		"permessage-deflate; client_no_context_takeover=1",
		"PERMESSAGE-DEFLATE",
		"permessage-deflate,,",
		"permessage-bzip2",
		"x-webkit-deflate-frame",
		"x-webkit-deflate-frame, permessage-deflate",
		"foo; bar=\"a,b;c\", permessage-deflate",
		";;;",
		"=",
	} {
		t.Run(offer, func(t *testing.T) {
			played.Add(1)
			c := dial(t, s.addr)
			resp := c.upgrade("", "Sec-WebSocket-Extensions: "+offer)
			if resp.StatusCode != 101 {
				t.Fatalf("%s, want 101 without the extension", resp.Status)
			}
			upgraded(t, c, resp, nil)
			// The first bit of an inflated message stays an error.
			c.write(frame(rsv1|fin|binaryData, "\x4a\x05\x00"), 0)
			var codes client
			codes.conn = c
			codes.until("the WebSocket is closed", func() bool { return codes.code != 0 })
			if codes.code != 1002 {
				t.Errorf("a compressed message closed the WebSocket with %d, want 1002", codes.code)
			}
		})
	}
}

// upgraded checks the answer 101 and that a session can be opened.
func upgraded(t *testing.T, c *conn, resp *http.Response, changes []string) {
	t.Helper()
	key := "dGhlIHNhbXBsZSBub25jZQ=="
	for _, change := range changes {
		if k, ok := strings.CutPrefix(change, "Sec-WebSocket-Key:"); ok {
			key = strings.TrimSpace(k)
		}
	}
	for name, want := range map[string]string{
		"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accepted(key),
		"Sec-WebSocket-Extensions": "", "Sec-WebSocket-Protocol": "",
	} {
		if got := strings.Join(resp.Header.Values(name), "|"); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	c.write(frame(fin|binaryData, newRecord()), 0)
	one := &client{conn: c}
	one.until("the session is open", func() bool { return one.session != nil })
}

// Frames may come in the same write as the handshake.
func TestFramesBehindTheHandshake(t *testing.T) {
	s := start(t)
	head := "GET /session/websocket HTTP/1.1\r\nHost: " + s.addr + "\r\nOrigin: http://" + s.addr +
		"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
	for _, size := range []int{1, 100, 2000, 5000, 70_000} {
		for _, chop := range []int{0, 1, 100} {
			if size > 5000 && chop == 1 {
				continue
			}
			played.Add(1)
			c := dial(t, s.addr)
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				c.write(append([]byte(head), frame(fin|binaryData, newRecord()+asking(size))...), chop)
			}()
			if line, err := c.r.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 101 ") {
				t.Fatalf("%q, %v", line, err)
			}
			for line := ""; line != "\r\n"; {
				var err error
				if line, err = c.r.ReadString('\n'); err != nil && err != io.EOF {
					t.Fatal(err)
				}
			}
			one := &client{conn: c}
			one.until("the message behind the handshake is answered", func() bool { return one.answers == 1 && one.session != nil })
			<-sent
		}
	}
}
