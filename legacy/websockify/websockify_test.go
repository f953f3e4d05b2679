package websockify_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"encke/cause"
	"encke/cmd/encke/app"
	"encke/integration/backend"
	"encke/integration/wspeer"
)

// start starts a proxy for which targets are allowed and named.
func start(t *testing.T, allow []string, targets ...string) string {
	t.Helper()
	return wspeer.Start(t, app.Config{
		Allow: allow, Legacy: []string{"websockify"}, LegacyOptions: map[string][]string{"target": targets},
	})
}

func TestWaysToName(t *testing.T) {
	named, bare := backend.Reset(t, "named"), backend.Reset(t, "bare")
	url := start(t, []string{named.Addr(), bare.Addr()}, "vm-1="+named.Addr(), bare.Addr())
	for path, want := range map[string]string{
		"/websockify?token=vm-1":      "named",
		"/websockify/vm-1":            "named",
		"/websockify/vm-1?token=vm-1": "named",
		"/websockify/?token=vm-1&x=y": "named",
		"/websockify":                 "bare",
		"/websockify/":                "bare",
		"/websockify?token=":          "bare",
	} {
		if got := wspeer.Dial(t, url, path).Receive(); string(got) != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// A file of targets may change while the proxy runs.
func TestTargetFileChanges(t *testing.T) {
	one, two := backend.Reset(t, "one"), backend.Reset(t, "two")
	file := filepath.Join(t.TempDir(), "tokens")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("vm: " + one.Addr() + "\n")
	url := wspeer.Start(t, app.Config{
		Allow: []string{one.Addr(), two.Addr()}, Legacy: []string{"websockify"}, LegacyOptions: map[string][]string{"target-file": {file}},
	})
	expect := func(path, want string) {
		t.Helper()
		if got := wspeer.Dial(t, url, path).Receive(); string(got) != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	expect("/websockify/vm", "one")
	write("# it has moved\nvm: " + two.Addr() + "\nold: " + one.Addr() + "\n")
	expect("/websockify/vm", "two")
	expect("/websockify/old", "one")
	write("vm: " + one.Addr() + "\nold: 192.0.2.1:1\n") // which is not allowed
	expect("/websockify/vm", "two")
	write("# nobody\n")
	wspeer.Dial(t, url, "/websockify/vm").Ended(cause.Denied)
}

// A token that names nothing cannot be told from a target that is not allowed.
func TestUnknownTargets(t *testing.T) {
	b := backend.Echo(t)
	// The name is allowed, its addresses are not.
	url := wspeer.Start(t, app.Config{
		Allow: []string{b.Addr(), "*:8191"}, AllowAnyHost: true, Legacy: []string{"websockify"},
		LegacyOptions: map[string][]string{"target": {"vm=" + b.Addr(), "inside=localhost:8191"}},
	})
	for _, path := range []string{"/websockify?token=vm2", "/websockify/VM", "/websockify", "/websockify/vm/", "/websockify/inside"} {
		wspeer.Dial(t, url, path).Ended(cause.Denied)
	}
	for path, status := range map[string]int{
		"/websockify?token=vm&token=vm": http.StatusBadRequest,
		"/websockify/vm?token=x":        http.StatusBadRequest,
		"/websockify?token=%zz":         http.StatusBadRequest,
		"/websockifyvm":                 http.StatusNotFound,
	} {
		if _, resp, err := wspeer.TryDial(t, url, path); err == nil || resp == nil || resp.StatusCode != status {
			t.Errorf("%s: %v, %v, want status %d", path, resp, err, status)
		}
	}
}

func TestSubprotocols(t *testing.T) {
	b := backend.Echo(t)
	url := start(t, []string{b.Addr()}, "plain="+b.Addr(), "own="+b.Addr()+";chat,mqtt")
	for _, c := range []struct {
		path, offers, want string
	}{
		{"/websockify/plain", "", ""},
		{"/websockify/plain", "binary", "binary"},
		{"/websockify/plain", "base64 binary", "binary"},
		{"/websockify/plain", "mqtt", "mqtt"},
		{"/websockify/plain", "v11.stomp v12.stomp", "v12.stomp"},
		{"/websockify/plain", "chat", ""},
		{"/websockify/own", "binary mqtt chat", "chat"},
		{"/websockify/own", "binary mqtt", "mqtt"},
		{"/websockify/own", "binary", "binary"},
	} {
		ws := wspeer.Dial(t, url, c.path, strings.Fields(c.offers)...)
		if got := ws.Subprotocol(); got != c.want {
			t.Errorf("%s, %s: %q, want %q", c.path, c.offers, got, c.want)
		}
	}
	if _, resp, err := wspeer.TryDial(t, url, "/websockify/plain", "base64"); err == nil || resp.StatusCode != http.StatusBadRequest {
		t.Errorf("base64 alone: %v, %v, want 400", resp, err)
	}
}

func TestRelay(t *testing.T) {
	b := backend.Echo(t)
	url := start(t, []string{b.Addr()}, b.Addr())
	ws := wspeer.Dial(t, url, "/websockify")
	for _, size := range []int{1, 125, 126, 65_535, 65_536, 1 << 20} {
		want := make([]byte, size)
		rand.Read(want)
		ws.Send(want)
		if got := ws.Bytes(size); !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %d others came back", size, len(got))
		}
	}
	ws.Send(nil)
	ws.Send([]byte("x"))
	if got := ws.Receive(); string(got) != "x" {
		t.Errorf("after an empty message: %q", got)
	}
}

// What the client sent before it closed arrives, however slow the backend is.
func TestClientCloses(t *testing.T) {
	const size = 300 << 10
	b := backend.Paced(t, 7, size, 10, 1)
	url := start(t, []string{b.Addr()}, b.Addr())
	ws := wspeer.Dial(t, url, "/websockify")
	p := make([]byte, size)
	backend.Fill(p, 7, 0)
	ws.Send(p)
	ws.Close(websocket.StatusNormalClosure, "")
	if err := <-b.Ended(); err != nil {
		t.Error(err)
	}
}

// A client that vanishes is a reset for the backend.
func TestClientVanishes(t *testing.T) {
	b := backend.Echo(t)
	url := start(t, []string{b.Addr()}, b.Addr())
	ws := wspeer.Dial(t, url, "/websockify")
	ws.Send([]byte("x"))
	ws.Receive()
	ws.CloseNow()
	if err := <-b.Ended(); err == nil {
		t.Error("the backend saw a clean end")
	}
}

func TestEnds(t *testing.T) {
	hello, reset := backend.FirstFin(t, "hello", 1, 0), backend.Reset(t, "hello")
	refused := backend.Refuse(t)
	url := start(t, []string{hello.Addr(), reset.Addr(), "127.0.0.1:*"},
		"fin="+hello.Addr(), "reset="+reset.Addr(), "refused=127.0.0.1:"+strconv.Itoa(refused))
	if all, code, text := wspeer.Dial(t, url, "/websockify/fin").Rest(); string(all) != "hello" || code != 1000 || text != "closed" {
		t.Errorf("a backend that ends: %q, %d %q, want hello, 1000 closed", all, code, text)
	}
	ws := wspeer.Dial(t, url, "/websockify/reset")
	ws.Receive()
	ws.Send([]byte("x"))
	ws.Ended(cause.Reset)
	wspeer.Dial(t, url, "/websockify/refused").Ended(cause.Refused)
}

func TestWrongMessages(t *testing.T) {
	b := backend.Echo(t)
	url := start(t, []string{b.Addr()}, b.Addr())
	ws := wspeer.Dial(t, url, "/websockify")
	ws.Write(t.Context(), websocket.MessageText, []byte("text"))
	if all, code, text := ws.Rest(); len(all) > 0 || code != 1003 || text != "text message" {
		t.Errorf("a text message: %q, %d %q, want 1003", all, code, text)
	}
	ws = wspeer.Dial(t, url, "/websockify")
	ws.Write(context.Background(), websocket.MessageBinary, make([]byte, 1<<20+1))
	if all, code, _ := ws.Rest(); len(all) > 0 || code != 1009 {
		t.Errorf("a message of more than 1 MiB: %d bytes, %d, want 1009", len(all), code)
	}
}

// A backend that reads nothing stops the client, and a client that reads nothing stops the
// backend, without much in between.
func TestBackpressure(t *testing.T) {
	const size = 16 << 20
	release := make(chan struct{})
	stuck, source := backend.NeverReads(t, 3, size, release), backend.Source(t, 5, size)
	url := start(t, []string{stuck.Addr(), source.Addr()}, "stuck="+stuck.Addr(), "source="+source.Addr())

	up := wspeer.Dial(t, url, "/websockify/stuck")
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		p := make([]byte, 64<<10)
		for at := 0; at < size; at += len(p) {
			backend.Fill(p, 3, int64(at))
			up.Write(context.Background(), websocket.MessageBinary, p)
		}
		up.Close(websocket.StatusNormalClosure, "")
	}()
	down := wspeer.Dial(t, url, "/websockify/source")
	at := int64(0)
	for at < size {
		if at == 0 && source.Written() == size {
			t.Error("the backend could send all to a client that read nothing")
		}
		p := down.Receive()
		if err := backend.Check(p, 5, at); err != nil {
			t.Fatal(err)
		}
		at += int64(len(p))
	}
	select {
	case <-sent:
		t.Error("the client could send all to a backend that reads nothing")
	default:
	}
	close(release)
	<-sent
	if err := <-stuck.Ended(); err != nil {
		t.Error(err)
	}
	down.Ended(cause.Closed)
}

// Nobody else's page gets in, and no other name of the proxy.
func TestOriginAndHost(t *testing.T) {
	b := backend.Echo(t)
	url := start(t, []string{b.Addr()}, b.Addr())
	for _, c := range []struct {
		name, origin, host string
		status             int
	}{
		{"another page", "https://evil.example", "", http.StatusForbidden},
		{"no origin", "", "", http.StatusForbidden},
		{"another host", url, "evil.example", http.StatusMisdirectedRequest},
	} {
		opts := &websocket.DialOptions{HTTPHeader: http.Header{}, Host: c.host}
		if c.origin != "" {
			opts.HTTPHeader.Set("Origin", c.origin)
		}
		if _, resp, err := websocket.Dial(t.Context(), url+"/websockify", opts); err == nil || resp.StatusCode != c.status {
			t.Errorf("%s: %v, %v, want status %d", c.name, resp, err, c.status)
		}
	}
	resp, err := http.Post(url+"/websockify", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("POST: status %d, want 403", resp.StatusCode)
	}
}

// When the proxy stops, pages are told so.
func TestStop(t *testing.T) {
	b := backend.Echo(t)
	a, err := app.Start(app.Config{
		Listen: []string{"127.0.0.1:0"}, Allow: []string{b.Addr()},
		Legacy: []string{"websockify"}, LegacyOptions: map[string][]string{"target": {b.Addr()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ws := wspeer.Dial(t, a.URL(), "/websockify")
	ws.Send([]byte("x"))
	ws.Receive()
	ended := make(chan struct{})
	go func() { defer close(ended); ws.Ended(cause.GoingAway) }()
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	<-ended
}
