package app

import (
	"net/http"
	"path"
	"strings"
)

// exactPaths answers 404 to what http.ServeMux would redirect to a cleaned path: empty
// elements, "." and "..". The redirect would be sent before anyone has looked at the Host,
// as a page of HTML that repeats the path and query of the request.
func exactPaths(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked := r.URL.EscapedPath()
		clean := path.Clean(asked)
		if strings.HasSuffix(asked, "/") && clean != "/" {
			clean += "/"
		}
		if asked != clean {
			notFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// notFound is http.NotFound in the words of package static.
func notFound(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Error(w, "not found", http.StatusNotFound)
}
