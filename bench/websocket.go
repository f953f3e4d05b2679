package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
)

// opcodes of RFC 6455
const (
	opText   = 1
	opBinary = 2
	opClose  = 8
	opPing   = 9
	opPong   = 10
)

// dialWS speaks bare WebSocket: a message is bytes of the stream.
func dialWS(n *network, u *url.URL) dialer {
	return func() (stream, error) { return openWS(n, u, "") }
}

// wsConn is a WebSocket client. A library's would cost more than some of the proxies
// measured; this one reads payload straight into the caller's buffer and reuses masked
// frames, so that it adds little to TCP.
type wsConn struct {
	c    *countedConn
	br   *bufio.Reader
	left int64 // payload of the current frame that was not read
	op   byte  // of the frames that Write sends

	mu       sync.Mutex
	out      []byte
	room     [128]byte // for out, while it is short
	repeated []byte    // masked frames, for Repeat
	of       []byte    // what they hold
	times    int
}

// openWS connects; headers are further lines of the request.
func openWS(n *network, u *url.URL, headers string) (*wsConn, error) {
	c, err := n.dial(n.client(), u.Host)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n", u.RequestURI(), u.Host, headers)
	br := bufio.NewReaderSize(c, 16<<10)
	resp, err := http.ReadResponse(br, nil)
	if err == nil && resp.StatusCode != http.StatusSwitchingProtocols {
		err = fmt.Errorf("websocket upgrade: %s", resp.Status)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	w := &wsConn{c: c, br: br, op: opBinary}
	w.out = w.room[:0]
	return w, nil
}

// next reads frame headers up to that of a data frame, answering pings.
func (w *wsConn) next() (op byte, err error) {
	for {
		var h [10]byte
		if _, err = io.ReadFull(w.br, h[:2]); err != nil {
			return 0, err
		}
		n := int64(h[1] & 0x7f)
		switch n {
		case 126:
			if _, err = io.ReadFull(w.br, h[2:4]); err != nil {
				return 0, err
			}
			n = int64(binary.BigEndian.Uint16(h[2:]))
		case 127:
			if _, err = io.ReadFull(w.br, h[2:10]); err != nil {
				return 0, err
			}
			n = int64(binary.BigEndian.Uint64(h[2:]))
		}
		if op = h[0] & 15; op < opClose {
			w.left = n
			return op, nil
		}
		body := make([]byte, n)
		if _, err = io.ReadFull(w.br, body); err != nil {
			return 0, err
		}
		switch op {
		case opClose:
			return 0, io.EOF
		case opPing:
			if err = w.writeFrame(opPong, body); err != nil {
				return 0, err
			}
		}
	}
}

// Read reads payload.
func (w *wsConn) Read(p []byte) (int, error) {
	for w.left == 0 {
		if _, err := w.next(); err != nil {
			return 0, err
		}
	}
	if int64(len(p)) > w.left {
		p = p[:w.left]
	}
	n, err := w.br.Read(p)
	w.left -= int64(n)
	return n, err
}

// ReadByte reads one byte of payload.
func (w *wsConn) ReadByte() (byte, error) {
	for w.left == 0 {
		if _, err := w.next(); err != nil {
			return 0, err
		}
	}
	w.left--
	return w.br.ReadByte()
}

// Discard drops n bytes of payload.
func (w *wsConn) Discard(n int) (dropped int, err error) {
	for dropped < n && err == nil {
		if w.left == 0 {
			_, err = w.next()
			continue
		}
		var part int
		part, err = w.br.Discard(int(min(int64(n-dropped), w.left)))
		dropped += part
		w.left -= int64(part)
	}
	return dropped, err
}

// readMessage appends a data frame to buf; the peers here do not fragment.
func (w *wsConn) readMessage(buf []byte) ([]byte, byte, error) {
	op, err := w.next()
	if err != nil {
		return nil, 0, err
	}
	at, n := len(buf), int(w.left)
	if cap(buf) < at+n {
		buf = append(make([]byte, 0, at+n), buf...)
	}
	buf = buf[:at+n]
	_, err = io.ReadFull(w.br, buf[at:])
	w.left = 0
	return buf, op, err
}

// Write sends p as one message.
func (w *wsConn) Write(p []byte) (int, error) { return len(p), w.writeFrame(w.op, p) }

func (w *wsConn) writeFrame(op byte, p []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out = appendFrame(w.out[:0], op, p)
	_, err := w.c.Write(w.out)
	return err
}

// writeParts sends a message of two parts.
func (w *wsConn) writeParts(op byte, head, body []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out = appendFrame(w.out[:0], op, head, body)
	_, err := w.c.Write(w.out)
	return err
}

// writeRaw sends frames that are complete.
func (w *wsConn) writeRaw(frames []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err := w.c.Write(frames)
	return err
}

// Repeat implements repeater.
func (w *wsConn) Repeat(p []byte, n int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !same(w.of, p) || w.times != n {
		w.repeated, w.of, w.times = nil, p, n
		for range n {
			w.repeated = appendFrame(w.repeated, w.op, p)
		}
	}
	_, err := w.c.Write(w.repeated)
	return err
}

// closeWith sends a last message and ends the connection without a closing handshake.
func (w *wsConn) closeWith(op byte, p []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out = appendFrame(w.out[:0], op, p)
	w.c.last(w.out)
	return w.c.Close()
}

// Close ends the connection without a closing handshake.
func (w *wsConn) Close() error { return w.c.Close() }

var maskKey = [8]byte{0x37, 0xfa, 0x21, 0x3d, 0x37, 0xfa, 0x21, 0x3d}

// appendFrame appends a whole message as a client sends it.
func appendFrame(b []byte, op byte, parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	switch {
	case n < 126:
		b = append(b, 0x80|op, 0x80|byte(n))
	case n < 1<<16:
		b = append(b, 0x80|op, 0x80|126, byte(n>>8), byte(n))
	default:
		b = append(b, 0x80|op, 0x80|127)
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	b = append(b, maskKey[:4]...)
	at := len(b)
	for _, p := range parts {
		b = append(b, p...)
	}
	unmask(b[at:], binary.LittleEndian.Uint32(maskKey[:]))
	return b
}
