package transports

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/csp"
	"encke/quota"
)

// maxProbes is how many probes of one request are answered.
const maxProbes = 8

// maxQuery is how many characters of base64 may come in the head of a request, as `d` of a
// GET or with a WebSocket: with all else a request line stays below the 8 KiB that the proxy
// and common balancers take.
const maxQuery = 7680

// uplink is what one request brought: the session it is for and packets for it.
type uplink struct {
	hello   csp.Record    // New or Resume
	hold    time.Duration // how long the answer may be silent
	packets []csp.Packet
	from    int    // index of the first of the message that is being read
	acked   uint64 // the highest acknowledgement: it says all that lower ones say
	pings   int    // probes to answer on the session's downlink
	probes  int    // probes to answer on the downlink that this request becomes
	close   *cause.Error
	session *csp.Session // what the hello names, as soon as it is found
	release func()       // says that the request was served
	conn    takeable     // that the request came over, or nil
}

// parse reads all records of a body before any of them has effect. It returns the id
// that the next packet would have.
func (u *uplink) parse(body []byte) (next uint64, err error) {
	next, err = csp.Parse(body, 0, u.record)
	if err == nil && u.hello.Kind == 0 {
		err = cause.ProtocolError.With("empty request")
	}
	return next, err
}

func (u *uplink) record(r *csp.Record) error {
	first := u.hello.Kind == 0
	hello := r.Kind == csp.New || r.Kind == csp.Resume
	switch {
	case first != hello:
		return cause.ProtocolError.With("a request begins with one NEW or RESUME")
	case r.Kind == csp.New && r.Version != csp.Version:
		return cause.ProtocolError.With("protocol version %d; this proxy speaks %d", r.Version, csp.Version)
	case hello:
		u.hello = *r
		return nil
	}
	return u.take(r)
}

// take notes a record behind the hello.
func (u *uplink) take(r *csp.Record) error {
	switch r.Kind {
	case csp.Data, csp.End:
		if len(u.packets)-u.from == csp.MaxPackets {
			return cause.Limit.With("more than %d packets at once", csp.MaxPackets)
		}
		u.packets = append(u.packets, csp.Packet{ID: r.ID, Data: r.Data, End: r.Kind == csp.End})
	case csp.Ack:
		u.acked = max(u.acked, r.ID)
	case csp.Ping:
		u.pings++
	case csp.Close:
		u.close = &cause.Error{Code: cause.FromWire(r.Cause), Text: "by the page"}
	case csp.NOP, csp.Pong:
	default:
		return cause.ProtocolError.With("record 0x%02x from a client", byte(r.Kind))
	}
	return nil
}

// session finds or opens the session that the hello names.
func (h *Handler) session(u *uplink, peer csp.Peer) (*csp.Session, error) {
	s, err := h.find(u, peer)
	if err != nil {
		return nil, err
	}
	u.session = s
	if s.Moved(quota.Key(peer.Addr)) {
		h.stats.moved.Add(1)
		h.opts.Log.Info("session moved", "session", s.Digest(), "origin", peer.Origin, "remote", peer.Addr)
	}
	return s, nil
}

func (h *Handler) find(u *uplink, peer csp.Peer) (*csp.Session, error) {
	if u.hello.Kind == csp.New {
		return h.server.Open(peer, u.hello.Key)
	}
	s, err := h.server.Resume(string(u.hello.Session))
	switch {
	case err != nil:
		return nil, err
	case s.Peer().Protocol != "":
		return nil, cause.SessionLost.With("unknown session")
	case s.Peer().Origin != peer.Origin:
		return nil, cause.Denied.With("the session belongs to another origin")
	}
	return s, nil
}

// apply lets what the request brought take effect. An error of Deliver or Acked
// has ended the session.
func (u *uplink) apply(s *csp.Session, answered bool) error {
	return u.applyWith(s, answered, func(packets []csp.Packet) (uint64, error) { return s.Deliver(packets, answered) })
}

