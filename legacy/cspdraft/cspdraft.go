package cspdraft

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"encke/cause"
	"encke/csp"
	"encke/legacy"
	"encke/transports"
	"encke/whitelist"
)

// name is the name of the protocol for --legacy, and that of its sessions.
const name = "csp"

// adapter serves the resources of the draft below /csp.
type adapter struct {
	p      *legacy.Proxy
	target *whitelist.Dest // of all sessions of our own framing; nil: each says its own
}

// protocol returns the protocol. Its own framing is one socket for each session; it carries
// those of others.
func (a *adapter) protocol() legacy.Protocol {
	byGet, byOther := a.p.Handler.Guard(true, a.serve), a.p.Handler.Guard(false, a.serve)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			byGet.ServeHTTP(w, r)
			return
		}
		byOther.ServeHTTP(w, r)
	})
	return legacy.Protocol{
		Routes:  map[string]http.Handler{"/csp": h, "/csp/": h},
		Accept:  a.accept,
		Framing: &legacy.Framing{Open: a.open},
	}
}

// Strings that answers hold.
const (
	accepted = `"OK"`
	unknown  = `'Session not found'` // clients compare it
	notFound = `"Not found"`
)

// serve serves one request of a page that may make it.
func (a *adapter) serve(w http.ResponseWriter, r *http.Request, origin string) {
	leaf := strings.TrimPrefix(r.URL.Path, "/csp/")
	switch leaf {
	case "handshake", "comet", "send", "close", "streamtest":
	default:
		a.text(w, http.StatusNotFound, notFound)
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodPost:
	case http.MethodOptions:
		transports.Preflight(w, r, "GET, POST")
		return
	default:
		w.Header().Set("Allow", "GET, POST, OPTIONS")
		a.text(w, http.StatusMethodNotAllowed, `"wrong method"`)
		return
	}
	if leaf == "streamtest" {
		a.streamTest(w)
		return
	}
	q := &request{variables: defaults}
	q.parse(r.URL.RawQuery)
	release, ok := a.body(w, r, leaf, q)
	if !ok {
		return
	}
	defer release()
	if leaf == "handshake" {
		a.handshake(w, r, q, origin)
		return
	}
	if leaf == "comet" {
		q.lastEventID(r.Header)
	}
	s, err := a.p.Resume(name, q.key, origin)
	v := defaults
	if err == nil {
		v = s.Handler().(*conn).variables()
	}
	if bad := q.over(v); bad != nil {
		a.refuse(w, bad)
		return
	}
	if err != nil {
		a.late(w, q, origin, leaf, err)
		return
	}
	c := s.Handler().(*conn)
	c.remember(q.variables)
	q.ack = min(q.ack, s.Sent()) // what was never sent is not held against a client
	if err := s.Acked(q.ack); err != nil {
		a.late(w, q, origin, leaf, err)
		return
	}
	switch leaf {
	case "comet":
		a.comet(w, r, c, q, origin)
	case "send":
		a.send(w, r, c, q, origin)
	case "close":
		s.Close(cause.Closed.Err())
		a.answer(w, q, origin, http.StatusOK, accepted)
	}
}

// body reads the body of a POST. It is the value of d, but for comet, where it is a query.
// release must be called when that is no longer used. If there is none, false: all is said.
func (a *adapter) body(w http.ResponseWriter, r *http.Request, leaf string, q *request) (release func(), ok bool) {
	if r.Method != http.MethodPost || r.ContentLength == 0 {
		return func() {}, true
	}
	body, buf, err := a.p.Handler.Body(w, r)
	var why *cause.Error
	switch {
	case errors.As(err, &why):
		a.refuse(w, why)
		return nil, false
	case err != nil: // the client sends it again
		panic(http.ErrAbortHandler)
	}
	if leaf == "comet" {
		q.parse(string(body))
	} else if len(body) > 0 {
		q.data = body
	}
	return func() {
		if buf != nil {
			buf.Release()
		}
	}, true
}

// handshake opens a session. What it says in d are extensions, of which there are none.
func (a *adapter) handshake(w http.ResponseWriter, r *http.Request, q *request, origin string) {
	if err := q.over(defaults); err != nil {
		a.refuse(w, err)
		return
	}
	var key csp.Key
	rand.Read(key[:])
	peer := transports.Peer(r, origin)
	peer.Protocol = name
	s, err := a.p.Sessions.Open(peer, key)
	if err != nil {
		a.refuse(w, err)
		return
	}
	c := s.Handler().(*conn)
	c.remember(q.variables)
	c.begin()
	id, _ := json.Marshal(s.ID())
	a.answer(w, q, origin, http.StatusOK, `{"session":`+string(id)+`}`)
}

// late answers a request for a session that is over or was none.
func (a *adapter) late(w http.ResponseWriter, q *request, origin, leaf string, err error) {
	closed := errors.Is(err, cause.Closed.Err())
	switch {
	case leaf == "comet" && closed:
		a.batchOnly(w, q, origin, &csp.Batch{})
	case leaf == "comet" && (callback(q.batchPrefix) || q.batchPrefix == iframeStart):
		// Scripts and frames do not see a status. The end of the session is a packet that
		// they understand.
		a.batchOnly(w, q, origin, &csp.Batch{Close: cause.SessionLost.Err()})
	case leaf == "comet":
		a.text(w, http.StatusNotFound, unknown)
	case closed:
		a.answer(w, q, origin, http.StatusOK, accepted)
	case callback(q.requestPrefix):
		a.answer(w, q, origin, http.StatusOK, unknown)
	default:
		a.text(w, http.StatusNotFound, unknown)
	}
}

// streamTest writes a few pieces, from which a client can tell whether they come at once.
func (a *adapter) streamTest(w http.ResponseWriter) {
	w.Header().Set("Content-Type", contentTypes["text/plain"])
	for range 3 {
		if a.p.Handler.Write(w, []byte("([])\n"), true) != nil {
			return
		}
	}
}
