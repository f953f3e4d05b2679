package wsframes

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// The opcodes of RFC 6455 section 5.2, and the bits beside them.
const (
	continuation = 0x0
	text         = 0x1
	binaryData   = 0x2
	closing      = 0x8
	ping         = 0x9
	pong         = 0xa

	fin  = 0x80
	rsv1 = 0x40
	rsv2 = 0x20
	rsv3 = 0x10
)

// masks are used in turn; the first two hide mistakes that the others show.
var masks = [][4]byte{{}, {0xff, 0xff, 0xff, 0xff}, {0x37, 0xfa, 0x21, 0x3d}, {0, 0, 0, 1}}

var frameNumber atomic.Uint32

// frame returns a frame as clients send it: its first byte is given, its length in
// the shortest form, and it is masked.
func frame(first byte, payload string) []byte {
	var length []byte
	switch n := len(payload); {
	case n < 126:
		length = []byte{byte(n)}
	case n < 1<<16:
		length = binary.BigEndian.AppendUint16([]byte{126}, uint16(n))
	default:
		length = binary.BigEndian.AppendUint64([]byte{127}, uint64(n))
	}
	return masked(first, length, payload)
}

// masked returns a frame with the length written as given.
func masked(first byte, length []byte, payload string) []byte {
	mask := masks[frameNumber.Add(1)%uint32(len(masks))]
	out := append([]byte{first}, length...)
	out[1] |= 0x80
	out = append(out, mask[:]...)
	for i := range len(payload) {
		out = append(out, payload[i]^mask[i%4])
	}
	return out
}

// unmasked returns a frame without a mask, which clients must not send.
func unmasked(first byte, payload string) []byte {
	if len(payload) > 125 {
		panic("the cases have no longer one")
	}
	return append([]byte{first, byte(len(payload))}, payload...)
}

// conn is a TCP connection to the proxy.
type conn struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

var dialled atomic.Uint32

// patience is a guard against hanging; nothing is judged by it.
const patience = 2 * time.Minute

// dial connects from an address of its own, so that no limit for one address sees
// all cases.
func dial(t *testing.T, addr string) *conn {
	t.Helper()
	n := dialled.Add(1)
	from := &net.TCPAddr{IP: net.IPv4(127, 77, byte(n>>8), byte(n))}
	c, err := (&net.Dialer{LocalAddr: from}).Dial("tcp4", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return &conn{t, c, bufio.NewReader(c)}
}

// write sends p, chop bytes at a time; 0: all at once. What the proxy no longer
// takes is not sent.
func (c *conn) write(p []byte, chop int) {
	for len(p) > 0 {
		n := len(p)
		if chop > 0 {
			n = min(chop, n)
		}
		if _, err := c.Write(p[:n]); err != nil {
			return
		}
		p = p[n:]
	}
}

// upgrade sends a request for a WebSocket with the headers changed: "Name: value"
// replaces, "Name:" removes, "+Name: value" adds one more.
func (c *conn) upgrade(line string, changes ...string) *http.Response {
	c.t.Helper()
	headers := []string{
		"Host: " + c.RemoteAddr().String(), "Origin: http://" + c.RemoteAddr().String(),
		"Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
	}
	for _, change := range changes {
		if more, ok := strings.CutPrefix(change, "+"); ok {
			headers = append(headers, more)
			continue
		}
		name, value, _ := strings.Cut(change, ":")
		var kept []string
		for _, h := range headers {
			if old, _, _ := strings.Cut(h, ":"); !strings.EqualFold(old, name) {
				kept = append(kept, h)
			}
		}
		if headers = kept; value != "" {
			headers = append(headers, change)
		}
	}
	if line == "" {
		line = "GET /session/websocket HTTP/1.1"
	}
	c.write([]byte(line+"\r\n"+strings.Join(headers, "\r\n")+"\r\n\r\n"), 0)
	resp, err := http.ReadResponse(c.r, &http.Request{Method: "GET"})
	if err != nil {
		c.t.Fatalf("the answer to the handshake: %v", err)
	}
	return resp
}

// read returns the next frame of the proxy, which must be in good form. The error is
// that of the connection.
func (c *conn) read() (opcode byte, payload []byte, err error) {
	var head [10]byte
	if _, err := io.ReadFull(c.r, head[:2]); err != nil {
		return 0, nil, err
	}
	size, wide := uint64(head[1]), 0
	switch size {
	case 126:
		wide = 2
	case 127:
		wide = 8
	}
	if _, err := io.ReadFull(c.r, head[2:2+wide]); err != nil {
		return 0, nil, err
	}
	switch wide {
	case 2:
		size = uint64(binary.BigEndian.Uint16(head[2:]))
	case 8:
		size = binary.BigEndian.Uint64(head[2:])
	}
	opcode = head[0] & 0x0f
	var bad string
	switch {
	case head[0]&0x70 != 0:
		bad = "has reserved bits"
	case head[1]&0x80 != 0:
		bad = "is masked"
	case wide == 2 && size < 126 || wide == 8 && size < 1<<16:
		bad = "has a length that is not in its shortest form"
	case size > 2<<20:
		bad = "is very large"
	case opcode != binaryData && opcode != closing && opcode != ping && opcode != pong:
		bad = "has an opcode that the proxy has no use for"
	case head[0]&fin == 0:
		bad = "is a fragment"
	case opcode >= closing && size > 125:
		bad = "is a control frame of more than 125 bytes"
	case opcode == closing && size == 1:
		bad = "is a close frame of one byte"
	}
	if bad != "" {
		c.t.Fatalf("the frame %x of the proxy %s", head[:2+wide], bad)
	}
	payload = make([]byte, size)
	if _, err := io.ReadFull(c.r, payload); err != nil {
		return 0, nil, fmt.Errorf("inside a frame: %w", err)
	}
	return opcode, payload, nil
}
