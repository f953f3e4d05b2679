package transports

import (
	"context"
	"io"
	"time"

	"github.com/coder/websocket"

	"encke/buffer"
	"encke/rawconn"
)

// This file is how a wsLink reads: a message that has arrived whole where it is, any
// other one into a buffer of its own.

// run reads until the connection ends.
func (l *wsLink) run() {
	l.conn.Conn.SetReadDeadline(time.Now().Add(l.h.opts.BodyTimeout)) // for the hello
	l.serve()
}

// serve goes on with that. When nothing came for a while it leaves waiting to a new
// goroutine.
func (l *wsLink) serve() {
	left := false
	defer func() {
		if !left {
			l.h.track(l.conn.Conn, false)
		}
	}()
	for {
		err := l.turn()
		if err == rawconn.ErrQuiet {
			if left = l.h.spawn(l.confined(l.serve)); left { // ends as this one does
				return
			}
		} else if err != nil {
			if failed := l.deliver(); failed != nil { // what came before
				err = failed
			}
			l.end(err)
			return
		}
	}
}

// turn waits for a message and takes it.
func (l *wsLink) turn() error {
	if l.early != "" {
		msg, err := decode("the second subprotocol", l.early)
		if l.early = ""; err != nil {
			return err
		}
		return l.message(msg, nil)
	}
	if l.link != nil {
		if err := l.conn.await(); err != nil {
			return err
		}
	}
	msg, in, err := l.read()
	if err != nil {
		return err
	}
	return l.message(msg, in)
}

// read returns the next message, whole, and the buffer that it is in.
func (l *wsLink) read() ([]byte, *buffer.Buffer, error) {
	typ, r, err := l.ws.Reader(context.Background())
	if err != nil {
		return nil, nil, err
	}
	if typ != websocket.MessageBinary {
		return nil, nil, refuseText(r)
	}
	msg, in := l.conn.arrived()
	if in == nil {
		in, err = l.collect(r)
		if err != nil {
			return nil, nil, err
		}
		return in.Bytes(), in, nil
	}
	if _, err = io.ReadFull(r, msg); err == nil {
		var end [1]byte // the library wants it read
		if _, err = r.Read(end[:]); err == io.EOF {
			return msg, in, nil
		}
	}
	in.Release()
	return nil, nil, err
}

// firstMessage is how much room a message gets on its word, in bytes; each time that is
// full it gets twice as much.
const firstMessage = 2 << 10

// collect reads a message that has not arrived whole, or comes in several frames.
func (l *wsLink) collect(r io.Reader) (*buffer.Buffer, error) {
	budget := l.h.server.Budget()
	account := budget.Account()
	defer account.Set(0)
	size := firstMessage
	if more := l.conn.expected(); more > size && budget.Fits(more) {
		size = more
		account.Set(size)
	}
	msg := buffer.Get(size)
	for {
		if len(msg.Room()) == 0 {
			if msg = l.h.grow(msg, 2*msg.Len()+1, &account); msg == nil {
				return nil, noMemory
			}
		}
		n, err := r.Read(msg.Room())
		msg.Extend(n)
		if err == io.EOF {
			return msg, nil
		}
		if err != nil {
			msg.Release()
			return nil, err
		}
	}
}

var noMemory = &violation{websocket.StatusTryAgainLater, "no memory to spare"}