// applyWith is apply with another Deliver.
func (u *uplink) applyWith(s *csp.Session, answered bool, deliver func([]csp.Packet) (uint64, error)) error {
	if u.hello.Kind == csp.Resume {
		u.acked = max(u.acked, u.hello.ID)
	}
	if u.acked > 0 {
		if err := s.Acked(u.acked); err != nil {
			return err
		}
	}
	if len(u.packets) > 0 || answered {
		if _, err := deliver(u.packets); err != nil {
			return err
		}
	}
	for range min(u.pings, maxProbes) {
		s.Ping()
	}
	if u.close != nil {
		s.Close(u.close)
	}
	return nil
}

// firstBody is how much room a body gets on its word, in bytes; each time that is full
// it gets what it asks for, at most eight times as much.
const firstBody = 4<<10 - buffer.Headroom

// body reads the records of a request. The buffer, if there is one, is to be
// released when they are no longer used.
func (h *Handler) body(w http.ResponseWriter, r *http.Request, get bool) ([]byte, *buffer.Buffer, error) {
	if get {
		p, err := decode("d", r.URL.Query().Get("d"))
		return p, nil, err
	}
	return h.Body(w, r)
}

// decode returns the records that came as text in the head of a request.
func decode(what, text string) ([]byte, error) {
	if len(text) > maxQuery {
		return nil, cause.Limit.With("%s of more than %d characters", what, maxQuery)
	}
	p, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") { // which the decoder passes over
		return nil, cause.ProtocolError.With("%s is not URL-safe base64 without padding", what)
	}
	return p, nil
}

// Body reads the body of a request, 1 MiB at most and no slower than bodies may come. The
// buffer, if there is one, is to be released when its bytes are no longer used.
// The error is a *cause.Error for a body that is too large; else it did not arrive whole
// and there may be nobody to be told.
func (h *Handler) Body(w http.ResponseWriter, r *http.Request) ([]byte, *buffer.Buffer, error) {
	if r.ContentLength > csp.MaxBody {
		return nil, nil, errTooLarge
	}
	pace := h.newPace(w)
	size := int(r.ContentLength)
	if size < 0 || size >= firstBody {
		size = firstBody - 1 // the rest is believed as it comes
	}
	b := buffer.Get(size + 1) // one more, to see the end without growing
	account := h.server.Budget().Account()
	defer account.Set(0)
	for {
		if len(b.Room()) == 0 {
			size := min(8*b.Len(), csp.MaxBody+1)
			if r.ContentLength >= 0 {
				size = min(size, int(r.ContentLength)+1)
			}
			if b = h.grow(b, size, &account); b == nil {
				return nil, nil, errAborted // so that it is sent again
			}
		}
		pace.wait(b.Len())
		n, err := r.Body.Read(b.Room())
		b.Extend(n)
		switch {
		case b.Len() > csp.MaxBody:
			b.Release()
			return nil, nil, errTooLarge
		case err == io.EOF:
			pace.done()
			return b.Bytes(), b, nil
		case err != nil:
			b.Release()
			return nil, nil, errAborted
		}
	}
}

var (
	errTooLarge = cause.Limit.With("body of more than %d bytes", csp.MaxBody)
	errAborted  = errors.New("the body did not arrive whole")
)

// grow returns a buffer of that size with the same content, or nil when the
// process has no memory to spare: half-sent bodies and messages belong to no session
// that could be closed for them. Either way b is released.
func (h *Handler) grow(b *buffer.Buffer, size int, account *buffer.Account) *buffer.Buffer {
	defer b.Release()
	if !h.server.Budget().Fits(size) {
		h.stats.starved.Add(1)
		return nil
	}
	account.Set(size)
	larger := buffer.Get(size)
	larger.Append(b.Bytes())
	return larger
}

// hold returns how long a downlink may be silent, as the request asks.
func (h *Handler) hold(r *http.Request) (time.Duration, error) {
	s := ""
	if r.URL.RawQuery != "" { // else a map would be made for nothing
		s = r.URL.Query().Get("hold")
	}
	if s == "" {
		return h.opts.Heartbeat, nil
	}
	n, err := strconv.ParseUint(s, 10, 8)
	if err != nil || n < 1 || n > 60 || strings.HasPrefix(s, "+") {
		return 0, cause.ProtocolError.With("hold must be 1 to 60 seconds")
	}
	return time.Duration(n) * time.Second, nil
}
