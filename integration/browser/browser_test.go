package browser_test

import (
	"bytes"
	"fmt"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"encke/integration/browser"
)

func TestPage(t *testing.T) {
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Evaluation must work on a page whose policy allows nothing.
		w.Header().Set("Content-Security-Policy", "default-src 'none'")
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>" + r.URL.Path + "</title>"))
	}))
	defer site.Close()

	for _, kind := range []browser.Kind{browser.Chromium, browser.Firefox} {
		t.Run(string(kind), func(t *testing.T) {
			b, err := browser.Launch(kind)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := b.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			}()
			t.Log(b.Version)

			t.Run("evaluates", func(t *testing.T) {
				p := b.Page(t)
				p.Goto(site.URL + "/first")
				var got struct {
					Title string
					Sum   int
				}
				p.Eval(&got, `async (a, b) => ({title: document.title, sum: a + await b})`, 40, 2)
				if got.Title != "/first" || got.Sum != 42 {
					t.Errorf("got %+v, want /first and 42", got)
				}
				err := p.TryEval(nil, `() => { throw new Error("told so") }`)
				if err == nil || !strings.Contains(err.Error(), "told so") {
					t.Errorf("an exception came back as %v", err)
				}
				if _, err := png.Decode(bytes.NewReader(p.Screenshot())); err != nil {
					t.Errorf("screenshot: %v", err)
				}
			})
			t.Run("reports what nobody caught", func(t *testing.T) {
				r := &recorder{TB: t}
				p := b.Page(r)
				p.Goto(site.URL + "/")
				p.Eval(nil, `async () => {
					fetch("http://127.0.0.1:1/").catch(() => {}); // a failed request is no exception
					setTimeout(() => { throw new TypeError("first") });
					setTimeout(() => { Promise.reject(new DOMException("second", "NetworkError")) });
					setTimeout(() => { throw "third" });
					await new Promise((resolve) => setTimeout(resolve, 100));
				}`)
				r.end()
				for _, want := range []string{"first", "second", "third"} {
					if !strings.Contains(r.said, want) {
						t.Errorf("%q was not reported: %q", want, r.said)
					}
				}
				if n := strings.Count(r.said, "nobody caught it"); n != 3 {
					t.Errorf("%d failures were reported, want 3: %q", n, r.said)
				}
			})
			t.Run("has contexts of their own", func(t *testing.T) {
				first, second := b.Page(t), b.Page(t)
				first.Goto(site.URL + "/")
				second.Goto(site.URL + "/")
				first.Eval(nil, `() => localStorage.setItem("k", "v")`)
				var got *string
				second.Eval(&got, `() => localStorage.getItem("k")`)
				if got != nil {
					t.Errorf("a second context sees %q in the first one's storage", *got)
				}
			})
		})
	}
}

// recorder is a test that may fail without failing its own.
type recorder struct {
	testing.TB
	said     string
	cleanups []func()
}

func (r *recorder) Errorf(format string, args ...any) { r.said += fmt.Sprintf(format, args...) + "\n" }
func (r *recorder) Cleanup(f func())                  { r.cleanups = append(r.cleanups, f) }

// end does what the end of a test does.
func (r *recorder) end() {
	for _, f := range r.cleanups {
		f()
	}
}
