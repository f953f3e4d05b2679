package legacy

import (
	"encke/buffer"
	"encke/tcpsocket"
)

// readBytes is how much is read from a backend at a time.
const readBytes = 16<<10 - buffer.Headroom

// plain is a Backend whose pieces mean nothing. It holds no buffer while it waits.
type plain struct {
	*tcpsocket.Backend
	read func() (int, error)
	into *buffer.Buffer
}

func newPlain(b *tcpsocket.Backend) *plain {
	p := &plain{Backend: b}
	p.read = b.Reader(func() []byte {
		p.into = buffer.Get(readBytes)
		return p.into.Room()[:readBytes]
	}, p.release)
	return p
}

func (p *plain) release() {
	if p.into != nil {
		p.into.Release()
		p.into = nil
	}
}

// Next is as in Backend.
func (p *plain) Next() ([]byte, error) {
	p.release()
	n, err := p.read()
	if n == 0 {
		p.release()
		return nil, err
	}
	p.into.Extend(n)
	return p.into.Bytes(), err
}
