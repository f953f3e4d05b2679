package pages

import (
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

//go:embed *.js
var modules embed.FS

// page loads the client from the proxy and then the scripts named in the query.
var page = template.Must(template.New("page").Parse(`<!doctype html>
<meta charset="utf-8">
<title>Encke end to end</title>
<link rel="icon" href="data:,">
<script src="{{.Client}}"></script>
{{range .Modules}}<script type="module" src="{{.}}"></script>
{{end}}{{range .Scripts}}<script src="{{.}}"></script>
{{end}}`))

// Site is a web server with the test pages.
type Site struct {
	Scripts map[string][]byte // further scripts by path ("/clients/irc.js"); to be set before use
}

// ServeHTTP serves the pages, the modules and the scripts.
//
// The page is at any path that ends with a slash. Its query: client, the address of the
// client script, which may be relative; module and script, the scripts to load after it.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if script, ok := s.Scripts[r.URL.Path]; ok {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		_, _ = w.Write(script)
		return
	}
	if !strings.HasSuffix(r.URL.Path, "/") {
		w.Header().Set("Access-Control-Allow-Origin", "*") // a page of another origin may import them
		http.FileServerFS(modules).ServeHTTP(w, r)
		return
	}
	query := r.URL.Query()
	client, err := url.Parse(query.Get("client"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Security-Policy", policy(client))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = page.Execute(w, map[string]any{
		"Client":  client.String(),
		"Modules": query["module"],
		"Scripts": query["script"],
	})
}

// policy is the strictest one under which every transport can work: nothing inline, no
// eval, nothing from elsewhere than the site and the proxy.
func policy(client *url.URL) string {
	proxy, socket := "", ""
	if client.Host != "" {
		proxy = " " + client.Scheme + "://" + client.Host
		socket = " " + strings.Replace(client.Scheme, "http", "ws", 1) + "://" + client.Host
	}
	return fmt.Sprintf("default-src 'none'; img-src data:; script-src 'self'%s; connect-src 'self'%s%s; frame-src 'self'%s",
		proxy, proxy, socket, proxy)
}

// Serve starts a server for the site on a port of its own, so that its pages are of
// another origin than the proxy. It ends with t. It returns the origin, without a slash
// at the end.
func (s *Site) Serve(t testing.TB) string {
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return server.URL
}

// URL returns the address of a page below base (an origin, perhaps with a path) that
// loads the client from client and then scripts. Those of this folder are modules.
func URL(base, client string, scripts ...string) string {
	query := url.Values{"client": {client}}
	for _, script := range scripts {
		kind := "script"
		if _, err := modules.Open(strings.TrimPrefix(script, "/")); err == nil {
			kind = "module"
		}
		query.Add(kind, script)
	}
	return base + "/?" + query.Encode()
}
