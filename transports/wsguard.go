package transports

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"encke/csp"
)

// maxControl is how many ping and pong frames a client may send in a second;
// browsers send none unasked. Each ping is answered, and the answers wait while the
// client takes nothing.
const maxControl = 100

// maxFrames is how many frames a message may consist of. Without a bound, frames
// of no length would keep us busy with a message that never ends.
const maxFrames = 4096

// violation is why a WebSocket is closed that breaks RFC 6455 or a bound on its
// frames. It ends the link only: its session waits for the next one.
type violation struct {
	code websocket.StatusCode
	text string
}

func (v *violation) Error() string {
	return fmt.Sprintf("WebSocket closed with %d: %s", v.code, v.text)
}

// frameGuard follows the frames a client sends, before the WebSocket library takes
// them, and finds what the library lets pass: frames without a mask, lengths that
// are not in their shortest form, a close reason that is no UTF-8, too many frames,
// and a message that is going to be too large. Reserved bits, opcodes, the order of fragments, the form of control
// frames and close codes are the library's. The zero value is ready to use.
type frameGuard struct {
	head   [14]byte
	have   int    // bytes of head
	left   uint64 // bytes of the payload that are still to come
	frames int    // of the message under way
	size   uint64 // of the message under way, as announced
	close  []byte // unmasked payload of a close frame so far
	bye    bool   // a close frame began: what follows it does not count
	bad    error  // once found

	controls     int // since controlSince
	controlSince time.Duration
}

// check follows the bytes p and returns how many of them the library may have. When
// those are fewer than all, or there was a violation before, it returns the violation.
func (g *frameGuard) check(p []byte, now time.Duration) (int, error) {
	if g.bad != nil {
		return 0, g.bad
	}
	for at := 0; at < len(p); {
		if g.bye && g.left == 0 && g.have == 0 {
			return len(p), nil
		}
		var n int
		if g.left > 0 {
			n = int(min(g.left, uint64(len(p)-at)))
			g.bad = g.payload(p[at : at+n])
		} else if n = g.whole(p[at:]); n > 0 {
			g.bad = g.count(p[at], now)
		} else {
			n = 1
			g.bad = g.header(p[at], now)
		}
		if g.bad != nil {
			return at, g.bad
		}
		at += n
	}
	return len(p), nil
}

// whole takes the header of a short frame, if p begins with one that is whole and
// masked, and returns its length, else 0. Nearly all frames are short, and byte by byte
// they would cost more here than all else does.
func (g *frameGuard) whole(p []byte) int {
	const head = 6
	if g.have > 0 || len(p) < head || p[1]&0x80 == 0 || p[1]&0x7f > 125 {
		return 0
	}
	g.left = uint64(p[1] & 0x7f)
	copy(g.head[:4], p[2:head]) // the mask
	return head
}

// header takes one more byte of a frame's header.
func (g *frameGuard) header(b byte, now time.Duration) error {
	g.head[g.have] = b
	g.have++
	if g.have < 2 {
		return nil
	}
	size, wide := uint64(g.head[1]&0x7f), 0 // wide: bytes of an extended length
	switch size {
	case 126:
		wide = 2
	case 127:
		wide = 8
	}
	if g.have == 2 && g.head[1]&0x80 == 0 {
		return &violation{websocket.StatusProtocolError, "frame without a mask"}
	}
	switch wide {
	case 2:
		size = uint64(binary.BigEndian.Uint16(g.head[2:]))
	case 8:
		size = binary.BigEndian.Uint64(g.head[2:])
	}
	switch {
	case g.have == 2+wide && (wide == 2 && size < 126 || wide == 8 && size < 1<<16):
		return &violation{websocket.StatusProtocolError, "frame length not in its shortest form"}
	case g.have == 2+wide && size >= 1<<63:
		return &violation{websocket.StatusProtocolError, "frame length above 2^63-1"}
	case g.have < 2+wide+4:
		return nil
	}
	g.have = 0
	g.left = size
	first := g.head[0]
	copy(g.head[:4], g.head[2+wide:]) // the mask
	return g.count(first, now)
}

// count bounds the number of frames. first is the first byte of the frame; the rest
// of the header was taken.
func (g *frameGuard) count(first byte, now time.Duration) error {
	switch opcode := first & 0x0f; opcode {
	case 0, 1, 2:
		if opcode != 0 {
			g.frames, g.size = 0, 0
		}
		if g.size += g.left; g.size > csp.MaxBody {
			return &violation{websocket.StatusMessageTooBig, "message of more than 1 MiB"}
		}
		if g.frames++; g.frames > maxFrames {
			return &violation{websocket.StatusPolicyViolation, "too many frames in a message"}
		}
	case 8:
		g.bye = true
	case 9, 10:
		if now-g.controlSince > time.Second {
			g.controlSince, g.controls = now, 0
		}
		if g.controls++; g.controls > maxControl {
			return &violation{websocket.StatusPolicyViolation, "too many control frames"}
		}
	}
	return nil
}

// payload takes the next bytes of a frame's payload.
func (g *frameGuard) payload(p []byte) error {
	g.left -= uint64(len(p))
	if !g.bye || uint64(len(g.close)+len(p))+g.left > 125 { // the library refuses a longer one
		return nil
	}
	for _, b := range p {
		g.close = append(g.close, b^g.head[len(g.close)%4])
	}
	if g.left == 0 && len(g.close) > 2 && !utf8.Valid(g.close[2:]) {
		return &violation{websocket.StatusInvalidFramePayloadData, "close reason is not UTF-8"}
	}
	return nil
}

// refuseText reads a text message, which no client of ours sends, to its end or to
// the first byte that is not UTF-8, and returns the violation that it is.
func refuseText(r io.Reader) error {
	var buf [512]byte
	have := 0 // bytes of a character that is not complete
	for {
		n, err := r.Read(buf[have:])
		p := buf[:have+n]
		for len(p) > 0 {
			c, size := utf8.DecodeRune(p)
			if c == utf8.RuneError && size == 1 {
				if utf8.FullRune(p) {
					return notUTF8
				}
				break
			}
			p = p[size:]
		}
		have = copy(buf[:], p)
		switch {
		case err == io.EOF && have > 0:
			return notUTF8
		case err == io.EOF:
			return &violation{websocket.StatusUnsupportedData, "text message"}
		case err != nil:
			return err
		}
	}
}

var notUTF8 = &violation{websocket.StatusInvalidFramePayloadData, "text message is not UTF-8"}
