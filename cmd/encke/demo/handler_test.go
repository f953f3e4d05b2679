package demo_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"encke/cmd/encke/demo"
)

var pages = []string{"index.html", "chat.html", "console.html", "irc.html"}

// get asks the handler, mounted as the proxy mounts it.
func get(t *testing.T, b *demo.Backends, method, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	http.StripPrefix("/demo", demo.Handler(b)).ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, answer *http.Response) string {
	t.Helper()
	var b strings.Builder
	if err := answer.Write(&b); err != nil {
		t.Fatal(err)
	}
	_, content, _ := strings.Cut(b.String(), "\r\n\r\n")
	return content
}

func TestHandlerServesThePages(t *testing.T) {
	b := start(t)
	for path, want := range map[string]string{
		"/demo/":           "text/html; charset=utf-8",
		"/demo/chat.html":  "text/html; charset=utf-8",
		"/demo/encke.css":  "text/css; charset=utf-8",
		"/demo/console.js": "text/javascript; charset=utf-8",
		"/demo/comet.svg":  "image/svg+xml",
		"/demo/demo.json":  "application/json",
	} {
		answer := get(t, b, "GET", path)
		if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != want {
			t.Errorf("%s: got %d %q, want 200 %q", path, answer.StatusCode, answer.Header.Get("Content-Type"), want)
		}
		csp := answer.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none';") || strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
			t.Errorf("%s: got the policy %q, want a strict one", path, csp)
		}
		if got := answer.Header.Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("%s: got X-Content-Type-Options %q, want nosniff", path, got)
		}
	}
}

func TestHandlerRefusesOtherPathsAndMethods(t *testing.T) {
	b := start(t)
	for path, want := range map[string]int{
		"/demo/nothing.html":    404,
		"/demo/pages":           404,
		"/demo/package.json":    404,
		"/demo/sub/index.html":  404,
		"/demo/%2e%2e/demos.go": 404,
	} {
		if got := get(t, b, "GET", path).StatusCode; got != want {
			t.Errorf("GET %s: got %d, want %d", path, got, want)
		}
	}
	if got := get(t, b, "POST", "/demo/").StatusCode; got != 405 {
		t.Errorf("POST: got %d, want 405", got)
	}
}

func TestHandlerTellsWhatIsStillTheSame(t *testing.T) {
	b := start(t)
	tag := get(t, b, "GET", "/demo/chat.js").Header.Get("ETag")
	if got := get(t, b, "GET", "/demo/chat.js", "If-None-Match", tag).StatusCode; tag == "" || got != 304 {
		t.Errorf("got %d for the known tag %q, want 304", got, tag)
	}
}

func TestHandlerTellsWhereTheServersAre(t *testing.T) {
	b := start(t)
	var got demo.Info
	if err := json.Unmarshal([]byte(body(t, get(t, b, "GET", "/demo/demo.json"))), &got); err != nil {
		t.Fatal(err)
	}
	if got != b.Info() {
		t.Errorf("got %+v, want %+v", got, b.Info())
	}
}

// What the policy forbids would fail in silence in a visitor's browser.
func TestPagesKeepTheirPolicy(t *testing.T) {
	b := start(t)
	forbidden := regexp.MustCompile(`(?i)<style|\sstyle\s*=|\son[a-z]+\s*=\s*"|<script[^>]*>[^<]|javascript:|https?://`)
	for _, page := range pages {
		html := body(t, get(t, b, "GET", "/demo/"+page))
		if found := forbidden.FindString(html); found != "" {
			t.Errorf("%s: got %q, which its policy forbids", page, found)
		}
	}
}

func TestLinksOfThePagesLeadSomewhere(t *testing.T) {
	b := start(t)
	link := regexp.MustCompile(`<(?:a|link|script|img)\s[^>]*(?:href|src)="([^"]*)"`)
	for _, page := range pages {
		html := body(t, get(t, b, "GET", "/demo/"+page))
		links := link.FindAllStringSubmatch(html, -1)
		if len(links) < 8 {
			t.Errorf("%s: got %d links, want the head's, the menu's and more", page, len(links))
		}
		for _, l := range links {
			target, isAnchor := strings.CutPrefix(l[1], "#")
			if isAnchor {
				if !strings.Contains(html, `id="`+target+`"`) {
					t.Errorf("%s: the link to #%s leads nowhere", page, target)
				}
				continue
			}
			if got := get(t, b, "GET", "/demo/"+strings.TrimPrefix(target, "./")).StatusCode; got != 200 {
				t.Errorf("%s: the link to %q gets %d, want 200", page, target, got)
			}
		}
	}
}
