// Package buffer holds the pooled byte buffers that carry bytes through the
// proxy: read from a backend, framed in place, kept until acknowledged, written
// to a link, without being copied in between. It imports nothing of ours.
//
// A Buffer is counted: who stores one keeps a reference, who is done with it
// calls Release. A parked goroutine holds none.
package buffer

import (
	"fmt"
	"math/bits"
	"sync/atomic"
)

// Headroom is the space kept free in front of the content of a new Buffer, so
// that every layer can put its header there (a DATA frame needs at most 13
// bytes, a DATA record 5).
const Headroom = 24

// Max is the largest content that one pooled Buffer holds.
const Max = 1<<maxShift - Headroom

// Pooled arrays have sizes 2^minShift, 2^(minShift+1) ... 2^maxShift. A Buffer is
// kept until it is acknowledged, so a short message must not hold a large array.
const minShift, maxShift = 8, 16

var pools [maxShift - minShift + 1]stock

// class returns the index of the smallest pool for n bytes of content, or -1.
func class(n int) int {
	if n > Max {
		return -1
	}
	return max(bits.Len(uint(n+Headroom-1))-minShift, 0)
}

// Fitting returns the most content that fits into the pooled array for n bytes of it.
func Fitting(n int) int {
	c := class(n)
	if c < 0 {
		return n
	}
	return 1<<(minShift+c) - Headroom
}

// Buffer is a byte array with a used part. The zero value is not usable; call Get.
type Buffer struct {
	array      []byte
	start, end int
	refs       atomic.Int32
	class      int8 // index into pools, -1 when not pooled
}

// Get returns a Buffer with room for at least n bytes after its headroom, with
// no content and one reference. Above Max it is allocated and not pooled.
func Get(n int) *Buffer {
	c := class(n)
	var b *Buffer
	if c < 0 {
		b = &Buffer{array: make([]byte, n+Headroom), class: -1}
	} else if b = pools[c].get(); b == nil {
		b = &Buffer{array: make([]byte, 1<<(minShift+c)), class: int8(c)}
	}
	b.start, b.end = Headroom, Headroom
	b.refs.Store(1)
	return b
}

// Copy returns a Buffer that holds a copy of p.
func Copy(p []byte) *Buffer {
	b := Get(len(p))
	b.Append(p)
	return b
}

// Retain adds a reference.
func (b *Buffer) Retain() { b.refs.Add(1) }

// Release drops a reference. After the last one the Buffer must not be used.
func (b *Buffer) Release() {
	switch n := b.refs.Add(-1); {
	case n > 0:
	case n < 0:
		panic("buffer: released more often than retained")
	case b.class >= 0:
		pools[b.class].put(b)
	}
}

// Bytes returns the content. It is valid as long as the reference.
func (b *Buffer) Bytes() []byte { return b.array[b.start:b.end] }

// Len returns the number of content bytes.
func (b *Buffer) Len() int { return b.end - b.start }

// Size returns the number of bytes that the Buffer takes, whatever its content.
func (b *Buffer) Size() int { return len(b.array) }

// Room returns the unused space behind the content, for reading into; Extend
// then makes what was read part of the content.
func (b *Buffer) Room() []byte { return b.array[b.end:] }

// Extend makes the next n bytes of Room part of the content.
func (b *Buffer) Extend(n int) {
	if n < 0 || b.end+n > len(b.array) {
		panic(fmt.Sprintf("buffer: extend by %d of %d", n, len(b.array)-b.end))
	}
	b.end += n
}

// Append adds p to the content. It panics when Room is too small.
func (b *Buffer) Append(p []byte) { b.Extend(copy(b.array[b.end:b.end+len(p)], p)) }

// Prepend puts p in front of the content. It panics when the headroom is used up.
func (b *Buffer) Prepend(p []byte) {
	if len(p) > b.start {
		panic(fmt.Sprintf("buffer: prepend %d bytes to a headroom of %d", len(p), b.start))
	}
	b.start -= copy(b.array[b.start-len(p):], p)
}

// Trim removes the first n bytes of the content, giving them back to the headroom.
func (b *Buffer) Trim(n int) {
	if n < 0 || n > b.Len() {
		panic(fmt.Sprintf("buffer: trim %d of %d", n, b.Len()))
	}
	b.start += n
}

// Truncate removes all but the first n bytes of the content.
func (b *Buffer) Truncate(n int) {
	if n < 0 || n > b.Len() {
		panic(fmt.Sprintf("buffer: truncate %d to %d", b.Len(), n))
	}
	b.end = b.start + n
}

// Fit returns b, or a smaller Buffer with the same content (releasing b) when a
// smaller array is enough, to be called before a Buffer is kept for long.
func (b *Buffer) Fit() *Buffer {
	// A header in the headroom can make the content larger than Max.
	if c := class(b.Len()); c < 0 || c >= int(b.class) {
		return b
	}
	small := Copy(b.Bytes())
	b.Release()
	return small
}
