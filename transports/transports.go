package transports

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"encke/csp"
)

// Names of the transports, in the order of preference; the client uses the same
// names.
const (
	WebSocket      = "websocket"
	FetchStreaming = "fetch-streaming"
	XHRStreaming   = "xhr-streaming"
	EventSource    = "eventsource"
	LongPolling    = "long-polling"
	Iframe         = "iframe"
	JSONP          = "jsonp"
)

// All lists every transport.
func All() []string {
	return []string{WebSocket, FetchStreaming, XHRStreaming, EventSource, LongPolling, Iframe, JSONP}
}

// Default lists the transports that are served unless told otherwise. Iframe and
// JSONP answer to GET requests that any page can make, so they must be asked for.
func Default() []string { return All()[:5] }

// Options are the settings of a Handler. The zero value is the recommended setting.
type Options struct {
	// Transports are the names of those served. Default Default().
	Transports []string

	// Origins says which pages may open sessions. Default: those that come from
	// the proxy itself.
	Origins Origins

	// Heartbeat is how long a link may be silent; it may be a hundredth less. Default 25 s.
	Heartbeat time.Duration

	// Silence is how long after a heartbeat was due a WebSocket that brought
	// nothing is taken for dead. Default 20 s.
	Silence time.Duration

	// WriteTimeout is how long one write may wait for the other side. Default 15 s.
	WriteTimeout time.Duration

	// BodyTimeout is how long the body of a request may take. Default 15 s.
	BodyTimeout time.Duration

	// MinBodyRate is how many bytes a second of a body must come, on average, when
	// it takes longer than 5 s. Default 512.
	MinBodyRate int

	// AddressSessions bounds the live sessions of each address (an IPv4 address or
	// an IPv6 /64). Default 200; -1: no bound.
	AddressSessions int

	// AddressHandshakes is how many sessions each address may open in a second,
	// and five times as many at once. Default 20; -1: no bound.
	AddressHandshakes int

	// AddressUpgrades is how many WebSockets each address may open in a second,
	// and five times as many at once. Default 20; -1: no bound.
	AddressUpgrades int

	// AddressRequests is how many requests of each address may be under way, open polls
	// and streams among them. Default 1,000; negative: no limit.
	AddressRequests int

	// Log gets refusals. Nil: none.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Transports == nil {
		o.Transports = Default()
	}
	for _, d := range [...]struct {
		p *time.Duration
		v time.Duration
	}{
		{&o.Heartbeat, 25 * time.Second}, {&o.Silence, 20 * time.Second},
		{&o.WriteTimeout, 15 * time.Second}, {&o.BodyTimeout, 15 * time.Second},
	} {
		if *d.p == 0 {
			*d.p = d.v
		}
	}
	for _, n := range [...]struct {
		p *int
		v int
	}{
		{&o.MinBodyRate, 512}, {&o.AddressSessions, 200}, {&o.AddressHandshakes, 20}, {&o.AddressUpgrades, 20}, {&o.AddressRequests, 1000},
	} {
		if *n.p == 0 {
			*n.p = n.v
		}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Handler serves the paths below /session/.
type Handler struct {
	server *csp.Server
	opts   Options
	routes map[string]route
	links  sync.WaitGroup // WebSockets, which net/http does not wait for
	limits limits
	stats  counters
	rounds rounds // heartbeats

	mu      sync.Mutex
	live    map[io.Closer]struct{} // connections and answers that net/http no longer has
	closing bool                   // Wait was called: nothing is added to links

	stopping context.Context // done when Wait is called
	stop     context.CancelFunc
}

// route is how one path is served.
type route struct {
	method string
	get    bool   // the records come in the query, and no dependable Origin
	kind   string // the transport
	format format // of the answer; nil for WebSocket
	uplink bool   // answers at once, has no downlink
}

// New returns a Handler for the sessions of server. It fails when an option names
// a transport that does not exist.
func New(server *csp.Server, opts Options) (*Handler, error) {
	h := &Handler{server: server, opts: opts.withDefaults(), routes: make(map[string]route), live: make(map[io.Closer]struct{})}
	h.stopping, h.stop = context.WithCancel(context.Background())
	h.limits = newLimits(&h.opts)
	h.rounds.width = h.opts.Heartbeat / 100
	for _, name := range h.opts.Transports {
		switch name {
		case WebSocket:
			h.routes["websocket"] = route{method: http.MethodGet, kind: name}
		case FetchStreaming:
			h.routes["fetch-streaming"] = route{method: http.MethodPost, kind: name, format: fetchStreaming{}}
		case XHRStreaming:
			h.routes["xhr-streaming"] = route{method: http.MethodPost, kind: name, format: xhrStreaming{}}
		case EventSource:
			h.routes["eventsource"] = route{method: http.MethodGet, get: true, kind: name, format: eventSource{}}
		case LongPolling:
			h.routes["long-polling"] = route{method: http.MethodPost, kind: name, format: longPolling{}}
		case Iframe:
			h.routes["iframe"] = route{method: http.MethodGet, get: true, kind: name, format: &iframe{}}
		case JSONP:
			h.routes["jsonp"] = route{method: http.MethodGet, get: true, kind: name, format: &jsonp{}}
			h.routes["jsonp-send"] = route{method: http.MethodGet, get: true, kind: name, format: &jsonp{}, uplink: true}
		default:
			return nil, fmt.Errorf("unknown transport %q; the transports are %s", name, strings.Join(All(), ", "))
		}
	}
	if !slices.Equal(h.opts.Transports, []string{JSONP}) {
		h.routes["send"] = route{method: http.MethodPost, kind: "send", format: longPolling{}, uplink: true}
	}
	return h, nil
}

// Wait returns when all links that net/http no longer has have ended, which they do when
// their sessions are closed or displaced. Those that take longer than patience are cut,
// and no new ones are taken.
func (h *Handler) Wait(patience time.Duration) {
	h.mu.Lock()
	h.closing = true
	h.mu.Unlock()
	h.stop()
	cut := time.AfterFunc(patience, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		for c := range h.live {
			c.Close()
		}
	})
	defer cut.Stop()
	h.links.Wait()
}

