package transports

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"encke/csp"
	"encke/rawconn"
)

// takeable is a connection that net/http has for requests only. For a long answer it is
// taken from net/http; package edge has one.
type takeable interface {
	Brief()
	Takeable() bool
	Take() net.Conn
	Await() error
	Answered()
	Hangup()
}

type connKey struct{}

// WithConn is made for ConnContext of http.Server: downlinks over such a connection hold
// neither a goroutine nor buffers of net/http.
func WithConn(ctx context.Context, c net.Conn) context.Context {
	if t, ok := c.(takeable); ok {
		return context.WithValue(ctx, connKey{}, t)
	}
	return ctx
}

// takeableOf returns the connection of a request if that can be taken from net/http when
// the request was read to its end, or nil.
func takeableOf(r *http.Request) takeable {
	t, _ := r.Context().Value(connKey{}).(takeable)
	if r.ProtoMajor != 1 || r.Header.Get("Upgrade") != "" || r.Method == http.MethodGet && r.ContentLength != 0 {
		return nil
	}
	return t
}

// answer is a downlink in a connection of HTTP/1 that was taken from net/http. Its
// goroutine waits for the client to leave, or to send its next request. Writing has none:
// as over WebSocket, whoever queues something for the session calls flush through the
// csp.Link, and what the socket does not take at once is left to a goroutine that lives as
// long as that takes.
type answer struct {
	h       *Handler
	conn    takeable
	below   net.Conn
	writer  *rawconn.Writer
	format  format
	session *csp.Session
	link    *csp.Link
	release func() // of the request; may be called again

	hold   time.Duration
	timer  roundTimer
	said   atomic.Int64 // when something was last sent, nanoseconds since start
	gone   atomic.Bool  // the client has left
	behind atomic.Bool  // or its next request has begun
	closed atomic.Bool  // all was sent
	last   bool         // the connection ends with the answer

	// Used by whoever flushes.
	head    []byte // of the response, without the empty line; nil: was sent
	opening []byte // what the body begins with
	welcome *csp.Record
	framed  bool // in chunks
	written int
}

// begin takes the connection of a request, which was read to its end, and writes what the
// link has by now.
func (a *answer) begin(w http.ResponseWriter, pg page) {
	a.last = pg.r.Close || !pg.r.ProtoAtLeast(1, 1)
	a.framed = !a.poll() && !a.last
	a.head = responseHead(w.Header(), a.framed, a.last)
	a.opening = a.format.open(nil, pg)
	clear(w.Header()) // net/http writes them to nobody
	a.below = a.conn.Take()
	a.writer = rawconn.NewWriter(a.below)
	a.said.Store(int64(sinceStart()))
	a.timer = a.h.rounds.timer(a.confined(a.check))
	a.timer.reset(a.hold)
	a.h.track(a, true)
	if !a.h.spawn(a.confined(a.await)) {
		a.h.track(a, false)
		a.over(false) // the proxy is stopping
		return
	}
	a.flush()
}

