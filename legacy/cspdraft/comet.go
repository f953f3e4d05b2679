package cspdraft

import (
	"context"
	"errors"
	"net/http"
	"time"

	"encke/csp"
)

// maxBatch is how many bytes go into one batch; sessions keep less.
const maxBatch = 4 << 20

// comet carries packets to the client, as the variables say: one batch as soon as there is
// one, or batches for a while. When another comet comes, this one is completed.
func (a *adapter) comet(w http.ResponseWriter, r *http.Request, c *conn, q *request, origin string) {
	link, err := c.session.Attach(0, nil) // what q acknowledges is done
	if err != nil {
		a.late(w, q, origin, "comet", err)
		return
	}
	defer link.Detach()
	link.Patient()
	if q.streaming && q.duration > 0 {
		a.stream(w, r, link, q, origin)
		return
	}
	var b csp.Batch
	defer func() { b.Release() }()
	err = next(r.Context(), link, q.duration, &b)
	if err != nil && !errors.Is(err, csp.ErrDisplaced) {
		return // the client has left
	}
	a.batchOnly(w, q, origin, &b)
}

// stream is comet with more than one batch.
func (a *adapter) stream(w http.ResponseWriter, r *http.Request, link *csp.Link, q *request, origin string) {
	head(w.Header(), &q.variables, q.batchPrefix, origin)
	if a.p.Handler.Write(w, begin(nil, &q.variables), true) != nil {
		return
	}
	end := time.Now().Add(q.duration)
	for last := q.ack; ; {
		var b csp.Batch
		wait := time.Until(end)
		if q.interval > 0 {
			wait = min(wait, q.interval)
		}
		err := next(r.Context(), link, wait, &b)
		if err != nil && !errors.Is(err, csp.ErrDisplaced) {
			return
		}
		if err == nil && quiet(&b) && !time.Now().Before(end) {
			return // its time is over; that needs no words
		}
		done := err != nil || b.Close != nil || len(b.Packets) > 0 && b.Packets[len(b.Packets)-1].IsEnd()
		var out []byte
		out, last = batch(nil, &q.variables, &b, last)
		b.Release()
		if a.p.Handler.Write(w, out, true) != nil || done {
			return
		}
	}
}

// next waits for packets or the end of the session, so long at most. Other things that a link
// may have to say do not exist in the draft.
func next(ctx context.Context, link *csp.Link, wait time.Duration, b *csp.Batch) error {
	for end := time.Now().Add(wait); ; {
		ok, err := link.Next(ctx, max(time.Until(end), 0), b, maxBatch)
		if err != nil || !ok || !quiet(b) {
			return err
		}
		b.Release()
	}
}

// quiet reports whether there is nothing in a batch for the client.
func quiet(b *csp.Batch) bool { return len(b.Packets) == 0 && b.Close == nil }
