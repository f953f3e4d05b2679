package csp

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"encke/cause"
)

// MaxPackets is the largest number of packets in one body.
const MaxPackets = 1000

// ParseText calls f for each item of one batch in the text encoding; ids are in
// Record.ID. Data is encoded 0 or 1 as the item says; any other encoding, a wrong
// id, deeper nesting or text behind the batch is an error, and then f may have
// been called for the items before it.
func ParseText(src []byte, f func(*Record) error) error {
	p := textParser{src: src}
	p.expect('[')
	for items := 0; p.err == nil && !p.accept(']'); items++ {
		if items > 0 {
			p.expect(',')
		}
		if items >= MaxPackets {
			return cause.Limit.With("more than %d items in a batch", MaxPackets)
		}
		var r Record
		p.item(&r)
		if p.err != nil {
			break
		}
		if err := f(&r); err != nil {
			return err
		}
	}
	p.space()
	if p.err == nil && p.at != len(p.src) {
		p.fail("text behind the batch")
	}
	if p.err != nil {
		return p.err
	}
	return nil
}

// textParser is a cursor over JSON text that holds its first error.
type textParser struct {
	src []byte
	at  int
	err *cause.Error
}

func (p *textParser) fail(what string) {
	if p.err == nil {
		p.err = cause.ProtocolError.With("%s at byte %d of the batch", what, p.at)
	}
}

func (p *textParser) space() {
	for p.at < len(p.src) && strings.IndexByte(" \t\r\n", p.src[p.at]) >= 0 {
		p.at++
	}
}

// accept skips white space and c if it is next.
func (p *textParser) accept(c byte) bool {
	p.space()
	if p.err != nil || p.at >= len(p.src) || p.src[p.at] != c {
		return false
	}
	p.at++
	return true
}

func (p *textParser) expect(c byte) {
	if !p.accept(c) {
		p.fail("no '" + string(c) + "'")
	}
}

func (p *textParser) item(r *Record) {
	p.expect('[')
	if p.space(); p.at < len(p.src) && p.src[p.at] == '"' {
		p.control(r)
	} else {
		p.packet(r)
	}
	p.expect(']')
}

func (p *textParser) packet(r *Record) {
	r.Kind, r.ID = Data, p.number()
	if r.ID == 0 {
		p.fail("packet id 0")
	}
	p.expect(',')
	enc := p.number()
	p.expect(',')
	p.space()
	if p.err == nil && strings.HasPrefix(string(p.src[p.at:min(p.at+4, len(p.src))]), "null") {
		p.at += 4
		r.Kind = End
		return
	}
	switch enc {
	case 0:
		r.Data = p.text(true)
	case 1:
		r.Data = decodeBase64(p)
	default:
		p.fail("unknown packet encoding")
	}
}

// decodeBase64 reads base64 in either alphabet: the draft names the URL-safe one, some of
// its clients have the other.
func decodeBase64(p *textParser) []byte {
	s := p.text(false)
	for i, c := range s {
		switch c {
		case '+':
			s[i] = '-'
		case '/':
			s[i] = '_'
		case '\r', '\n': // DecodeString would skip them
			p.fail("wrong base64")
		}
	}
	trimmed := strings.TrimRight(string(s), "=")
	if pad := len(s) - len(trimmed); pad > 0 && len(s)%4 != 0 || pad > 2 {
		p.fail("wrong base64 padding")
	}
	out, err := base64.RawURLEncoding.Strict().DecodeString(trimmed)
	if err != nil {
		p.fail("wrong base64")
	}
	return out
}

func (p *textParser) control(r *Record) {
	switch name := string(p.text(false)); name {
	case "welcome":
		r.Kind = Welcome
		p.expect(',')
		r.Session = p.text(false)
		for _, v := range [...]*uint64{&r.ID, &r.Window, &r.Heartbeat} {
			p.expect(',')
			*v = p.number()
		}
	case "ack":
		r.Kind = Ack
		p.expect(',')
		r.ID = p.number()
	case "ping":
		r.Kind = Ping
	case "pong":
		r.Kind = Pong
	case "close":
		r.Kind = Close
		p.expect(',')
		r.Cause = p.number()
		p.expect(',')
		r.Retry = p.number()
		p.expect(',')
		r.Text = p.text(false)
	default:
		p.fail("unknown item")
	}
}

// number reads plain digits, no leading zero, at most MaxID.
func (p *textParser) number() uint64 {
	p.space()
	start, v := p.at, uint64(0)
	for p.at < len(p.src) && p.src[p.at]-'0' < 10 && p.at-start < 17 {
		v = v*10 + uint64(p.src[p.at]-'0')
		p.at++
	}
	if n := p.at - start; n == 0 || n > 16 || v > MaxID || n > 1 && p.src[start] == '0' {
		p.fail("no whole number")
		return 0
	}
	return v
}

// text reads a JSON string. With bytes set each character is one byte of the
// result, else the result is UTF-8.
func (p *textParser) text(bytes bool) []byte {
	p.expect('"')
	if p.err != nil {
		return nil
	}
	out := make([]byte, 0, min(len(p.src)-p.at, 64))
	for p.at < len(p.src) {
		c := p.src[p.at]
		switch {
		case c == '"':
			p.at++
			return out
		case c == '\\':
			r := p.escape()
			if p.err != nil {
				return nil
			}
			out = p.put(out, r, bytes)
		case c < 32:
			p.fail("control character in a string")
			return nil
		case c < utf8.RuneSelf:
			out = append(out, c)
			p.at++
		default:
			r, size := utf8.DecodeRune(p.src[p.at:])
			if r == utf8.RuneError && size == 1 {
				p.fail("not UTF-8")
				return nil
			}
			p.at += size
			out = p.put(out, r, bytes)
		}
	}
	p.fail("string without end")
	return nil
}

func (p *textParser) put(out []byte, r rune, bytes bool) []byte {
	if !bytes {
		return utf8.AppendRune(out, r)
	}
	if r > 0xff {
		p.fail("character above U+00FF in plain data")
		return out
	}
	return append(out, byte(r))
}

// escape reads a backslash escape and returns its character. A surrogate half
// becomes U+FFFD: nothing of ours needs characters outside the basic plane.
func (p *textParser) escape() rune {
	if p.at+1 >= len(p.src) {
		p.fail("string without end")
		return 0
	}
	c := p.src[p.at+1]
	p.at += 2
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
		return rune("\"\\/\b\f\n\r\t"[i])
	}
	if c != 'u' || p.at+4 > len(p.src) {
		p.fail("wrong escape")
		return 0
	}
	var r rune
	for _, h := range p.src[p.at : p.at+4] {
		i := strings.IndexByte(hexDigits, h|0x20)
		if i < 0 || h < '0' {
			p.fail("wrong escape")
			return 0
		}
		r = r<<4 | rune(i)
	}
	p.at += 4
	if r >= 0xd800 && r < 0xe000 {
		return utf8.RuneError
	}
	return r
}
