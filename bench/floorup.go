package main

import (
	"encoding/binary"
	"math/bits"
	"net"
)

// floorUp carries a page's frames to the backend, with s as a session's.
func floorUp(c, tcp *net.TCPConn, r *lazyReader, s *floorSession) {
	defer c.Close()
	defer tcp.Close()
	if s != nil {
		defer s.close()
	}
	u := unframer{c: c, s: s}
	for {
		b, p, err := r.read()
		if err != nil {
			return
		}
		packed, rest, ended := u.unframe(p)
		if packed > 0 {
			_, err = tcp.Write(p[:packed])
		}
		if s != nil {
			s.took(c, packed)
		}
		r.keep = append(r.keep[:0], rest...)
		floorPool.Put(b)
		if err != nil || ended {
			return
		}
	}
}

// unframer takes frames apart in place.
type unframer struct {
	c    *net.TCPConn
	s    *floorSession
	rem  uint64 // payload left of the current frame
	mask uint32 // rotated to the next byte of payload
}

// unframe unmasks all frames in p and packs their payload at its start. It returns how
// much that is, the incomplete header at the end of p, and whether the page closed.
func (u *unframer) unframe(p []byte) (packed int, src []byte, ended bool) {
	src = p
	for {
		if u.rem > 0 {
			n := int(min(u.rem, uint64(len(src))))
			u.mask = unmask(src[:n], u.mask)
			packed += copy(p[packed:], src[:n])
			src, u.rem = src[n:], u.rem-uint64(n)
		}
		if len(src) < 6 {
			return packed, src, false
		}
		n, h := uint64(src[1]&0x7f), 2
		if n == 126 && len(src) >= 8 {
			n, h = uint64(binary.BigEndian.Uint16(src[2:])), 4
		} else if n == 127 && len(src) >= 14 {
			n, h = binary.BigEndian.Uint64(src[2:]), 10
		} else if n > 125 {
			return packed, src, false
		}
		op := src[0] & 15
		if op >= opClose && uint64(len(src)) < uint64(h+4)+n || u.s != nil && op < opClose && len(src) < h+4+sessionHead {
			return packed, src, false
		}
		u.mask = binary.LittleEndian.Uint32(src[h:])
		src = src[h+4:]
		switch op {
		case opClose:
			return packed, nil, true
		case opPing:
			unmask(src[:n], u.mask)
			u.c.Write(append([]byte{0x80 | opPong, byte(n)}, src[:n]...))
			src = src[n:]
		case opPong:
			src = src[n:]
		default:
			if u.rem = n; u.s != nil {
				u.mask = unmask(src[:sessionHead], u.mask)
				u.s.ack(binary.BigEndian.Uint32(src[9:]))
				src, u.rem = src[sessionHead:], n-sessionHead
			}
		}
	}
}

// unmask unmasks b in place and returns the mask rotated for the next byte.
func unmask(b []byte, mask uint32) uint32 {
	k := uint64(mask)<<32 | uint64(mask)
	for len(b) >= 32 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^k)
		binary.LittleEndian.PutUint64(b[8:], binary.LittleEndian.Uint64(b[8:])^k)
		binary.LittleEndian.PutUint64(b[16:], binary.LittleEndian.Uint64(b[16:])^k)
		binary.LittleEndian.PutUint64(b[24:], binary.LittleEndian.Uint64(b[24:])^k)
		b = b[32:]
	}
	for i := range b {
		b[i] ^= byte(mask)
		mask = bits.RotateLeft32(mask, -8)
	}
	return mask
}
