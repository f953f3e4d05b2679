package transports

import (
	"io"
	"sync"

	"encke/buffer"
	"encke/csp"
)

// This file is how a wsLink takes messages: large ones that are at hand together are delivered
// together, so that backends get more at a time and are woken less often. Where the connection
// is no socket (TLS) no more than its small buffer is ever at hand.

// gathering is what messages brought that is not delivered yet, and the buffers that it is in.
type gathering struct {
	up      uplink
	buffers []*buffer.Buffer // that packets point into, each once
	account buffer.Account   // of their memory
	held    int              // bytes of it
}

// gatherings holds those that are empty: an idle link keeps none.
var gatherings = sync.Pool{New: func() any { return new(gathering) }}

// A message of largeMessage bytes, and those behind it that bring packets too, are delivered
// when they take enoughGathered bytes of memory, or before more is waited for.
const (
	largeMessage   = 16 << 10
	enoughGathered = 1 << 20
)

// message takes one message; the first one says which session this is. It takes over the
// reference to the buffer that msg is in, unless in is nil.
func (l *wsLink) message(msg []byte, in *buffer.Buffer) error {
	l.heard.Store(int64(sinceStart()))
	g := l.gathered
	if l.gathered = nil; g == nil {
		g = gatherings.Get().(*gathering)
		g.account = l.h.server.Budget().Account()
	}
	if l.link == nil {
		defer g.release()
		g.keep(in)
		var err error
		if l.next, err = g.up.parse(msg); err != nil {
			return err
		}
		return l.begin(&g.up)
	}
	before := g.up
	g.up.from = len(before.packets)
	next, err := csp.Parse(msg, l.next, g.up.take)
	brought := len(g.up.packets) > g.up.from
	if brought {
		g.keep(in)
	} else if in != nil {
		in.Release() // nothing points into it
	}
	if err != nil { // nothing of this message has effect
		clear(g.up.packets[g.up.from:])
		g.up, l.gathered = before, g
		return err
	}
	l.next = next
	if (g.up.from > 0 || len(msg) >= largeMessage) && brought && g.open() {
		g.account.Set(g.held)
		l.gathered = g
		return nil
	}
	return l.apply(g)
}

// open reports whether more may be gathered.
func (g *gathering) open() bool {
	return g.held < enoughGathered && len(g.up.packets) < csp.MaxPackets && g.up.pings == 0 && g.up.close == nil
}

// keep takes over a reference to b, unless that is nil.
func (g *gathering) keep(b *buffer.Buffer) {
	switch n := len(g.buffers); {
	case b == nil:
	case n > 0 && g.buffers[n-1] == b:
		b.Release()
	default:
		g.buffers = append(g.buffers, b)
		g.held += b.Size()
	}
}

func (g *gathering) release() {
	for _, b := range g.buffers {
		b.Release()
	}
	g.account.Set(0)
	clear(g.buffers)
	clear(g.up.packets) // they point into the messages
	*g = gathering{up: uplink{packets: g.up.packets[:0]}, buffers: g.buffers[:0]}
	gatherings.Put(g)
}

// deliver lets what was gathered take effect.
func (l *wsLink) deliver() error {
	g := l.gathered
	if l.gathered = nil; g == nil {
		return nil
	}
	return l.apply(g)
}

func (l *wsLink) apply(g *gathering) error {
	defer g.release()
	for range min(g.up.pings, maxProbes) {
		l.link.Answer()
	}
	g.up.pings = 0
	left := g.up.close != nil && l.conn.left()
	if left {
		l.link.Detach() // nobody is there to be told
	}
	if len(g.up.packets) > 0 {
		l.brought.Store(true)
	}
	err := g.up.applyWith(l.session, false, l.link.Deliver)
	if left {
		err = io.ErrUnexpectedEOF // whatever err is, the session has ended for it
	}
	return err
}

// due reports whether there is something to do before more is waited for. The library's
// goroutine, which reads when it closes, has nothing to do with what was gathered.
func (l *wsLink) due() bool {
	return !l.closing.Load() && (l.gathered != nil || l.brought.Swap(false) && l.link.Due())
}

// settle does it. If it fails the session has ended, and so will the connection.
func (l *wsLink) settle() {
	l.deliver()
	l.brought.Store(false)
	l.link.Flush()
}
