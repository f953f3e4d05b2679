package tcpsocket

import (
	"encke/buffer"
	"encke/rawconn"
)

// This file is how the pieces that a Receive brought for a socket are written together.

// tryWrite writes as much of the pieces as the backend takes at once, and returns what is
// left.
func (s *socket) tryWrite(batch [][]byte) (rest [][]byte, written int, err error) {
	for len(batch) > 0 {
		n, w := small(batch), 0
		var left [][]byte // of the first n
		if n > 1 {
			w, err = s.writePacked(batch[:n])
			left = rawconn.Cut(batch[:n], w)
		} else {
			for n = 1; n < len(batch) && small(batch[n:]) < 2; n++ {
			}
			left, w, err = s.writer.TryWriteAll(batch[:n])
		}
		written += w
		if err != nil {
			return nil, written, err
		}
		batch = batch[n-len(left):]
		if len(left) > 0 {
			return batch, written, nil
		}
	}
	return nil, written, nil
}

// smallPiece is up to which size pieces are copied to be written together.
const smallPiece = 4 << 10

// small returns how many of the first pieces are small and fit into a buffer together.
func small(batch [][]byte) int {
	size := 0
	for n, p := range batch {
		if size += len(p); len(p) > smallPiece || size > buffer.Max {
			return n
		}
	}
	return len(batch)
}

// writePacked writes a copy of the pieces.
func (s *socket) writePacked(pieces [][]byte) (int, error) {
	packed := buffer.Get(buffer.Max)
	defer packed.Release()
	for _, p := range pieces {
		packed.Append(p)
	}
	return s.writer.TryWrite(packed.Bytes())
}
