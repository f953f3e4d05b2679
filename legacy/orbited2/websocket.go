package orbited2

import (
	"context"
	"errors"
	"io"
	"net/http"
	"unicode/utf8"

	"encke/cause"
	"encke/legacy"
)

// webSocket serves the stream as the text messages of a WebSocket, cut anywhere.
func webSocket(p *legacy.Proxy) http.Handler {
	return p.Handler.Guard(false, func(w http.ResponseWriter, r *http.Request, origin string) {
		p.WebSocket(w, r, origin, nil, func(l *legacy.Link) *cause.Error {
			l.Text = true
			sockets := legacy.NewSockets(l.Group, &carrier{l, origin}, p.Sessions.Budget())
			l.Go(sockets.Wait)                      // ends when its sockets have, behind Close
			defer sockets.Close(cause.Closed.Err()) // the link resets them if it does not end cleanly
			return receive(l, sockets)
		})
	})
}

// receive passes on what the client sends until the link ends, or returns why it must.
func receive(l *legacy.Link, sockets *legacy.Sockets) *cause.Error {
	stream := open(sockets)
	for {
		m, ok := l.Next(context.Background())
		if !ok {
			return l.Why()
		}
		p, err := io.ReadAll(counted{m, sockets.Hold})
		if err != nil {
			return l.Why()
		}
		if !utf8.Valid(p) {
			l.NotText()
			return l.Why()
		}
		var why *cause.Error
		if errors.As(stream.Receive(p), &why) {
			return why
		}
		sockets.Hold(-len(p))
		if !sockets.Room(l.Done()) {
			return l.Why()
		}
	}
}

// carrier is a legacy.Carrier. How long a write may wait, transports says.
type carrier struct {
	l      *legacy.Link
	origin string
}

var _ legacy.Carrier = (*carrier)(nil)

// Origin is as in legacy.Carrier.
func (c *carrier) Origin() string { return c.origin }

// Send is as in legacy.Carrier.
func (c *carrier) Send(p []byte) error {
	if !c.l.Write(p) {
		return errGone
	}
	return nil
}

var errGone = cause.Reset.With("by the page")

// Answer is Send: what an answer waits for is the client that asked for it.
func (c *carrier) Answer(p []byte) { _ = c.Send(p) }

// End is not called: the client ends the stream.
func (c *carrier) End() {}
