package csp

import (
	"strconv"
	"unicode/utf8"
)

// Text is the encoding of PROTOCOL.md section 4: the packets of the CSP draft as
// a JSON array without raw newlines, safe inside HTML and script.
var Text Encoding = textEncoding{}

type textEncoding struct{}

func (textEncoding) Append(dst []byte, b *Batch) []byte {
	dst = append(dst, '[')
	n := len(dst)
	item := func() {
		if len(dst) > n {
			dst = append(dst, ',')
		}
		dst = append(dst, '[')
	}
	if w := b.Welcome; w != nil {
		item()
		dst = append(dst, `"welcome",`...)
		dst = appendJSONText(dst, w.Session)
		for _, v := range [...]uint64{w.ID, w.Window, w.Heartbeat} {
			dst = append(dst, ',')
			dst = strconv.AppendUint(dst, v, 10)
		}
		dst = append(dst, ']')
	}
	if b.HasAck {
		item()
		dst = append(dst, `"ack",`...)
		dst = strconv.AppendUint(dst, b.Ack, 10)
		dst = append(dst, ']')
	}
	for range b.Pings {
		item()
		dst = append(dst, `"ping"]`...)
	}
	for range b.Pongs {
		item()
		dst = append(dst, `"pong"]`...)
	}
	for i := range b.Packets {
		item()
		dst = strconv.AppendUint(dst, b.First+uint64(i), 10)
		if b.Packets[i].IsEnd() {
			dst = append(dst, `,0,null]`...)
			continue
		}
		dst = appendTextData(dst, b.Packets[i].Payload())
		dst = append(dst, ']')
	}
	if e := b.Close; e != nil {
		item()
		dst = append(dst, `"close",`...)
		dst = strconv.AppendUint(dst, uint64(e.Code), 10)
		dst = append(dst, ',')
		dst = strconv.AppendInt(dst, int64(e.Retry), 10)
		dst = append(dst, ',')
		dst = appendJSONText(dst, []byte(e.Text))
		dst = append(dst, ']')
	}
	return append(dst, ']')
}

// appendTextData appends `,ENC,"DATA"`.
func appendTextData(dst, p []byte) []byte {
	for _, c := range p {
		if c < 32 || c > 126 {
			dst = append(dst, `,1,"`...)
			dst = appendBase64(dst, p)
			return append(dst, '"')
		}
	}
	dst = append(dst, `,0,`...)
	return appendJSONText(dst, p)
}

const hexDigits = "0123456789abcdef"

// appendJSONText appends p, UTF-8 text, as a JSON string that stays harmless when
// it is parsed as HTML or run as script.
func appendJSONText(dst, p []byte) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(p); {
		r, size := utf8.DecodeRune(p[i:])
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r < 32 || r == '<' || r == '>' || r == '&' || r == 127 || r == 0x2028 || r == 0x2029 || r == utf8.RuneError:
			dst = append(dst, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
		default:
			dst = append(dst, p[i:i+size]...)
		}
		i += size
	}
	return append(dst, '"')
}
