package hostile

import (
	"bufio"
	"encoding/base64"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"encke/tcpsocket"
)

// TestNothingRunsInAFrameOrScript: what a page sends through a backend that echoes, and
// what it asks for, comes back in a frame, script or stream only as harmless text.
func TestNothingRunsInAFrameOrScript(t *testing.T) {
	r := newRig(t)
	const target = "<img src=x onerror=eViL>"
	const payload = "</i><b></b><script>eViL()</script><!--\u2028\u2029&lt;]]>');alert(1)//\"\\\r\n\r\ndata: eViL\x00"
	var frames []byte
	for _, f := range []tcpsocket.Frame{
		{Type: tcpsocket.Open, Socket: 1, N: 1 << 16, Host: []byte(target), Port: 80}, // is refused with a text that quotes it
		{Type: tcpsocket.Open, Socket: 2, N: 1 << 16, Host: []byte(r.backend.Host()), Port: uint64(r.backend.Port())},
		{Type: tcpsocket.Data, Socket: 2, Data: []byte(payload)},
	} {
		frames = f.Append(frames)
	}
	for _, e := range those(func(e endpoint) bool { return e.holds() && !e.binary() }) {
		t.Run(e.name, func(t *testing.T) {
			id, _ := r.send(t, listed, fresh()+seq(1)+data(string(frames)))
			wire, stream := e.collect(t, r, id, func(stream string) bool {
				return strings.Contains(stream, target) && strings.Contains(stream, payload)
			})
			if !strings.Contains(stream, payload) {
				t.Errorf("the echo did not come back: %q", stream)
			}
			for _, raw := range []string{mark, "</i><b></b><script", "<img", "<!--", "\u2028", "\u2029", "alert(1)", "\x00"} {
				if strings.Contains(wire, raw) {
					t.Errorf("%q is in the answer: %q", raw, wire)
				}
			}
		})
	}
}

// packet is one in the text encoding; ours always hold a frame's bytes, so base64.
var packet = regexp.MustCompile(`\[([0-9]+),([01]),"([^"]*)"\]`)

// collect makes downlinks of the session until the stream it brings is enough. It
// returns all bodies, and the stream in them.
func (e endpoint) collect(t *testing.T, r *rig, id string, enough func(stream string) bool) (wire, stream string) {
	t.Helper()
	var have uint64
	for !enough(stream) {
		conn, err := net.Dial("tcp", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(patience))
		if _, err := conn.Write(e.plain(r, resume(id, have)).bytes()); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		before, body := stream, ""
		buf := make([]byte, 4096)
		for err == nil && !enough(stream) {
			var n int
			n, err = resp.Body.Read(buf)
			body += string(buf[:n])
			stream = before
			for _, p := range packet.FindAllStringSubmatch(body, -1) {
				bytes, err := base64.RawURLEncoding.DecodeString(p[3])
				if p[2] != "1" || err != nil {
					t.Fatalf("packet %v: %v", p, err)
				}
				stream += string(bytes)
				have, _ = strconv.ParseUint(p[1], 10, 64)
			}
		}
		wire += body
		if ne, ok := err.(net.Error); ok && ne.Timeout() {
			t.Fatalf("only this came: %q", wire)
		}
	}
	return wire, stream
}
