package app

import (
	"net/http"

	"encke/transports"
)

// strictTransport tells browsers that came by TLS to come by nothing else for a year
// (RFC 6797). Loopback names are left out: they are shared by everything that somebody
// develops on a machine, at any port.
func strictTransport(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil && !transports.Hosts(nil).Accepts(r.Host) {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}