// responseHead is the head of a response, without what says that it is complete.
func responseHead(fields http.Header, framed, last bool) []byte {
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 200 OK\r\n")
	fields.Write(&b)
	b.WriteString("Date: ")
	b.Write(time.Now().UTC().AppendFormat(b.AvailableBuffer(), http.TimeFormat))
	if framed {
		b.WriteString("\r\nTransfer-Encoding: chunked")
	}
	if last {
		b.WriteString("\r\nConnection: close")
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// poll says that the answer ends with the first batch.
func (a *answer) poll() bool {
	_, perResponse := a.format.limits()
	return perResponse == 0
}

// await is what the goroutine does.
func (a *answer) await() {
	if a.conn.Await() == nil {
		if a.behind.Store(true); a.closed.Load() { // else over does it
			a.h.track(a, false)
		}
		return
	}
	a.gone.Store(true)
	a.conn.Hangup()
	a.link.Detach()
	a.h.track(a, false)
	a.release() // if a panic kept over from it
}

// Close cuts the connection. Handler.Wait calls it while there is something to wait for:
// the goroutine, or the end of an answer that has the next request behind it.
func (a *answer) Close() error { return a.below.Close() }

// check is called when a heartbeat may be due.
func (a *answer) check() {
	if a.closed.Load() {
		return
	}
	left := a.hold - (sinceStart() - time.Duration(a.said.Load()))
	if left < a.h.rounds.width { // the next round may be too late
		a.link.Beat()
		left = a.hold
	}
	a.timer.reset(left)
}

// flush sends what the session has for the client. It is called by one goroutine at a
// time: the csp.Link calls it only after a Take found nothing.
func (a *answer) flush() {
	perBatch, _ := a.format.limits()
	for {
		d := drafts.Get().(*draft)
		ok, err := a.link.Take(&d.batch, perBatch)
		switch {
		case err != nil:
			d.put()
			a.finish(err)
			return
		case !ok:
			d.put()
			return
		}
		if last := a.compose(d, false); !a.send(d, last) || last {
			return
		}
	}
}

// finish ends the answer when the session has no more to say on it.
func (a *answer) finish(err error) {
	if !errors.Is(err, csp.ErrDisplaced) || a.gone.Load() {
		a.end()
		return
	}
	time.AfterFunc(departure, a.confined(func() {
		if !a.gone.Load() {
			a.link.Contested()
		}
		a.end()
	}))
}

// end sends the end of the response.
func (a *answer) end() {
	if a.gone.Load() {
		a.over(false)
		return
	}
	d := drafts.Get().(*draft)
	a.compose(d, true)
	a.send(d, true)
}

// send writes d. It reports false when somebody else goes on, or nobody can.
func (a *answer) send(d *draft, last bool) bool {
	a.said.Store(int64(sinceStart()))
	n, err := a.writer.TryWrite(d.bytes())
	if err == nil && n < len(d.bytes()) {
		d.from += n
		if a.h.spawn(a.confined(func() { a.drain(d, last) })) { // ends with the write
			return false
		}
		err = net.ErrClosed
	}
	d.put()
	if err != nil || last {
		a.over(err == nil)
	}
	return err == nil
}

// drain goes on where send had to stop.
func (a *answer) drain(d *draft, last bool) {
	a.below.SetWriteDeadline(time.Now().Add(a.h.opts.WriteTimeout))
	_, err := a.below.Write(d.bytes())
	a.below.SetWriteDeadline(time.Time{}) // else a later TryWrite fails by it
	d.put()
	switch {
	case err != nil:
		a.over(false)
	case last:
		a.over(true)
	default:
		a.flush()
	}
}

// over is called once, by whoever flushes: nothing more is sent. whole says that all was.
func (a *answer) over(whole bool) {
	if a.closed.Store(true); a.behind.Load() {
		a.h.track(a, false)
	}
	a.timer.stop()
	a.link.Detach()
	a.release()
	if whole && !a.last {
		a.conn.Answered()
	} else {
		a.conn.Hangup()
	}
}

// confined is f, which runs for the answer; a panic ends that.
func (a *answer) confined(f func()) func() {
	return func() {
		defer func() {
			if v := recover(); v != nil {
				a.h.Panicked(v, a.session)
				a.closed.Store(true)
				a.conn.Hangup()
				a.h.track(a, false)
				a.release()
			}
		}()
		f()
	}
}

// draft holds a batch and its bytes while they are sent, not longer.
type draft struct {
	batch csp.Batch
	buf   []byte
	from  int // where in buf begins what is to be sent
}

var drafts = sync.Pool{New: func() any { return new(draft) }}

func (d *draft) bytes() []byte { return d.buf[d.from:] }

func (d *draft) put() { drafts.Put(d) }

// compose makes the bytes of d.batch, or of the end alone, and reports whether they end
// the response.
func (a *answer) compose(d *draft, end bool) (last bool) {
	const room = len("Content-Length: ") + 20 + len("\r\n\r\n") + len("12345678\r\n")
	before := len(a.head) + room // what comes before the body, and is known after it
	out := append(d.buf[:0], make([]byte, before)...)
	last = end
	if !end {
		out = append(out, a.opening...)
		d.batch.Welcome = a.welcome
		last = a.poll() || d.batch.Close != nil
		out = a.format.batch(out, &d.batch)
		d.batch.Release()
	}
	size := len(out) - before
	a.written += size
	if _, most := a.format.limits(); most > 0 && a.written > most {
		last = true
	}
	var lines [64]byte // between the other headers and the body
	line := lines[:0]
	switch {
	case a.head != nil && a.poll():
		line = append(strconv.AppendInt(append(line, "Content-Length: "...), int64(size), 10), "\r\n\r\n"...)
	case a.head != nil:
		line = append(line, "\r\n"...)
	}
	if a.framed && size > 0 {
		line = append(strconv.AppendInt(line, int64(size), 16), "\r\n"...)
		out = append(out, "\r\n"...)
	}
	if a.framed && last {
		out = append(out, "0\r\n\r\n"...)
	}
	d.from = before - len(line) - len(a.head)
	copy(out[d.from:], a.head)
	copy(out[before-len(line):], line)
	d.buf = out
	a.head, a.opening, a.welcome = nil, nil, nil
	return last
}
