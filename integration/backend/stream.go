package backend

import "fmt"

// A stream is an endless pseudo-random byte sequence that is chosen by a key and
// can be computed at any position: byte p is byte p%4 (little endian) of the mixed word
// p/4. The pages compute the same.

// word returns the four bytes at position 4*i of the stream with this key.
func word(key, i uint32) uint32 {
	x := key*0x9e3779b9 + i
	x ^= x >> 16
	x *= 0x21f0aaad
	x ^= x >> 15
	x *= 0x735a2d97
	x ^= x >> 15
	return x
}

// Fill sets p to the bytes of stream key from position pos on.
func Fill(p []byte, key uint32, pos int64) {
	for len(p) > 0 {
		w := word(key, uint32(pos/4))
		for k := pos % 4; k < 4 && len(p) > 0; k++ {
			p[0] = byte(w >> (8 * k))
			p = p[1:]
			pos++
		}
	}
}

// Check reports the first place where p differs from stream key at position pos.
func Check(p []byte, key uint32, pos int64) error {
	want := make([]byte, len(p))
	Fill(want, key, pos)
	for i := range p {
		if p[i] != want[i] {
			return fmt.Errorf("stream %d: byte %d is %#02x, want %#02x%s", key, pos+int64(i), p[i], want[i], whence(p[i:], key, pos+int64(i)))
		}
	}
	return nil
}

// whence says which part of the stream p is instead, if it is one near pos.
func whence(p []byte, key uint32, pos int64) string {
	const sample, reach = 16, 4 << 20
	if len(p) < sample {
		return ""
	}
	want := make([]byte, sample)
	for distance := int64(1); distance < reach; distance++ {
		for _, from := range []int64{pos - distance, pos + distance} {
			if from < 0 {
				continue
			}
			if Fill(want, key, from); string(want) == string(p[:sample]) {
				return fmt.Sprintf(" (these are the bytes of position %d)", from)
			}
		}
	}
	return ""
}
