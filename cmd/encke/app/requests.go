package app

import (
	"net/http"
	"time"

	"encke/edge"
	"encke/transports"
)

// handle is what every request goes through, from the outside in.
func (a *App) handle(set *settings) http.Handler {
	return strictTransport(a.wellFormed(edge.Forwarded(set.trusted).Handler(a.limitBodies(exactPaths(a.routes)))))
}

// wellFormed refuses what edge.Conn refuses in HTTP/1. It ends a connection behind a
// request that asks for an upgrade; one that gets it overrides that.
func (a *App) wellFormed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fields := 0
		if r.ProtoMajor > 1 { // else edge.Conn has counted them
			for _, values := range r.Header {
				fields += len(values)
			}
		}
		switch {
		case fields > edge.MaxFields || r.ProtoMajor > 1 && len(r.URL.RequestURI()) > edge.MaxRequestLine:
			a.edge.TooLarge.Add(1)
			refuse(w, http.StatusRequestHeaderFieldsTooLarge, "header too large")
		case r.Method == http.MethodConnect || r.URL.IsAbs() || r.URL.Host != "":
			a.edge.Malformed.Add(1)
			refuse(w, http.StatusBadRequest, "the target of a request is a path")
		default:
			if r.Header.Get("Upgrade") != "" {
				w.Header().Set("Connection", "close")
			}
			next.ServeHTTP(w, r)
		}
	})
}

func refuse(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Error(w, text, status) // plain text, nosniff
}

// limitBodies bounds how long the body of a request may take, also where nobody
// reads it: net/http does before it answers. Who reads a body sets a limit of his own.
func (a *App) limitBodies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			http.NewResponseController(w).SetReadDeadline(time.Now().Add(a.cfg.BodyTimeout))
		}
		next.ServeHTTP(w, r)
	})
}

// guard passes on requests to one of our names, and counts the others.
func (a *App) guard(next http.Handler) http.Handler {
	hosts := transports.Hosts(a.cfg.Hosts)
	refused := hosts.Guard(nil)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !hosts.Accepts(r.Host) {
			a.hosts.Add(1)
			refused.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// paced bounds how long each write of an answer may wait for the client. Sessions of our own
// client see to that themselves.
func (a *App) paced(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		timeout := a.cfg.WriteTimeout
		if r.ContentLength != 0 { // before it writes, net/http waits for the body
			timeout += a.cfg.BodyTimeout
		}
		next.ServeHTTP(&pacedWriter{w, timeout}, r)
	})
}

type pacedWriter struct {
	http.ResponseWriter
	timeout time.Duration
}

func (w *pacedWriter) Write(p []byte) (int, error) {
	http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(w.timeout))
	return w.ResponseWriter.Write(p)
}

// Unwrap is there for http.ResponseController.
func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
