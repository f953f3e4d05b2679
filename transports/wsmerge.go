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
	mask [4]byte
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
	copy(f.mask[:], p[f.head-4:])
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
	for i := range n {
		start[i] ^= f.mask[i]
	}
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
		if frames, size := m.run(p[at:], f); frames > 1 {
			var end int
			done, end = pack(p, done, at, frames, size)
			at = end
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

// run returns how many mergeable frames p begins with, the first of them f, and the
// size of their payload.
func (m *frameMerger) run(p []byte, f wsFrame) (frames, size int) {
	for ok := true; ok && frames < csp.MaxPackets && f.mergeable(p); frames++ {
		size += int(f.size)
		p = p[f.head+int(f.size):]
		if f, ok = parseFrame(p); !ok {
			return frames + 1, size
		}
	}
	return frames, size
}

// pack makes the frames that begin at p[at] one frame at p[done] with a mask of zeros.
// It returns the ends of what it has written and read. The new header may be two bytes
// longer than the first one was, and the second one is at least six: nothing that is not yet read is written over.
func pack(p []byte, done, at, frames, size int) (written, read int) {
	head := 6
	if size > 125 {
		head = 8
	}
	to := done + head
	f, _ := parseFrame(p[at:])
	for i := range frames {
		from := at + f.head
		at = from + int(f.size)
		mask, n := f.mask, int(f.size)
		if i < frames-1 {
			f, _ = parseFrame(p[at:]) // before the payload may move over it
		}
		copy(p[to:], p[from:from+n])
		unmask(p[to:to+n], mask)
		to += n
	}
	clear(p[done : done+head])
	p[done], p[done+1] = binaryFrame, 0x80|byte(min(size, 126))
	if size > 125 {
		p[done+1] = 0x80 | 126
		binary.BigEndian.PutUint16(p[done+2:], uint16(size))
	}
	return to, at
}

// unmask takes the mask off p, which begins a payload.
func unmask(p []byte, mask [4]byte) {
	k := uint64(binary.LittleEndian.Uint32(mask[:]))
	k |= k << 32
	for len(p) >= 8 {
		binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^k)
		p = p[8:]
	}
	for i := range p {
		p[i] ^= mask[i%4]
	}
}
