package csp

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
)

// pairs are the two characters of URL-safe base64 for each 12 bits, as they lie in
// memory.
var pairs = func() (t [1 << 12]uint16) {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range t {
		t[i] = binary.LittleEndian.Uint16([]byte{digits[i>>6], digits[i&63]})
	}
	return t
}()

// appendBase64 appends p in URL-safe base64 without padding. It is what most of the time
// of a text transport goes into, and twice as fast as package base64: it looks up two
// characters at a time.
func appendBase64(dst, p []byte) []byte {
	dst = slices.Grow(dst, base64.RawURLEncoding.EncodedLen(len(p)))
	out := dst[len(dst):cap(dst)]
	whole := len(p) / 6 * 6
	to := 0
	for at := 0; at+8 <= len(p) && at < whole; at, to = at+6, to+8 {
		v := binary.BigEndian.Uint64(p[at:]) // the last two bytes belong to the next round
		binary.LittleEndian.PutUint64(out[to:],
			uint64(pairs[v>>52])|uint64(pairs[v>>40&0xfff])<<16|uint64(pairs[v>>28&0xfff])<<32|uint64(pairs[v>>16&0xfff])<<48)
	}
	dst = dst[:len(dst)+to]
	return base64.RawURLEncoding.AppendEncode(dst, p[to/8*6:])
}
