package main

import (
	"encoding/binary"
	"sync/atomic"
)

// messageSize is the size of a small message in bytes.
const messageSize = 64

// payload is binary that does not compress, so text transports pay for their encoding.
var payload = func() []byte {
	p := make([]byte, 64<<10)
	for i := 0; i < len(p); i += 8 {
		binary.LittleEndian.PutUint64(p[i:], random())
	}
	return p
}()

var randomState atomic.Uint64

// random returns the next number of a sequence that is the same in every run
// (splitmix64).
func random() uint64 {
	z := randomState.Add(0x9e3779b97f4a7c15)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
