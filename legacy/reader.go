package legacy

import (
	"encke/buffer"
	"encke/tcpsocket"
)

// Reader reads what a backend says, a piece at a time, while it has the Floor. It holds no
// buffer while it waits.
type Reader struct {
	floor *Floor
	read  func() (int, error)
	into  *buffer.Buffer // nil: there is no piece
}

// NewReader returns a Reader of b that reads size bytes at a time, at most.
func NewReader(b *tcpsocket.Backend, size int, floor *Floor) *Reader {
	r := &Reader{floor: floor}
	r.read = b.Reader(func() []byte {
		if !floor.Try() {
			return nil
		}
		r.into = buffer.Get(size)
		floor.Hold(size)
		return r.into.Room()[:size]
	}, r.Release)
	return r
}

// Next waits for the next piece. It is valid until Next or Release is called.
func (r *Reader) Next() (*buffer.Buffer, error) {
	r.Release()
	for {
		n, err := r.read()
		switch {
		case n > 0:
			r.into.Extend(n)
			return r.into, nil
		case err != nil:
			r.Release()
			return nil, err
		}
		r.floor.Take()
	}
}

// Release says that the last piece is no longer needed.
func (r *Reader) Release() {
	if r.into != nil {
		r.into.Release()
		r.into = nil
	}
	r.floor.Yield()
}
