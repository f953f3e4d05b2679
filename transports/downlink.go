package transports

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"encke/cause"
	"encke/csp"
)

// format is what an HTTP technique adds: how batches look in its response. It
// appends bytes and does no I/O.
type format interface {
	// header sets the headers of the response; it refuses a request whose
	// variables are wrong.
	header(head http.Header, p page) error
	// open appends what a response begins with.
	open(dst []byte, p page) []byte
	// batch appends a batch, which may be empty: a heartbeat.
	batch(dst []byte, b *csp.Batch) []byte
	// limits says how many payload bytes go into one batch and after how many
	// bytes a response ends; 0: with the first batch, -1: never.
	limits() (batch, response int)
	// quiet says that a refusal must look like success for the client to see it.
	quiet() bool
}

// page is what a format may need to know of the request.
type page struct {
	r      *http.Request
	origin string // of the page, canonical and accepted
	policy Origins
}

// serveHTTP serves one request of an HTTP technique.
func (h *Handler) serveHTTP(w http.ResponseWriter, r *http.Request, rt route, origin string) {
	if r.Header.Get("Content-Encoding") != "" {
		h.stats.encoded.Add(1)
		http.Error(w, "encoded bodies are not taken", http.StatusUnsupportedMediaType)
		return
	}
	release, ok := h.admitRequest(w, r)
	if !ok {
		return
	}
	u := &uplink{release: sync.OnceFunc(release), conn: takeableOf(r)}
	if u.conn != nil {
		u.conn.Brief()
	}
	defer func() { u.release() }()
	if _, most := rt.format.limits(); most == 0 || rt.uplink {
		w.Header().Del("X-Accel-Buffering") // the answer comes whole
	}
	pg := page{r: r, origin: origin, policy: h.opts.Origins}
	if err := rt.format.header(w.Header(), pg); err != nil {
		h.stats.malformed.Add(1)
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	defer h.confine(u)
	session, err := h.begin(w, r, rt, origin, u)
	switch {
	case err == errAborted: // nobody is there to be told
		h.stats.slowBodies.Add(1)
		panic(http.ErrAbortHandler)
	case err == nil && u.close != nil:
		h.writeOnce(w, rt.format, pg, &csp.Batch{Close: u.close})
	case err == nil && rt.uplink:
		h.writeOnce(w, rt.format, pg, &csp.Batch{Welcome: h.welcome(session, u), HasAck: true, Ack: session.Received()})
	case err == nil:
		err = h.serveDownlink(w, pg, rt.format, session, u)
	}
	if err != nil {
		h.stats.refused(err)
		refuse(w, rt.format, pg, err)
	}
}

// begin reads the request and lets it take effect.
func (h *Handler) begin(w http.ResponseWriter, r *http.Request, rt route, origin string, u *uplink) (*csp.Session, error) {
	var err error
	if u.hold, err = h.hold(r); err != nil {
		return nil, err
	}
	body, buf, err := h.body(w, r, rt.get)
	if err != nil {
		return nil, err
	}
	if buf != nil {
		defer buf.Release()
	}
	_, malformed := u.parse(body)
	if malformed != nil && u.hello.Kind != csp.Resume {
		return nil, malformed // no session is made for it
	}
	if rt.kind == EventSource {
		u.lastEventID(r)
	}
	session, err := h.session(u, Peer(r, origin))
	if err != nil {
		return nil, err
	}
	if malformed != nil {
		var why *cause.Error
		errors.As(malformed, &why)
		session.Close(why)
		return nil, malformed
	}
	if !rt.uplink {
		u.probes, u.pings = u.pings, 0 // answered on the link that is about to attach
	}
	return session, u.apply(session, rt.uplink)
}

// lastEventID takes over what a browser that reconnected by itself says it has.
func (u *uplink) lastEventID(r *http.Request) {
	id, err := strconv.ParseUint(r.Header.Get("Last-Event-ID"), 10, 53)
	if err == nil && u.hello.Kind == csp.Resume && id > u.hello.ID {
		u.hello.ID = id
	}
}

// welcome returns the answer to New, nil for Resume.
func (h *Handler) welcome(s *csp.Session, u *uplink) *csp.Record {
	if u.hello.Kind != csp.New {
		return nil
	}
	return &csp.Record{
		Kind: csp.Welcome, Session: []byte(s.ID()), ID: s.Received(),
		Window: uint64(h.server.Linger() / time.Second), Heartbeat: uint64(h.opts.Heartbeat / time.Second),
	}
}

// scratch holds the bytes of a response while they are written, not longer.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// serveDownlink attaches the response to the session and writes batches until it
// must end. An error means that nothing was written yet.
func (h *Handler) serveDownlink(w http.ResponseWriter, pg page, f format, s *csp.Session, u *uplink) error {
	var ack uint64
	if u.hello.Kind == csp.Resume {
		ack = u.hello.ID
	}
	var a *answer
	var wake func()
	if u.conn != nil && u.conn.Takeable() {
		a = &answer{h: h, conn: u.conn, format: f, session: s, hold: u.hold, release: u.release, welcome: h.welcome(s, u)}
		wake = a.flush
	}
	link, err := s.Attach(ack, wake)
	if err != nil {
		return err
	}
	perBatch, perResponse := f.limits()
	link.AckedApart()
	poll := perResponse == 0
	if poll && u.hello.Kind == csp.Resume {
		link.Patient()
	}
	for range min(u.probes, maxProbes) {
		link.Answer()
	}
	if a != nil {
		a.link = link
		a.begin(w, pg)
		u.release = func() {} // a does
		return nil
	}
	defer link.Detach()
	var b csp.Batch
	opening := true
	for written := 0; perResponse < 0 || written <= perResponse; {
		ok, err := link.Next(pg.r.Context(), u.hold, &b, perBatch)
		if errors.Is(err, csp.ErrDisplaced) && stays(pg.r.Context()) {
			link.Contested()
		}
		if err != nil {
			return nil // displaced, gone, or the session's end was said: the response ends
		}
		if !ok && poll {
			b.HasAck, b.Ack = true, s.Received()
		}
		last := b.Close != nil
		p := scratch.Get().(*[]byte)
		out := (*p)[:0]
		if opening {
			out = f.open(out, pg)
			b.Welcome = h.welcome(s, u)
		}
		out = f.batch(out, &b)
		opening = false
		b.Release()
		err = h.Write(w, out, !poll)
		written += len(out)
		*p = out
		scratch.Put(p)
		if err != nil || last || poll {
			return nil
		}
	}
	return nil
}

// Write writes a piece of an answer, which may wait for the client so long. more: it is on
// its way at once, as others may follow later; else it is the last, and goes when the handler
// returns.
func (h *Handler) Write(w http.ResponseWriter, p []byte, more bool) error {
	rc := http.NewResponseController(w)
	rc.SetWriteDeadline(time.Now().Add(h.opts.WriteTimeout))
	_, err := w.Write(p)
	if err != nil || !more {
		return err
	}
	err = rc.Flush()
	rc.SetWriteDeadline(time.Time{}) // HTTP/2 resets a stream at its deadline, HTTP/1 could not end the response
	return err
}

// departure is how long it may take to learn that a client has left. After a stall of
// this process the requests that one client gave up meanwhile come all at once, and each
// displaces the one before while its end still waits to be read.
const departure = 250 * time.Millisecond

// stays reports whether the client of a displaced response is still there.
func stays(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(departure):
		return true
	}
}

