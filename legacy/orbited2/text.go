package orbited2

import "unicode/utf8"

// text makes whole characters of a stream that is cut anywhere.
type text struct {
	rest [utf8.UTFMax]byte // the beginning of a character
	n    int               // bytes of rest
}

// append appends p to dst, but for a character that may go on. What is no UTF-8 becomes
// U+FFFD.
func (t *text) append(dst, p []byte) []byte {
	if t.n > 0 {
		p = append(t.rest[:t.n:t.n], p...)
		t.n = 0
	}
	for len(p) > 0 {
		if !utf8.FullRune(p) {
			t.n = copy(t.rest[:], p)
			break
		}
		r, size := utf8.DecodeRune(p)
		dst = utf8.AppendRune(dst, r)
		p = p[size:]
	}
	return dst
}

// end appends what is left at the end of the stream.
func (t *text) end(dst []byte) []byte {
	if t.n > 0 {
		dst = utf8.AppendRune(dst, utf8.RuneError)
	}
	t.n = 0
	return dst
}
