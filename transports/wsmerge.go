package transports

import (
	"encoding/binary"

	"encke/csp"
)

// frameMerger makes one WebSocket message of small ones that arrive together, before
// the WebSocket library sees them: each message costs the library a microsecond, the
// session a delivery and the backend a write, whatever is in it. Merged are messages
// in one frame with exactly one DATA record. Records need no message borders, so what
// they mean does not change. It comes behind the frameGuard, which sees every frame
// as it arrived. The zero value is ready to use.
type frameMerger struct {
	left  uint64   // payload of the frame under way that is still to come
	carry [13]byte // the incomplete header that came last
	have  int      // bytes of carry
}

// wsFrame is the header of a frame.
type wsFrame struct {
	head int    // its length
	size uint64 // of the payload
	mask uint32 // little-endian
}

// parseFrame reads the header at the start of p, masked as the guard has found it. It
// reports false when p ends inside it.
func parseFrame(p []byte) (f wsFrame, ok bool) {
	if len(p) < 2 {
		return f, false
	}
	f.head, f.size = 6, uint64(p[1]&0x7f)
	switch {
	case f.size == 126:
		f.head = 8
	case f.size == 127:
		f.head = 14
	}
	if len(p) < f.head {
		return f, false
	}
	switch f.head {
	case 8:
		f.size = uint64(binary.BigEndian.Uint16(p[2:]))
	case 14:
		f.size = binary.BigEndian.Uint64(p[2:])
	}
	f.mask = binary.LittleEndian.Uint32(p[f.head-4:])
	return f, true
}

// binaryFrame is the first byte of a binary message in one frame.
const binaryFrame = 0x82

// mergeable reports whether the frame f at the start of p is all there and a message
// with one DATA record.
func (f *wsFrame) mergeable(p []byte) bool {
	if p[0] != binaryFrame || f.size < 2 || f.size > uint64(len(p)-f.head) {
		return false
	}
	var start [4]byte // a type and as much of the length as a frame of 64 KiB can have
	n := copy(start[:min(f.size, 4)], p[f.head:])
	binary.LittleEndian.PutUint32(start[:], binary.LittleEndian.Uint32(start[:])^f.mask)
	size, width := csp.Uvarint(start[1:n])
	return start[0] == byte(csp.Data) && width > 0 && 1+uint64(width)+size == f.size
}

// merge merges what it can of p, which follows on what it was given before, in place.
// It returns what the library gets of it and keeps an incomplete header for the next
// time: then rest tells what p must begin with.
func (m *frameMerger) merge(p []byte) []byte {
	m.have = 0
	done, at := 0, 0 // p[:done] is for the library, p[at:] was not looked at
	pass := func(n int) {
		if done != at {
			copy(p[done:], p[at:at+n])
		}
		done, at = done+n, at+n
	}
	for at < len(p) {
		if m.left > 0 {
			n := int(min(m.left, uint64(len(p)-at)))
			m.left -= uint64(n)
			pass(n)
			continue
		}
		f, ok := parseFrame(p[at:])
		if !ok {
			m.have = copy(m.carry[:], p[at:])
			break
		}
		if next, ok := f.behind(p[at:]); ok {
			done, at = pack(p, done, at, f, next)
			continue
		}
		m.left = f.size
		pass(f.head)
	}
	return p[:done]
}

// rest is what must be in front of the next bytes.
func (m *frameMerger) rest() []byte { return m.carry[:m.have] }

// passed notes n bytes that went to the library without merge: payload of one frame.
func (m *frameMerger) passed(n int) { m.left -= min(m.left, uint64(n)) }

// behind returns the frame behind f, which is at the start of p, if the two can be merged.
func (f *wsFrame) behind(p []byte) (next wsFrame, ok bool) {
	if !f.mergeable(p) {
		return next, false
	}
	p = p[f.head+int(f.size):]
	next, ok = parseFrame(p)
	return next, ok && next.mergeable(p)
}

// pack makes one frame at p[done], with a mask of zeros, of f at p[at], next, which is
// the one behind it, and those that follow as long as they can be merged. It returns the
// ends of what it has written and read. The new header is at most two bytes longer than
// that of f, and the one of next is at least six: nothing is written over that was not read.
func pack(p []byte, done, at int, f, next wsFrame) (written, read int) {
	const head = 8
	to := done + head
	for frames := 1; ; frames++ {
		from, size := at+f.head, int(f.size)
		at = from + size
		mask, more := f.mask, false
		if frames == 1 {
			copy(p[to:], p[from:at])
			from, f, more = to, next, true
		} else if f, more = parseFrame(p[at:]); more {
			more = frames < csp.MaxPackets && f.mergeable(p[at:])
		}
		unmask(p[to:to+size], p[from:from+size], mask)
		if to += size; !more {
			break
		}
	}
	clear(p[done : done+head])
	p[done], p[done+1] = binaryFrame, 0x80|126
	binary.BigEndian.PutUint16(p[done+2:], uint16(to-done-head))
	return to, at
}

// unmask writes to dst, which may be src or begin before it, src without its mask. src
// begins a payload.
func unmask(dst, src []byte, mask uint32) {
	k := uint64(mask)<<32 | uint64(mask)
	for len(src) >= 8 && len(dst) >= 8 {
		binary.LittleEndian.PutUint64(dst, binary.LittleEndian.Uint64(src)^k)
		dst, src = dst[8:], src[8:]
	}
	for i, b := range src {
		dst[i] = b ^ byte(k>>(8*i))
	}
}