// writeOnce writes a response of one batch.
func (h *Handler) writeOnce(w http.ResponseWriter, f format, pg page, b *csp.Batch) {
	out := f.batch(f.open(nil, pg), b)
	w.Header().Set("Content-Length", strconv.Itoa(len(out)))
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(h.opts.WriteTimeout))
	w.Write(out)
}

// refuse answers with the cause in the format of the endpoint.
func refuse(w http.ResponseWriter, f format, pg page, err error) {
	var why *cause.Error
	if !errors.As(err, &why) {
		why = cause.Internal.Err()
	}
	if !f.quiet() {
		if why.Retry > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(why.Retry))
		}
		w.WriteHeader(Status(err))
	}
	w.Write(f.batch(f.open(nil, pg), &csp.Batch{Close: why}))
}

// Status is the HTTP status that goes with a refusal.
func Status(err error) int {
	if errors.As(err, new(tooMany)) {
		return http.StatusTooManyRequests
	}
	why := cause.Internal.Err()
	errors.As(err, &why)
	switch why.Code {
	case cause.Denied:
		return http.StatusForbidden
	case cause.SessionLost, cause.Closed, cause.Idle, cause.Displaced:
		return http.StatusNotFound
	case cause.GoingAway:
		return http.StatusServiceUnavailable
	case cause.Internal:
		return http.StatusInternalServerError
	case cause.Limit:
		if why.Retry > 0 {
			return http.StatusServiceUnavailable
		}
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}
