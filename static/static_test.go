package static_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"encke/static"
)

func ask(t *testing.T, method, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, "http://proxy.example"+path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	static.Handler().ServeHTTP(w, r)
	return w.Result()
}

func TestHandlerServesTheClient(t *testing.T) {
	for _, test := range []struct{ name, kind, sourceMap string }{
		{"TCPSocket.js", "text/javascript; charset=utf-8", "TCPSocket.js.map"},
		{"TCPSocket.mjs", "text/javascript; charset=utf-8", "TCPSocket.mjs.map"},
		{"TCPSocket.d.ts", "text/plain; charset=utf-8", ""},
		{"TCPSocket.d.mts", "text/plain; charset=utf-8", ""},
		{"TCPSocket.js.map", "application/json", ""},
		{"TCPSocket.mjs.map", "application/json", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			want, err := os.ReadFile("dist/" + test.name)
			if err != nil {
				t.Fatal(err)
			}
			resp := ask(t, "GET", "/"+test.name, "Origin", "https://page.example")
			got, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != 200 || string(got) != string(want) {
				t.Fatalf("got status %d, %d bytes, error %v; want 200 and the %d bytes of the file", resp.StatusCode, len(got), err, len(want))
			}
			for name, want := range map[string]string{
				"Content-Type":                 test.kind,
				"SourceMap":                    test.sourceMap,
				"X-Content-Type-Options":       "nosniff",
				"Cache-Control":                "no-cache",
				"Access-Control-Allow-Origin":  "*",
				"Cross-Origin-Resource-Policy": "cross-origin",
			} {
				if got := resp.Header.Get(name); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestHandlerKnowsWhatABrowserHas(t *testing.T) {
	etag := ask(t, "GET", "/TCPSocket.js").Header.Get("ETag")
	if etag == "" || etag == ask(t, "GET", "/TCPSocket.mjs").Header.Get("ETag") {
		t.Fatalf("ETag: got %q, want one for each content", etag)
	}
	if resp := ask(t, "GET", "/TCPSocket.js", "If-None-Match", etag); resp.StatusCode != http.StatusNotModified {
		t.Errorf("with the same ETag: got status %d, want 304", resp.StatusCode)
	}
	if resp := ask(t, "GET", "/TCPSocket.js", "If-None-Match", `"other"`); resp.StatusCode != http.StatusOK {
		t.Errorf("with another ETag: got status %d, want 200", resp.StatusCode)
	}
}

func TestHandlerAnswersHead(t *testing.T) {
	resp := ask(t, "HEAD", "/TCPSocket.js")
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 200 || len(body) != 0 {
		t.Errorf("got status %d and %d bytes, want 200 and none", resp.StatusCode, len(body))
	}
}

func TestHandlerRefusesTheRest(t *testing.T) {
	for _, test := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/", 404},
		{"GET", "/dist/TCPSocket.js", 404},
		{"GET", "/TCPSocket.js/", 404},
		{"GET", "/.gitignore", 404},
		{"GET", "/../static.go", 404},
		{"GET", "/static.go", 404},
		{"GET", "/demo/index.js", 404},
		{"GET", "/index.js", 404},
		{"POST", "/TCPSocket.js", 405},
		{"PUT", "/new.js", 405},
		{"DELETE", "/TCPSocket.js", 405},
		{"OPTIONS", "/TCPSocket.js", 405},
	} {
		resp := ask(t, test.method, test.path)
		if resp.StatusCode != test.want || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") {
			t.Errorf("%s %s: got %d, %s; want %d, text/plain", test.method, test.path, resp.StatusCode, resp.Header.Get("Content-Type"), test.want)
		}
	}
}
