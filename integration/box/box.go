// Package box is an HTTP intermediary with the bad habits that middleboxes have: it holds
// answers back, cuts silent ones, does not know WebSocket, caches, repeats, rewrites.
//
//	b := box.New(t, proxyAddr, box.Habits{Hold: 4 << 10})
//	page.Goto("http://" + b.Addr() + "/...")
//
// It is between HTTP and HTTP, where package relay is between TCP and TCP. Without habits
// it passes requests, answers and WebSockets as they come. Only what lies below /session/
// suffers.
package box

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// Habits are what a box does. The zero value is a good one.
type Habits struct {
	// Hold keeps the body of an answer back until there are so many bytes, or its end.
	Hold int

	// HoldAll keeps the body of an answer back until its end.
	HoldAll bool

	// CutIdle ends an answer that was silent for so long: one without a head yet
	// becomes a 504.
	CutIdle time.Duration

	// EndIdle ends an answer that was silent for so long as if that were its end.
	EndIdle time.Duration

	// NoUpgrade drops the header Upgrade, so that a WebSocket becomes a plain GET.
	NoUpgrade bool

	// Frames, if not nil, is how many frames of a WebSocket are passed down; what comes
	// after them is swallowed without a word.
	Frames *int

	// Cache answers a GET from the last complete answer to the same URL, whatever its
	// headers say.
	Cache bool

	// Repeat sends a POST again when it has been answered, and passes on the second
	// answer.
	Repeat bool

	// Charset adds a charset to every Content-Type.
	Charset bool

	// Gzip compresses answers for those who take it, whatever their headers say.
	Gzip bool
}

// Box is a running intermediary.
type Box struct {
	server *httptest.Server
	target string
	habits Habits
	proxy  *httputil.ReverseProxy

	mu    sync.Mutex
	cache map[string]*kept
	paths map[string]int // requests by the last part of their path
	done  map[string]int // what the habits did, by their names
}

// New starts a box in front of target ("host:port") on a free port of 127.0.0.1. It ends
// with t.
func New(t testing.TB, target string, h Habits) *Box {
	t.Helper()
	b := &Box{target: target, habits: h, cache: make(map[string]*kept), paths: make(map[string]int), done: make(map[string]int)}
	transport := &http.Transport{DisableCompression: true}
	b.proxy = &httputil.ReverseProxy{
		Transport:     transport,
		FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: target})
			r.Out.Host = r.In.Host
		},
		ModifyResponse: b.rewrite,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			w.WriteHeader(http.StatusGatewayTimeout)
		},
		ErrorLog: quiet,
	}
	b.server = httptest.NewUnstartedServer(http.HandlerFunc(b.serve))
	b.server.Config.ErrorLog = quiet
	b.server.Start()
	t.Cleanup(func() {
		b.server.CloseClientConnections()
		b.server.Close()
		transport.CloseIdleConnections()
	})
	return b
}

// Addr is where the box listens, as 127.0.0.1:PORT.
func (b *Box) Addr() string { return b.server.Listener.Addr().String() }

// Rest closes the box's own connections to the target that nothing uses.
func (b *Box) Rest() { b.proxy.Transport.(*http.Transport).CloseIdleConnections() }

// Requests is how many requests came for a path that ends in name, such as "send".
func (b *Box) Requests(name string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.paths[name]
}

// Did is how often a habit had an effect: "hold", "cut", "end", "upgrade", "frames", "cache",
// "repeat", "charset", "gzip".
func (b *Box) Did(habit string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.done[habit]
}

func (b *Box) did(habit string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done[habit]++
}

func (b *Box) serve(w http.ResponseWriter, r *http.Request) {
	_, name, session := strings.Cut(r.URL.Path, "/session/")
	if !session {
		b.proxy.ServeHTTP(w, r)
		return
	}
	b.mu.Lock()
	b.paths[name]++
	b.mu.Unlock()
	upgrade := r.Header.Get("Upgrade") != ""
	switch {
	case upgrade && b.habits.NoUpgrade:
		b.did("upgrade")
		r.Header.Del("Upgrade")
		r.Header.Set("Connection", "close")
	case upgrade && b.habits.Frames != nil:
		b.swallow(w, r)
		return
	case b.habits.Cache && r.Method == http.MethodGet && b.fromCache(w, r):
		return
	case b.habits.Repeat && r.Method == http.MethodPost && (name == "send" || name == "long-polling"):
		b.repeat(r)
	}
	if b.habits.CutIdle > 0 && !upgrade {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		idle := time.AfterFunc(b.habits.CutIdle, func() { b.did("cut"); cancel() })
		defer idle.Stop()
		r = r.WithContext(context.WithValue(ctx, idleKey{}, idle))
	}
	b.proxy.ServeHTTP(w, r)
}

// idleKey finds the timer of CutIdle in a request's context.
type idleKey struct{}

// repeat makes a request once, in addition to the one that is passed on.
func (b *Box) repeat(r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	first, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+b.target+r.URL.RequestURI(), strings.NewReader(string(body)))
	if err != nil {
		return
	}
	first.Header = r.Header.Clone()
	first.Host = r.Host
	resp, err := b.proxy.Transport.RoundTrip(first)
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	b.did("repeat")
}
