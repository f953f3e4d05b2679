package integration

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"
)

const (
	rfbName   = "a desk of one colour"
	rfbSize   = 64
	rfbColour = "17,119,204"
)

// rfb is a VNC server (RFC 6143) with a desktop of one colour. It tells what clients type
// and paste.
type rfb struct {
	addr string
	said chan string
}

func startRFB(t *testing.T) *rfb {
	t.Helper()
	v := &rfb{said: make(chan string, 100)}
	v.addr = listenFor(t, v.serve)
	return v
}

// listenFor serves connections until t ends, each with serve.
func listenFor(t *testing.T, serve func(*bufio.ReadWriter) error) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			rw := bufio.NewReadWriter(bufio.NewReader(conn), bufio.NewWriter(conn))
			if err := serve(rw); err != nil && err != io.EOF {
				t.Errorf("the server: %v", err)
			}
			conn.Close()
		}
	}()
	t.Cleanup(func() { ln.Close(); <-done })
	return ln.Addr().String()
}

// serve serves one client.
func (v *rfb) serve(c *bufio.ReadWriter) error {
	take := func(n int) []byte {
		p := make([]byte, n)
		_, _ = io.ReadFull(c, p) // the next one tells
		return p
	}
	say := func(parts ...any) error {
		for _, part := range parts {
			if err := binary.Write(c, binary.BigEndian, part); err != nil {
				return err
			}
		}
		return c.Flush()
	}
	if err := say([]byte("RFB 003.008\n")); err != nil {
		return err
	}
	if version := string(take(12)); version != "RFB 003.008\n" {
		return fmt.Errorf("version %q", version)
	}
	_ = say([]byte{1, 1}) // no authentication
	take(1)
	_ = say(uint32(0))
	take(1) // shared
	format := []byte{32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0}
	if err := say(uint16(rfbSize), uint16(rfbSize), format, uint32(len(rfbName)), []byte(rfbName)); err != nil {
		return err
	}
	for {
		kind, err := c.ReadByte()
		if err != nil {
			return err
		}
		switch kind {
		case 0: // SetPixelFormat
			format = take(19)[3:]
		case 2: // SetEncodings
			take(4 * int(binary.BigEndian.Uint16(take(3)[1:])))
		case 3: // FramebufferUpdateRequest
			if take(9)[0] == 0 {
				if err := say(v.update(format)...); err != nil {
					return err
				}
			}
		case 4: // KeyEvent
			p := take(7)
			how := "up"
			if p[0] == 1 {
				how = "down"
			}
			v.said <- fmt.Sprintf("key %d %s", binary.BigEndian.Uint32(p[3:]), how)
		case 5: // PointerEvent
			take(5)
		case 6: // ClientCutText
			v.said <- "text " + string(take(int(binary.BigEndian.Uint32(take(7)[3:]))))
		default:
			return fmt.Errorf("message of type %d", kind)
		}
	}
}

// update is the whole desktop, not compressed.
func (v *rfb) update(format []byte) []any {
	var r, g, b uint32
	fmt.Sscanf(rfbColour, "%d,%d,%d", &r, &g, &b)
	pixel := binary.LittleEndian.AppendUint32(nil, r<<format[10]|g<<format[11]|b<<format[12])
	var all []byte
	for range rfbSize * rfbSize {
		all = append(all, pixel...)
	}
	return []any{uint8(0), uint8(0), uint16(1), uint16(0), uint16(0), uint16(rfbSize), uint16(rfbSize), int32(0), all}
}
