// Package static holds the files that browsers load: the client, the demo's pages, and
// folders of the operator's. It knows nothing of the proxy that serves them.
package static

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strings"
	"time"
)

// The client as static/build makes it.
//
//go:embed dist/TCPSocket.*
var clientFiles embed.FS

// The API of Orbited 0.7 on top of it.
//
//go:embed dist/Orbited.*
var orbitedFiles embed.FS

// types are the content types of what is served, by the end of the name.
var types = map[string]string{
	".js":  "text/javascript; charset=utf-8",
	".mjs": "text/javascript; charset=utf-8",
	".ts":  "text/plain; charset=utf-8",
	".mts": "text/plain; charset=utf-8",
	".map": "application/json",
}

// asset is one file, ready to be served.
type asset struct {
	name, kind, etag string
	content          []byte
}

// Handler serves the client: /TCPSocket.js, /TCPSocket.mjs, their source maps and
// types. Pages of any origin may load them. Browsers keep them and ask each time
// whether they are still the same. Everything else is not found.
func Handler() http.Handler { return serve(clientFiles) }

// Orbited serves /Orbited.js and its source map in the same way.
func Orbited() http.Handler { return serve(orbitedFiles) }

// serve serves the files of dist.
func serve(files embed.FS) http.Handler {
	assets := make(map[string]asset)
	entries, err := files.ReadDir("dist")
	if err != nil {
		panic(err) // the embedded folder is part of the program
	}
	for _, e := range entries {
		content, err := files.ReadFile("dist/" + e.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(content)
		assets["/"+e.Name()] = asset{
			name: e.Name(), kind: types[path.Ext(e.Name())],
			etag: `"` + hex.EncodeToString(sum[:12]) + `"`, content: content,
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("Referrer-Policy", "no-referrer")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			WrongMethod(w)
			return
		}
		a, ok := assets[r.URL.Path]
		if !ok {
			notFound(w)
			return
		}
		head.Set("Access-Control-Allow-Origin", "*")
		head.Set("Cross-Origin-Resource-Policy", "cross-origin")
		head.Set("Cache-Control", "no-cache")
		head.Set("Content-Type", a.kind)
		head.Set("ETag", a.etag)
		if strings.HasSuffix(a.name, "js") {
			head.Set("SourceMap", a.name+".map")
		}
		http.ServeContent(w, r, a.name, time.Time{}, bytes.NewReader(a.content))
	})
}
