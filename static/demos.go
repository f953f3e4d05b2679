package static

import (
	"embed"
	"io/fs"
	"path"
)

// The pages are written by hand, their scripts are bundled by static/build.
//
//go:embed demos/pages dist/demo
var demoFiles embed.FS

// Demos returns the demo's pages and their scripts as one flat folder: index.html,
// index.js, encke.css and so on. It does not list them.
func Demos() fs.FS { return demos{} }

type demos struct{}

func (demos) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) || path.Base(name) != name || name == "." {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if f, err := demoFiles.Open("demos/pages/" + name); err == nil {
		return f, nil
	}
	return demoFiles.Open("dist/demo/" + name)
}
