package box_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"encke/integration/box"
)

// origin answers with two pieces; between them it waits for more.
func origin(t *testing.T, more <-chan struct{}) string {
	served := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served++
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Upgrade-Was", r.Header.Get("Upgrade"))
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, strings.Repeat("a", served)+string(body))
		_ = http.NewResponseController(w).Flush()
		select {
		case <-more:
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, "z")
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func TestHabits(t *testing.T) {
	released := make(chan struct{})
	close(released)
	for _, test := range []struct {
		name, method, path string
		habits             box.Habits
		header             string
		want               []string // bodies of two requests
		did                string
	}{
		{"none", "GET", "/session/x", box.Habits{}, "", []string{"az", "aaz"}, ""},
		{"hold", "GET", "/session/x", box.Habits{Hold: 100}, "", []string{"az", "aaz"}, ""},
		{"cache", "GET", "/session/x", box.Habits{Cache: true}, "", []string{"az", "az"}, "cache"},
		{"elsewhere", "GET", "/x", box.Habits{Cache: true}, "", []string{"az", "aaz"}, ""},
		{"repeat", "POST", "/session/send", box.Habits{Repeat: true}, "", []string{"aa!z", "aaaa!z"}, "repeat"},
		{"upgrade", "GET", "/session/websocket", box.Habits{NoUpgrade: true}, "websocket", []string{"az", "aaz"}, "upgrade"},
		{"gzip", "GET", "/session/x", box.Habits{Gzip: true, Charset: true}, "", []string{"az", "aaz"}, "gzip"},
	} {
		b := box.New(t, origin(t, released), test.habits)
		for i, want := range test.want {
			var body io.Reader
			if test.method == "POST" {
				body = strings.NewReader("!")
			}
			req, err := http.NewRequestWithContext(t.Context(), test.method, "http://"+b.Addr()+test.path, body)
			if err != nil {
				t.Fatal(err)
			}
			if test.header != "" {
				req.Header.Set("Upgrade", test.header)
				req.Header.Set("Connection", "Upgrade")
			}
			resp, err := http.DefaultClient.Do(req) // asks for gzip and undoes it
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err != nil || string(got) != want || resp.Header.Get("Upgrade-Was") != "" {
				t.Errorf("%s: answer %d is %q, %v, the origin saw Upgrade %q; want %q", test.name, i+1, got, err, resp.Header.Get("Upgrade-Was"), want)
			}
		}
		if test.did != "" && b.Did(test.did) == 0 {
			t.Errorf("%s: the box did nothing", test.name)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

// An answer that is held shows nothing before its end, and one that is silent is cut.
func TestHoldAndCut(t *testing.T) {
	more := make(chan struct{})
	b := box.New(t, origin(t, more), box.Habits{HoldAll: true})
	resp, err := http.Get("http://" + b.Addr() + "/session/x")
	if err != nil {
		t.Fatal(err)
	}
	first := make(chan string)
	go func() { // until the answer ends
		got, _ := io.ReadAll(resp.Body)
		first <- string(got)
	}()
	select {
	case got := <-first:
		t.Errorf("%q came before the answer's end", got)
	case more <- struct{}{}:
	}
	if got := <-first; got != "az" {
		t.Errorf("the whole answer is %q", got)
	}
	_ = resp.Body.Close()

	b = box.New(t, origin(t, nil), box.Habits{CutIdle: 50 * time.Millisecond})
	if resp, err = http.Get("http://" + b.Addr() + "/session/x"); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(resp.Body); string(got) != "a" || err == nil {
		t.Errorf("a silent answer: %q, %v; want an error", got, err)
	}
	_ = resp.Body.Close()
}
