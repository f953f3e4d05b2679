package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"encke/csp"
)

// upload sends what the session has for the uplink, until that is displaced or the
// session over.
func (c *carrier) upload(uplink *csp.Link) {
	if c.how.send == "" {
		c.mu.Lock()
		ws := c.ws
		c.mu.Unlock()
		c.sendMessages(uplink, ws)
		return
	}
	limit := 64 << 10
	if c.how.send != "send" {
		limit = 256 // one large packet fits into a URL, or several small ones
	}
	var b csp.Batch
	for {
		ok, err := uplink.Next(c.ctx, time.Hour, &b, limit)
		if err != nil {
			return
		}
		if !ok {
			continue
		}
		b.Seq = true // each request is a link of its own
		records := csp.Binary.Append(nil, &b)
		last := b.Close != nil
		b.Release()
		if !c.deliver(records, last) {
			return
		}
	}
}

// deliver repeats a request until it is answered. It reports false when there is nothing
// more to send.
func (c *carrier) deliver(records []byte, last bool) bool {
	began := time.Now()
	for attempt := 0; ; attempt++ {
		err := c.post(records)
		if err == nil || last {
			return !last
		}
		if c.ctx.Err() != nil {
			return false
		}
		if c.p.fail(err, began) {
			return true // what is left to say is why
		}
		c.p.mu.Lock()
		c.p.stats.Repeated++
		c.p.mu.Unlock()
		c.wait(attempt, err)
	}
}

// post sends one uplink request and takes its answer.
func (c *carrier) post(records []byte) error {
	ctx, cancel := context.WithTimeoutCause(c.ctx, c.p.opts.Answer, errSilent)
	defer cancel()
	r, seq, err := c.request(ctx, c.how.send, records)
	if err != nil {
		return err
	}
	resp, err := c.p.http.Do(r)
	if err != nil {
		return errors.Join(err, context.Cause(ctx))
	}
	defer resp.Body.Close()
	as := how{name: c.how.send, poll: true}
	if seq != "" {
		as.batch = call
	}
	got, err := c.whole(resp, as, seq)
	if err != nil {
		return err
	}
	if len(got) == 0 {
		return fmt.Errorf("%s: %w", as.name, io.ErrUnexpectedEOF)
	}
	for i := range got {
		switch r := &got[i]; r.Kind {
		case csp.Close:
			return said(r)
		case csp.Ack:
			if err := c.p.csp.Acked(r.ID); err != nil {
				return err
			}
		}
	}
	return nil
}
