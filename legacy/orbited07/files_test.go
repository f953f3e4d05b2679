package orbited07

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"encke/static"
)

// The files are found at both places; those of the operator come first, and the pages that
// let other pages in are guarded whoever wrote them.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"Orbited.js": "// theirs", "xsdrBridge.html": "<p>theirs", "more/demo.txt": "demo"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	folder, err := static.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	ours, theirs := newRig(t, nil, nil), newRig(t, nil, map[string]*static.Folder{"static": folder})
	for _, c := range []struct {
		name   string
		r      *rig
		method string
		path   string
		status int
		begins string // of the body
		policy string // Referrer-Policy
	}{
		{"our script", ours, "GET", "Orbited.js", 200, `"use strict"`, "no-referrer"},
		{"its map", ours, "GET", "Orbited.js.map", 200, "{", "no-referrer"},
		{"our bridge", ours, "GET", "xsdrBridge.html", 200, "<!DOCTYPE html>", "same-origin"},
		{"our frame", ours, "GET", "HTMLFileFrame.js", 200, "// Finds Orbited", "no-referrer"},
		{"half a script", ours, "GET", "reach.js", 404, "", "no-referrer"},
		{"the folder", ours, "GET", "", 404, "", "no-referrer"},
		{"nothing", ours, "GET", "TCPSocket.js", 404, "", "no-referrer"},
		{"a change", ours, "POST", "Orbited.js", 405, "", "no-referrer"},
		{"a change of a page", ours, "POST", "xsdrBridge.html", 405, "", "no-referrer"},
		{"their script", theirs, "GET", "Orbited.js", 200, "// theirs", "same-origin"},
		{"their bridge", theirs, "GET", "xsdrBridge.html", 200, "<p>theirs", "same-origin"},
		{"their demo", theirs, "GET", "more/demo.txt", 200, "demo", "same-origin"},
		{"ours beside theirs", theirs, "GET", "xsdClose.html", 200, "<!DOCTYPE html>", "same-origin"},
		{"outside theirs", theirs, "GET", "more/..%2f..%2f..%2f/etc/passwd", 404, "", "no-referrer"},
	} {
		for _, folder := range []string{"/static/", "/tcp/static/"} {
			req := httptest.NewRequest(c.method, "http://proxy.test"+folder+c.path, nil)
			req.Header.Set("Referer", "http://proxy.test/page")
			w := httptest.NewRecorder()
			c.r.mux.ServeHTTP(w, req)
			if w.Code != c.status || !strings.HasPrefix(w.Body.String(), c.begins) {
				t.Errorf("%s: %s%s: status %d, %.40q, want %d, %q", c.name, folder, c.path, w.Code, w.Body, c.status, c.begins)
			}
			for header, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": c.policy} {
				if got := w.Header().Get(header); got != want {
					t.Errorf("%s: %s%s: %s is %q, want %q", c.name, folder, c.path, header, got, want)
				}
			}
			req.Header.Set("Referer", "http://evil.test/")
			w = httptest.NewRecorder()
			c.r.mux.ServeHTTP(w, req)
			if guarded := w.Code == 403; guarded != (c.method == "GET" && strings.HasSuffix(c.path, ".html")) {
				t.Errorf("%s: %s%s for another site: status %d", c.name, folder, c.path, w.Code)
			}
		}
	}
}
