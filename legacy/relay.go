package legacy

import (
	"context"
	"errors"
	"io"
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/tcpsocket"
	"encke/whitelist"
)

// relayBytes is how much of a relayed stream waits for its backend; then the client's
// messages are not read.
const relayBytes = 256 << 10

// Dial connects a socket of the link. The error is what its end is to be.
func (l *Link) Dial(ctx context.Context, dest whitelist.Dest) (*tcpsocket.Backend, *cause.Error) {
	b, err := l.Group.Dial(ctx, dest, tcpsocket.OpenOptions{NoDelay: true, KeepAlive: 15 * time.Second})
	if err == nil {
		return b, nil
	}
	why := cause.Internal.Err()
	errors.As(err, &why)
	return nil, why
}

// Relay connects the link to dest and carries bytes between them until one ends: each
// message is a piece of the stream, however it was cut. A WebSocket has no half-close. When the
// client closes it, the backend gets what was sent before; when the backend ends its direction,
// all of that is sent and the WebSocket is closed.
func (l *Link) Relay(dest whitelist.Dest) *cause.Error {
	backend, why := l.Dial(l.ctx, dest)
	if why != nil {
		return why
	}
	q := l.Backlog(relayBytes, nil)
	q.Start(backend)
	defer q.End()
	l.Go(func() { l.download(backend) }) // ends when the backend does
	for {
		r, ok := l.Next(context.Background())
		if !ok {
			return l.Why()
		}
		for more := true; more; {
			b := buffer.Get(buffer.Max)
			n, err := r.Read(b.Room())
			b.Extend(n)
			for !q.Put(b) {
				q.Wait()
				if l.ctx.Err() != nil {
					b.Release()
					return l.Why()
				}
			}
			if err != nil && err != io.EOF {
				return l.Why()
			}
			more = err == nil
		}
	}
}

// download sends what the backend says.
func (l *Link) download(backend *tcpsocket.Backend) {
	var b *buffer.Buffer
	read := backend.Reader(func() []byte {
		b = buffer.Get(buffer.Max)
		return b.Room()
	}, func() { b.Release() })
	for {
		n, err := read()
		if err == io.EOF {
			l.End(cause.Closed.Err())
			return
		}
		if err != nil {
			why := tcpsocket.ReadCause(err)
			backend.Fail(why)
			l.End(why)
			return
		}
		b.Extend(n)
		ok := l.Write(b.Bytes())
		b.Release()
		if !ok {
			return
		}
	}
}
