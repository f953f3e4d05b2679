package orbited07

import (
	"bytes"
	"embed"
	"net/http"
	"strings"
	"time"

	"encke/legacy"
	"encke/static"
)

//go:embed files
var embedded embed.FS

// scripts begin with reach.js, which is not served alone.
var scripts = []string{"HTMLFileFrame.js", "HTMLFileClose.js", "xsdrBridge.js", "xsdClose.js"}

// pages let a page of another port or host use the proxy. They are served in frames of
// pages that may, by their Referer.
var pages = []string{"xsdrBridge.html", "xsdClose.html"}

// files are those below /static/, which are also found below /tcp/static/.
type files struct {
	own     map[string][]byte       // by name
	pages   map[string]http.Handler // by name, guarded
	orbited http.Handler            // Orbited.js
	folder  *static.Folder          // of the operator, whose files come first; or nil
}

func newFiles(p *legacy.Proxy) *files {
	f := &files{own: make(map[string][]byte), pages: make(map[string]http.Handler), orbited: static.Orbited(), folder: p.Folders[folder]}
	for _, name := range scripts {
		f.own[name] = append(content("reach.js"), content(name)...)
	}
	for _, name := range pages {
		f.own[name] = content(name)
		f.pages[name] = p.Handler.Guard(true, func(w http.ResponseWriter, r *http.Request, _ string) {
			w.Header().Set("Origin-Agent-Cluster", "?0") // else document.domain has no effect
			w.Header().Set("Referrer-Policy", sameOrigin)
			if f.folder == nil || !f.folder.Serve(w, r, name) {
				pageHead(w.Header(), "")
				f.serveOwn(w, r, name)
			}
		})
	}
	return f
}

func content(name string) []byte {
	b, err := embedded.ReadFile("files/" + name)
	if err != nil {
		panic(err) // the embedded folder is part of the program
	}
	return b
}

// serve answers with the file of this name.
func (f *files) serve(w http.ResponseWriter, r *http.Request, name string) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		static.WrongMethod(w)
		return
	}
	_, own := f.own[name]
	switch page := f.pages[name]; {
	case page != nil:
		page.ServeHTTP(w, r)
	case f.folder != nil && f.folder.Serve(w, r, name):
	case own:
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-cache")
		f.serveOwn(w, r, name)
	default:
		r2 := r.Clone(r.Context())
		r2.URL.Path = "/" + name
		f.orbited.ServeHTTP(w, r2)
	}
}

func (f *files) serveOwn(w http.ResponseWriter, r *http.Request, name string) {
	kind := "text/javascript; charset=utf-8"
	if strings.HasSuffix(name, ".html") {
		kind = "text/html; charset=utf-8"
	}
	w.Header().Set("Content-Type", kind)
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(f.own[name]))
}

// folder is the name of the operator's folder whose files are served before ours.
const folder = "static"

// sameOrigin lets the requests of a page tell the proxy that the page is its own, which
// browsers do in no other way where there is no TLS.
const sameOrigin = "same-origin"

// pageHead sets what a page in a frame may do; scripts of its own are named by more.
func pageHead(head http.Header, more string) {
	head.Set("Referrer-Policy", sameOrigin)
	head.Set("Content-Security-Policy", strings.TrimSpace("default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; script-src 'self' "+more))
}
