package static

import (
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path"
	"strings"
)

// Folder is a folder of the operator's. Its files are served, with index.html for folders,
// but none that lies elsewhere, and none whose path has an element that begins with a dot.
type Folder struct{ root *os.Root }

// OpenFolder opens the folder dir.
func OpenFolder(dir string) (*Folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Folder{root}, nil
}

// Close lets go of the folder.
func (f *Folder) Close() error { return f.root.Close() }

// ServeHTTP serves the file that the path names. Everything else is not found.
func (f *Folder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		WrongMethod(w)
	case !f.Serve(w, r, strings.TrimPrefix(r.URL.Path, "/")):
		notFound(w)
	}
}

// Serve answers a GET or HEAD with the file of this name, or reports false if there is none.
func (f *Folder) Serve(w http.ResponseWriter, r *http.Request, name string) bool {
	if name == "" || strings.HasSuffix(name, "/") {
		name += "index.html"
	}
	if !fs.ValidPath(name) || strings.HasPrefix(name, ".") || strings.Contains(name, "/.") || strings.ContainsAny(name, "\\\x00") {
		return false
	}
	if info, err := f.root.Stat(name); err != nil || !info.Mode().IsRegular() {
		return false // to open a pipe would wait for its other end
	}
	file, err := f.root.Open(name)
	if err != nil {
		return false
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	head := w.Header()
	head.Set("X-Content-Type-Options", "nosniff")
	// Requests of its pages must tell the proxy whose they are, and nobody else.
	head.Set("Referrer-Policy", "same-origin")
	head.Set("Cache-Control", "no-cache")
	kind := mime.TypeByExtension(path.Ext(name))
	if kind == "" {
		kind = "application/octet-stream"
	}
	head.Set("Content-Type", kind)
	http.ServeContent(w, r, name, info.ModTime(), file)
	return true
}

// WrongMethod answers a request that is neither GET nor HEAD.
func WrongMethod(w http.ResponseWriter) {
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Allow", "GET, HEAD")
	http.Error(w, "wrong method", http.StatusMethodNotAllowed)
}

func notFound(w http.ResponseWriter) {
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Error(w, "not found", http.StatusNotFound)
}
