package orbited07

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"encke/cause"
	"encke/csp"
)

// What the client is told about time, in seconds: when nothing came from it for
// pingInterval it gets a ping, and when nothing came for pingTimeout after that the session
// ends. It gives the session up itself when nothing came for both together.
const (
	pingInterval = 30
	pingTimeout  = 30
)

// opening is what a session begins with. The two options have ids of their own, "open" has
// that of the last of them; the packets of the session follow.
var opening = []packet{
	{id: 1, name: "opt", arg: "pingTimeout," + strconv.Itoa(pingTimeout)},
	{id: 2, name: "opt", arg: "pingInterval," + strconv.Itoa(pingInterval)},
	{id: offset, name: "open"},
}

// offset is by how much ids on the wire are higher than those of the session.
const offset = 2

// ackOf returns the highest id that the client says to have received, 0 when it says
// nothing.
func ackOf(r *http.Request) (uint64, error) {
	text := r.URL.Query().Get("ack")
	if text == "" {
		return 0, nil
	}
	ack, err := strconv.ParseUint(text, 10, 53)
	if err != nil {
		return 0, cause.ProtocolError.With("ack is no number from 0 to 2^53-1")
	}
	return ack, nil
}

// head sets the headers of an answer.
func (t *transport) head(head http.Header) {
	head.Set("Content-Type", t.kind)
	if t.html {
		head.Set("Pragma", "no-cache")
		head.Set("Expires", "-1")
		pageHead(head, "'unsafe-inline'") // which has nothing but packets of ours
	}
}

// response is one downstream response that is being written.
type response struct {
	c    *conn
	t    *transport
	w    http.ResponseWriter
	link *csp.Link

	out     []byte // to be written
	packets int    // written
	bytes   int
	last    time.Time // of a write
	over    bool      // nothing follows
}

// serve serves one downstream request. An error means that nothing was written.
func (c *conn) serve(w http.ResponseWriter, r *http.Request, t *transport, ack uint64) error {
	c.hear(ack >= offset)
	link, err := c.s.Attach(max(ack, offset)-offset, nil)
	if err != nil {
		return err
	}
	defer link.Detach()
	link.Patient()
	// The response that had the session so far may be about to write what this one
	// would write too, and the client drops no duplicates.
	select {
	case c.down <- struct{}{}:
		defer func() { <-c.down }()
	case <-r.Context().Done():
		return nil
	}
	t.head(w.Header())
	x := &response{c: c, t: t, w: w, link: link, last: time.Now()}
	x.out = append(x.out, t.first...)
	if first := c.toOpen(ack); len(first) > 0 {
		x.add(first)
	}
	if (len(x.out) > 0 || t.stream) && !x.flush() {
		return nil
	}
	x.run(r.Context())
	return nil
}

// add takes packets for the next write, as many as the response may still have.
func (x *response) add(packets []packet) {
	if x.t.count > 0 {
		packets = packets[:min(len(packets), x.t.count-x.packets)]
	}
	x.out = x.t.appendBatch(x.out, packets)
	x.packets += len(packets)
	x.over = x.over || !x.t.stream || x.t.count > 0 && x.packets == x.t.count
}

// flush writes what was taken, and reports false when that was the last.
func (x *response) flush() bool {
	err := x.c.a.p.Handler.Write(x.w, x.out, x.t.stream)
	x.bytes += len(x.out)
	if x.out = x.out[:0]; cap(x.out) > keptBytes {
		x.out = nil
	}
	x.last = time.Now()
	return err == nil && !x.over && (x.t.bytes == 0 || x.bytes <= x.t.bytes)
}

const (
	batchBytes = 64 << 10 // of payload are written at a time, about
	keptBytes  = 1 << 10  // are held by a response that waits
)

// run writes packets as they come until the response ends.
func (x *response) run(ctx context.Context) {
	var b csp.Batch
	for {
		ok, err := x.next(ctx, &b)
		switch {
		case err != nil: // another response has the session, or the client is gone
			return
		case ok && len(b.Packets) == 0 && b.Close == nil:
			b.Release()
			continue // an acknowledgement, which this protocol has none of
		case !ok && !x.t.stream:
			return // an empty poll
		case !ok:
			x.idle()
		default:
			x.add(x.number(&b))
		}
		b.Release()
		if len(x.out) > 0 && !x.flush() {
			return
		}
	}
}

// number makes packets of a batch.
func (x *response) number(b *csp.Batch) []packet {
	packets := make([]packet, 0, len(b.Packets)+1)
	for i := range b.Packets {
		p := packet{id: b.First + uint64(i) + offset, name: "data", data: b.Packets[i].Payload()}
		if b.Packets[i].IsEnd() {
			p = packet{id: p.id, name: "close", arg: loseConnection}
			x.over = true
			x.c.said()
		}
		packets = append(packets, p)
	}
	if b.Close != nil {
		packets = append(packets, packet{id: x.lastID() + 1, name: "close", arg: reasonOf(b.Close.Code)})
		x.over = true
	}
	return packets
}

// lastID is the id of the last packet that the client got or is getting. A ping has it
// too, so that acknowledgements say the same with and without pings.
func (x *response) lastID() uint64 { return x.c.s.Sent() + offset }

// next waits for packets, at most until a heartbeat or a ping is due.
func (x *response) next(ctx context.Context, b *csp.Batch) (bool, error) {
	if !x.t.wait {
		return x.link.Take(b, batchBytes)
	}
	wait := min(x.t.every, x.c.a.p.Heartbeat) - time.Since(x.last)
	if x.t.stream {
		wait = min(wait, x.c.patience())
	}
	return x.link.Next(ctx, max(wait, 0), b, batchBytes)
}

// idle takes what a stream says when there are no packets: a ping, or a heartbeat.
func (x *response) idle() {
	switch x.c.silence() {
	case pingDue:
		x.add([]packet{{id: x.lastID(), name: "ping"}})
	case timeoutDue:
		x.c.s.Close(cause.Idle.With("the page did not answer for %d seconds", pingTimeout))
	default:
		if time.Since(x.last) >= min(x.t.every, x.c.a.p.Heartbeat) {
			x.out = append(x.out, x.t.beat...)
		}
	}
}
