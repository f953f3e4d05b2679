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
	q := l.Buffers.Backlog(nil, nil)
	q.Start(backend, backend.Writer())
	defer q.End()
	l.Go(func() { l.download(backend, q.Floor()) }) // ends when the backend does
	for {
		r, ok := l.Next(context.Background())
		if !ok {
			return l.Why()
		}
		for more := true; more; {
			if !l.Buffers.Wait(nil) {
				return l.Why()
			}
			b := buffer.Get(buffer.Max)
			l.Buffers.Hold(buffer.Max) // the client may take its time
			n, err := r.Read(b.Room())
			l.Buffers.Hold(-buffer.Max)
			b.Extend(n)
			q.Put(b)
			if err != nil && err != io.EOF {
				return l.Why()
			}
			more = err == nil
		}
	}
}

// download sends what the backend says.
func (l *Link) download(backend *tcpsocket.Backend, floor *Floor) {
	r := NewReader(backend, buffer.Max, floor)
	defer r.Release()
	for {
		b, err := r.Next()
		switch {
		case err == io.EOF:
			l.End(cause.Closed.Err())
			return
		case err != nil:
			why := tcpsocket.ReadCause(err)
			backend.Fail(why)
			l.End(why)
			return
		case !l.Write(b.Bytes()):
			return
		}
	}
}
