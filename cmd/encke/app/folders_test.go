package app_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"encke/cmd/encke/app"
	"encke/integration/inprocess"
)

func TestFolders(t *testing.T) {
	dir, scripts := t.TempDir(), t.TempDir()
	for path, text := range map[string]string{
		filepath.Join(dir, "page.html"): "their page", filepath.Join(dir, ".secret"): "secret", filepath.Join(scripts, "Orbited.js"): "their script",
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer c.CloseIdleConnections()
	a := inprocess.Start(t, app.Config{
		Allow: []string{"127.0.0.1:1"}, Prefix: "/p", Legacy: []string{"orbited07"},
		Static: []string{"app=" + dir, "static=" + scripts},
	})
	for path, want := range map[string]struct {
		status int
		body   string
	}{
		"/app/page.html":               {200, "their page"},
		"/app/":                        {404, ""},
		"/app":                         {404, ""},
		"/app/.secret":                 {404, ""},
		"/app/%2e%2e/%2e%2e/etc/hosts": {404, ""},
		"/app/../app/page.html":        {404, ""},
		"/static/Orbited.js":           {200, "their script"},
		"/tcp/static/Orbited.js":       {200, "their script"},
		"/static/HTMLFileFrame.js":     {200, "// Finds"},
		"/static":                      {404, ""},
		"/tcp":                         {403, ""}, // no page asks
		"/TCPSocket.js":                {200, ""},
	} {
		status, body, _ := get(t, c, a.URL()+path)
		if status != want.status || !strings.HasPrefix(body, want.body) {
			t.Errorf("%s: status %d, %.40q; want %d, %q", path, status, body, want.status, want.body)
		}
	}
	req, _ := http.NewRequest(http.MethodGet, a.URL()+"/app/page.html", nil)
	req.Host = "evil.test"
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("another host: status %d, want 421", resp.StatusCode)
	}
}

func TestFoldersThatCanNotBe(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		static []string
		want   string
	}{
		{[]string{dir}, "write NAME=DIR"},
		{[]string{"a="}, "write NAME=DIR"},
		{[]string{"=" + dir}, "a name is"},
		{[]string{"a/b=" + dir}, "a name is"},
		{[]string{"..=" + dir}, "a name is"},
		{[]string{"{x}=" + dir}, "a name is"},
		{[]string{".a=" + dir}, "a name is"},
		{[]string{"TCPSocket.js=" + dir}, "the proxy's own"},
		{[]string{"session=" + dir}, "the proxy's own"},
		{[]string{"healthz=" + dir}, "the proxy's own"},
		{[]string{"a=" + dir, "a=" + dir}, "two folders"},
		{[]string{"a=" + file}, "is not a folder"},
		{[]string{"a=" + file + "x"}, "no such file"},
		{[]string{"tcp=" + dir}, "belongs to a protocol of --legacy"},
		{[]string{"csp=" + dir}, "belongs to a protocol of --legacy"}, // which carries orbited08
	} {
		cfg := app.Config{Listen: []string{"127.0.0.1:0"}, Allow: []string{"127.0.0.1:1"}, Legacy: []string{"orbited07", "orbited08"}, Static: c.static}
		err := cfg.Check() // before anything is started
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.static, err, c.want)
		}
	}
}
