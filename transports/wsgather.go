package transports

import (
	"io"
	"sync"

	"encke/buffer"
	"encke/csp"
)

// This file is how a wsLink takes messages: large ones that come together are delivered
// together, so that backends get more at a time and are woken less often.

// gathered is what messages brought and the buffers that it is in.
type gathered struct {
	uplink
	buffers []*buffer.Buffer
	bytes   int // of the messages
}

// gatheredLists holds those that are empty: an idle link keeps none.
var gatheredLists = sync.Pool{New: func() any { return new(gathered) }}

// A message of largeMessage bytes, and what comes behind it, is delivered when there are
// enoughGathered bytes, or before others are waited for.
const (
	largeMessage   = 16 << 10
	enoughGathered = 256 << 10
)

// message takes one message, which is in a reference to in, unless that is nil; the first one
// says which session this is.
func (l *wsLink) message(msg []byte, in *buffer.Buffer) error {
	l.heard.Store(int64(sinceStart()))
	g := l.gathered.Swap(nil)
	if g == nil {
		g = gatheredLists.Get().(*gathered)
	}
	if in != nil {
		g.buffers = append(g.buffers, in)
	}
	var err error
	if l.link == nil {
		defer g.release()
		if l.next, err = g.parse(msg); err != nil {
			return err
		}
		return l.begin(&g.uplink)
	}
	before := g.uplink
	g.from = len(g.packets)
	if l.next, err = csp.Parse(msg, l.next, g.take); err != nil {
		g.uplink = before // nothing of this message has effect
		l.gathered.Store(g)
		return err
	}
	more := g.bytes > 0 || len(msg) >= largeMessage
	g.bytes += len(msg)
	if more && g.bytes < enoughGathered && len(g.packets) < csp.MaxPackets && g.pings == 0 && g.close == nil {
		l.gathered.Store(g)
		return nil
	}
	return l.apply(g)
}

// deliver lets what was gathered take effect.
func (l *wsLink) deliver() error {
	if g := l.gathered.Swap(nil); g != nil {
		return l.apply(g)
	}
	return nil
}

func (l *wsLink) apply(g *gathered) error {
	defer g.release()
	for range min(g.pings, maxProbes) {
		l.link.Answer()
	}
	g.pings = 0
	left := g.close != nil && l.conn.left()
	if left {
		l.link.Detach() // nobody is there to be told
	}
	if len(g.packets) > 0 {
		l.brought.Store(true)
	}
	err := g.applyWith(l.session, false, l.link.Deliver)
	if left {
		err = io.ErrUnexpectedEOF // whatever err is, the session has ended for it
	}
	return err
}

func (g *gathered) release() {
	for _, b := range g.buffers {
		b.Release()
	}
	clear(g.buffers)
	clear(g.packets) // they point into the messages
	*g = gathered{uplink: uplink{packets: g.packets[:0]}, buffers: g.buffers[:0]}
	gatheredLists.Put(g)
}

// due reports whether there is something to do before more is waited for. Like settle it may
// be called by the library's goroutine, which reads when it closes.
func (l *wsLink) due() bool {
	return l.gathered.Load() != nil || l.brought.Swap(false) && l.link.Due()
}

// settle does it. If it fails the session has ended, and so will the connection.
func (l *wsLink) settle() {
	l.deliver()
	l.brought.Store(false)
	l.link.Flush()
}