// spawn runs f in a goroutine that Wait waits for, unless Wait was called.
func (h *Handler) spawn(f func()) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closing {
		h.links.Go(f)
	}
	return !h.closing
}

// here runs f, which Wait waits for, unless that was called.
func (h *Handler) here(f func()) bool {
	h.mu.Lock()
	if h.closing {
		h.mu.Unlock()
		return false
	}
	h.links.Add(1)
	h.mu.Unlock()
	defer h.links.Done()
	f()
	return true
}

func (h *Handler) track(c io.Closer, live bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if live {
		h.live[c] = struct{}{}
	} else {
		delete(h.live, c)
	}
}

// ServeHTTP serves one request whose path begins with /session/.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	answerHead(head)
	rt, ok := h.routes[strings.TrimPrefix(r.URL.Path, "/session/")]
	if !ok {
		http.Error(w, "no such transport, or not served here", http.StatusNotFound)
		return
	}
	origin, ok := h.admitOrigin(w, r, rt.get)
	if !ok {
		return
	}
	if !rt.get && rt.format != nil || rt.kind == EventSource {
		head.Set("Access-Control-Allow-Origin", origin)
		head.Del("Cross-Origin-Resource-Policy") // is for what is loaded without CORS
	}
	switch {
	case r.Method == http.MethodOptions && rt.method == http.MethodPost:
		Preflight(w, r, http.MethodPost)
	case r.Method != rt.method:
		h.stats.method.Add(1)
		head.Set("Allow", rt.method)
		http.Error(w, "wrong method", http.StatusMethodNotAllowed)
	case rt.kind == WebSocket:
		h.serveWebSocket(w, r, origin)
	default:
		h.serveHTTP(w, r, rt, origin)
	}
}

// answerHead sets the headers that all answers have.
func answerHead(head http.Header) {
	for name, value := range answerFields {
		head[name] = value
	}
}

// answerFields are shared by all answers; appending to a value copies it.
var answerFields = map[string][]string{
	"Vary":                         {"Origin"},
	"X-Content-Type-Options":       {"nosniff"},
	"Cache-Control":                {"no-cache, no-store, no-transform"},
	"X-Accel-Buffering":            {"no"},
	"Referrer-Policy":              {"no-referrer"},
	"Cross-Origin-Resource-Policy": {"cross-origin"},
}

// admitOrigin returns the canonical origin of the page, or answers 403 and reports false.
func (h *Handler) admitOrigin(w http.ResponseWriter, r *http.Request, get bool) (string, bool) {
	origin, err := h.opts.Origins.check(r, get)
	if err != nil {
		h.stats.origin.Add(1)
		h.opts.Log.Warn("origin refused", "origin", clip(r.Header.Get("Origin")), "remote", r.RemoteAddr, "reason", err)
		http.Error(w, "this page may not open sessions here: its origin is not accepted (--origin)", http.StatusForbidden)
		return "", false
	}
	return origin, true
}

// Peer is who made a request from a page of that origin, for the session it opens.
func Peer(r *http.Request, origin string) csp.Peer {
	return csp.Peer{Origin: origin, Addr: r.RemoteAddr, Host: r.Host}
}

// Preflight answers what a browser asks before a request that is not simple. Our
// own client makes none.
func Preflight(w http.ResponseWriter, r *http.Request, methods string) {
	head := w.Header()
	head.Set("Access-Control-Allow-Methods", methods)
	head.Set("Access-Control-Allow-Headers", "Content-Type")
	head.Set("Access-Control-Max-Age", "600")
	if r.Header.Get("Access-Control-Request-Private-Network") == "true" {
		head.Set("Access-Control-Allow-Private-Network", "true")
	}
	w.WriteHeader(http.StatusNoContent)
}

// clip bounds what an untrusted string adds to a log line.
func clip(s string) string {
	if len(s) > 256 {
		return s[:256]
	}
	return s
}
