package static_test

import (
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"encke/static"
)

// newFolder makes a folder with a file outside, and all ways to it that a file system has.
func newFolder(t *testing.T) *static.Folder {
	t.Helper()
	top := t.TempDir()
	dir := filepath.Join(top, "dir")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(filepath.Join(dir, "sub", ".hidden"), 0o755))
	must(os.MkdirAll(filepath.Join(dir, "empty"), 0o755))
	for name, text := range map[string]string{
		"secret.txt": "secret", "dir/a.txt": "text", "dir/b.html": "<p>page", "dir/c.unknown": "<script>", "dir/.env": "secret",
		"dir/sub/index.html": "<p>index", "dir/sub/.hidden/x.txt": "secret", "dir/sub/.x": "secret", "dir/sp ace.txt": "space",
	} {
		must(os.WriteFile(filepath.Join(top, name), []byte(text), 0o644))
	}
	must(os.Symlink("../secret.txt", filepath.Join(dir, "out.txt")))
	must(os.Symlink(filepath.Join(top, "secret.txt"), filepath.Join(dir, "absolute.txt")))
	must(os.Symlink("..", filepath.Join(dir, "up")))
	must(os.Symlink("a.txt", filepath.Join(dir, "in.txt")))
	must(syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644))
	f, err := static.OpenFolder(dir)
	must(err)
	t.Cleanup(func() { f.Close() })
	return f
}

func TestFolder(t *testing.T) {
	f := newFolder(t)
	for _, c := range []struct {
		method, path string
		status       int
		body, kind   string
	}{
		{"GET", "/a.txt", 200, "text", "text/plain; charset=utf-8"},
		{"HEAD", "/a.txt", 200, "", "text/plain; charset=utf-8"},
		{"GET", "/b.html", 200, "<p>page", "text/html; charset=utf-8"},
		{"GET", "/c.unknown", 200, "<script>", "application/octet-stream"},
		{"GET", "/sp%20ace.txt", 200, "space", "text/plain; charset=utf-8"},
		{"GET", "/in.txt", 200, "text", "text/plain; charset=utf-8"},
		{"GET", "/sub/", 200, "<p>index", "text/html; charset=utf-8"},
		{"GET", "/sub", 404, "", ""},
		{"GET", "/", 404, "", ""},
		{"GET", "/empty/", 404, "", ""},
		{"GET", "/missing", 404, "", ""},
		{"POST", "/a.txt", 405, "", ""},
		{"DELETE", "/a.txt", 405, "", ""},
		{"OPTIONS", "/missing", 405, "", ""},
		// Whatever leads outside, or to what is hidden.
		{"GET", "/.env", 404, "", ""},
		{"GET", "/sub/.x", 404, "", ""},
		{"GET", "/sub/.hidden/x.txt", 404, "", ""},
		{"GET", "/out.txt", 404, "", ""},
		{"GET", "/absolute.txt", 404, "", ""},
		{"GET", "/up/secret.txt", 404, "", ""},
		{"GET", "/up/dir/a.txt", 404, "", ""},
		{"GET", "/../secret.txt", 404, "", ""},
		{"GET", "/sub/../a.txt", 404, "", ""},
		{"GET", "/%2e%2e/secret.txt", 404, "", ""},
		{"GET", "/..%2fsecret.txt", 404, "", ""},
		{"GET", "/..%5csecret.txt", 404, "", ""},
		{"GET", "//a.txt", 404, "", ""},
		{"GET", "/sub//index.html", 404, "", ""},
		{"GET", "/./a.txt", 404, "", ""},
		{"GET", "/a.txt/", 404, "", ""},
		{"GET", "/a.txt%00.html", 404, "", ""},
		{"GET", "/a.txt%00", 404, "", ""},
		{"GET", "/pipe", 404, "", ""},
		{"GET", "/%ff%fe", 404, "", ""},
	} {
		path, err := url.PathUnescape(c.path)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(c.method, "http://proxy.example/", nil)
		r.URL.Path, r.URL.RawPath = path, c.path
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		if w.Code != c.status || c.status == 200 && w.Body.String() != c.body {
			t.Errorf("%s %s: status %d, %.40q, want %d, %q", c.method, c.path, w.Code, w.Body, c.status, c.body)
		}
		if c.kind != "" && w.Header().Get("Content-Type") != c.kind {
			t.Errorf("%s %s: type %q, want %q", c.method, c.path, w.Header().Get("Content-Type"), c.kind)
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Location") != "" {
			t.Errorf("%s %s: headers %v", c.method, c.path, w.Header())
		}
	}
}

func TestFolderThatIsMissing(t *testing.T) {
	if _, err := static.OpenFolder(filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("a folder that is not there was opened")
	}
}

func FuzzFolder(f *testing.F) {
	f.Add("a.txt")
	f.Add("../secret.txt")
	f.Add("sub/.hidden/x.txt")
	f.Add("up/secret.txt")
	top := f.TempDir()
	dir := filepath.Join(top, "dir")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		f.Fatal(err)
	}
	for name, text := range map[string]string{"secret.txt": "secret", "dir/.env": "secret", "dir/a.txt": "text"} {
		if err := os.WriteFile(filepath.Join(top, name), []byte(text), 0o644); err != nil {
			f.Fatal(err)
		}
	}
	if err := os.Symlink("..", filepath.Join(dir, "up")); err != nil {
		f.Fatal(err)
	}
	folder, err := static.OpenFolder(dir)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { folder.Close() })
	f.Fuzz(func(t *testing.T, name string) {
		r := httptest.NewRequest("GET", "http://proxy.example/", nil)
		w := httptest.NewRecorder()
		if folder.Serve(w, r, name) && w.Body.String() != "text" {
			t.Errorf("%q: served %q", name, w.Body)
		}
	})
}
