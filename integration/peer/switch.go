package peer

import (
	"context"
	"fmt"
)

// Switch moves the live session to another technique: the new link first, then the old
// one is dropped. When the new link does not come about before ctx is done, the session
// goes on as it was.
func (p *Peer) Switch(ctx context.Context, transport string) error {
	next, err := technique(transport)
	if err != nil {
		return err
	}
	p.moving.Lock()
	defer p.moving.Unlock()
	if err := p.Err(); err != nil {
		return err
	}
	p.mu.Lock()
	old := p.carrier
	p.mu.Unlock()
	old.pause()
	c := p.start(next)
	select {
	case <-c.ready:
		p.mu.Lock()
		p.carrier = c
		p.stats.Switches++
		p.mu.Unlock()
		old.stop()
		return nil
	case <-p.over:
		err = p.Err()
	case <-ctx.Done():
		err = fmt.Errorf("move the session to %s: %w", transport, ctx.Err())
	}
	c.stop()
	old.resume()
	return err
}
