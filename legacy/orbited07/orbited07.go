package orbited07

import (
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"strings"

	"encke/cause"
	"encke/csp"
	"encke/legacy"
	"encke/transports"
)

// Name is the protocol in --legacy and in Peer.Protocol.
const Name = "orbited07"

// adapter serves the protocol.
type adapter struct {
	p     *legacy.Proxy
	files *files
}

// New returns the protocol.
func New(p *legacy.Proxy) legacy.Protocol {
	a := &adapter{p: p, files: newFiles(p)}
	tcp := a.tcp()
	return legacy.Protocol{
		Routes: map[string]http.Handler{
			"/tcp":  tcp,
			"/tcp/": tcp,
			"/static": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // or a redirect to it with a slash would be sent
				a.files.serve(w, r, "")
			}),
			"/static/": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				a.files.serve(w, r, strings.TrimPrefix(r.URL.Path, "/static/"))
			}),
		},
		Folder: folder,
		Accept: a.accept,
	}
}

// tcp serves everything from /tcp on.
func (a *adapter) tcp() http.Handler {
	get, post := a.p.Handler.Guard(true, a.get), a.p.Handler.Guard(false, a.post)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, isFile := strings.CutPrefix(r.URL.Path, "/tcp/static/")
		switch {
		case isFile:
			a.files.serve(w, r, name)
		case r.Method == http.MethodGet:
			get.ServeHTTP(w, r)
		case r.Method == http.MethodPost:
			post.ServeHTTP(w, r)
		default:
			w.Header().Set("Allow", "GET, POST")
			w.Header().Set("Referrer-Policy", "no-referrer")
			http.Error(w, "wrong method", http.StatusMethodNotAllowed)
		}
	})
}

// get opens a session or serves a downstream request of one.
func (a *adapter) get(w http.ResponseWriter, r *http.Request, origin string) {
	if r.ContentLength != 0 {
		http.Error(w, "a GET has no body", http.StatusBadRequest)
		return
	}
	if r.URL.Path == "/tcp" || r.URL.Path == "/tcp/" {
		a.open(w, r, origin)
		return
	}
	key, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/tcp/"), "/")
	t := byName[name]
	if t == nil {
		http.Error(w, "no such transport", http.StatusNotFound)
		return
	}
	ack, err := ackOf(r)
	if err != nil {
		refuse(w, err)
		return
	}
	if t.html {
		origin = a.opener(key, origin)
	}
	c, err := a.find(key, origin)
	if err == nil {
		err = c.serve(w, r, t, ack)
	}
	switch {
	case err != nil && t.html: // a status would tell nobody
		t.head(w.Header())
		io.WriteString(w, closedPage)
	case err != nil:
		lost(w, err)
	}
}

// open answers with the key of a new session.
func (a *adapter) open(w http.ResponseWriter, r *http.Request, origin string) {
	var once csp.Key
	rand.Read(once[:])
	peer := transports.Peer(r, origin)
	peer.Protocol = Name
	s, err := a.p.Sessions.Open(peer, once)
	if err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", text)
	io.WriteString(w, s.ID())
}

// find returns the connection of the session with this key.
func (a *adapter) find(key, origin string) (*conn, error) {
	s, err := a.p.Resume(Name, key, origin)
	if err != nil {
		return nil, err
	}
	return s.Handler().(*conn), nil
}

// opener returns the origin that counts as that of a page which asks for the frame of the
// session with this key. The session of a page of another port is opened through the bridge,
// which is a page of the proxy's, but its frame is asked for by the page itself. Sessions
// that other pages have opened are theirs alone.
func (a *adapter) opener(key, origin string) string {
	s, err := a.p.Sessions.Resume(key)
	if err != nil {
		return origin
	}
	opener := s.Peer()
	if _, host, _ := strings.Cut(opener.Origin, "://"); strings.EqualFold(host, opener.Host) {
		return opener.Origin
	}
	return origin
}

// lost answers a request for a session that is over, or never was.
func lost(w http.ResponseWriter, err error) {
	if errors.Is(err, cause.Denied.Err()) {
		refuse(w, err)
		return
	}
	http.Error(w, "no such session", http.StatusNotFound)
}

// refuse answers with the status of an error. All but 200 are the end for the client.
func refuse(w http.ResponseWriter, err error) {
	var why *cause.Error
	if !errors.As(err, &why) {
		why = cause.Internal.Err()
	}
	http.Error(w, why.Error(), transports.Status(err))
}
