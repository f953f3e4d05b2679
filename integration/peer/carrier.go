package peer

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/coder/websocket"

	"encke/cause"
	"encke/csp"
)

// carrier carries the session over one technique until it is stopped.
type carrier struct {
	p      *Peer
	how    how
	ctx    context.Context // ends it
	cancel context.CancelFunc
	work   sync.WaitGroup // its goroutines

	ready   chan struct{} // closed when it carries both ways
	isReady sync.Once

	mu      sync.Mutex
	ring    chan struct{} // while it is paused: closed when it may go on
	uplink  *csp.Link     // attached by the first answer; a WebSocket has its own
	sending chan struct{} // closed when the uplink's goroutine has ended
	ws      *websocket.Conn
}

func (p *Peer) start(h how) *carrier {
	c := &carrier{p: p, how: h, ready: make(chan struct{})}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.work.Go(c.run) // until stop, or the session is over
	return c
}

// stop ends the carrier and returns when it has.
func (c *carrier) stop() {
	c.cancel()
	c.work.Wait()
}

// sent is closed when the uplink has nothing more to say.
func (c *carrier) sent() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sending == nil {
		none := make(chan struct{})
		close(none)
		return none
	}
	return c.sending
}

// pause lets no new link begin until resume; links there are go on until they end.
func (c *carrier) pause() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ring = make(chan struct{})
}

func (c *carrier) resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.ring)
	c.ring = nil
}

func (c *carrier) paused() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ring
}

// run opens one downlink after the other.
func (c *carrier) run() {
	doubt := true // the next poll asks for an answer at once
	for attempt := 0; ; {
		if ring := c.paused(); ring != nil {
			select {
			case <-ring:
			case <-c.ctx.Done():
			}
		}
		if c.ctx.Err() != nil || c.p.csp.Err() != nil {
			return
		}
		var answered bool
		var err error
		if c.how.send == "" {
			answered, err = c.webSocket()
		} else {
			answered, err = c.download(doubt)
		}
		if answered {
			attempt = 0
		}
		if doubt = err != nil; !doubt {
			continue
		}
		if c.ctx.Err() != nil || c.paused() != nil {
			continue
		}
		if c.p.fail(err, c.p.lose()) {
			return
		}
		c.wait(attempt, err)
		attempt++
	}
}

// wait is the pause before the next try: none at first, then up to a second, at random;
// or what the proxy asked for.
func (c *carrier) wait(attempt int, err error) {
	var d time.Duration
	if attempt > 0 {
		d = rand.N(min(20*time.Millisecond<<min(attempt, 10), time.Second))
	}
	var said *cause.Error
	if errors.As(err, &said) && said.Retry > 0 {
		d = time.Duration(said.Retry) * time.Second
	}
	select {
	case <-time.After(d):
	case <-c.p.over:
	case <-c.ctx.Done():
	}
}

// lose notes that a link failed and returns since when the session has been without one.
func (p *Peer) lose() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Failed++
	if p.lost.IsZero() {
		p.lost = time.Now()
	}
	if p.id == "" {
		return p.heard // the beginning
	}
	return p.lost
}

// linked notes that the proxy answered a downlink.
func (p *Peer) linked() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Links++
	if p.lost.IsZero() {
		return
	}
	if p.id != "" {
		p.stats.Resumes++
		p.stats.LastResume = time.Since(p.lost)
	}
	p.lost = time.Time{}
}

// take lets records of a downlink take effect. acked says that the next request tells
// the proxy what has arrived.
func (c *carrier) take(records []csp.Record, acked bool) error {
	var packets []csp.Packet
	for i := range records {
		switch r := &records[i]; r.Kind {
		case csp.Close:
			return said(r)
		case csp.Welcome:
			c.p.welcome(r)
			if err := c.attach(r.ID); err != nil {
				return err
			}
		case csp.Ack:
			if err := c.attach(r.ID); err != nil {
				return err
			}
		case csp.Data, csp.End:
			packets = append(packets, csp.Packet{ID: r.ID, Data: r.Data, End: r.Kind == csp.End})
		case csp.Ping:
			c.mu.Lock()
			uplink := c.uplink
			c.mu.Unlock()
			if uplink != nil {
				uplink.Answer()
			}
		}
	}
	if len(packets) == 0 {
		return nil
	}
	_, err := c.p.csp.Deliver(packets, acked)
	return err
}

func said(r *csp.Record) *cause.Error {
	return &cause.Error{Code: cause.FromWire(r.Cause), Text: string(r.Text), Retry: int(min(r.Retry, 3600))}
}

func (p *Peer) welcome(r *csp.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.id == "" {
		p.id = string(r.Session)
		p.window, p.heartbeat = time.Duration(r.Window)*time.Second, time.Duration(r.Heartbeat)*time.Second
	}
}

// attach takes an acknowledgement. The first one on a carrier, or on a WebSocket, says
// what its uplink begins behind.
func (c *carrier) attach(ack uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.uplink != nil && !isClosed(c.sending) {
		return c.p.csp.Acked(ack)
	}
	if c.ring != nil {
		return errPaused // another carrier has taken over
	}
	uplink, err := c.p.csp.Attach(ack, nil)
	if err != nil {
		return err
	}
	sending := make(chan struct{})
	c.uplink, c.sending = uplink, sending
	c.work.Go(func() { // until displaced, detached or over, or the carrier is stopped
		defer close(sending)
		c.upload(uplink)
	})
	c.isReady.Do(func() { close(c.ready) })
	return nil
}

var errPaused = errors.New("the session moves to another technique")

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// silence is how long a link may be silent before it is taken for dead.
func (c *carrier) silence() time.Duration {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	hold := c.p.opts.Hold
	if hold == 0 || c.how.send == "" {
		hold = c.p.heartbeat
	}
	return hold + c.p.opts.Grace
}
