package transports_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/coder/websocket"

	"encke/cause"
	"encke/csp"
	"encke/transports"
)

// other serves another protocol on a server of its own: POST / echoes the body behind the origin,
// GET /ws is a WebSocket that echoes.
func (r *rig) other(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/", r.h.Guard(false, func(w http.ResponseWriter, req *http.Request, origin string) {
		body, _ := io.ReadAll(req.Body)
		io.WriteString(w, origin+" ")
		w.Write(body)
	}))
	mux.Handle("/panic", r.h.Guard(false, func(http.ResponseWriter, *http.Request, string) { panic("as a fault of ours would") }))
	mux.Handle("/ws", r.h.Guard(false, func(w http.ResponseWriter, req *http.Request, _ string) {
		r.h.Upgrade(w, req, []string{"binary"}, func(ctx context.Context, ws *transports.Upgraded) {
			for {
				typ, p, err := ws.Read(ctx)
				if code, text, bad := transports.Violation(err); bad {
					ws.Close(code, text)
				}
				if err != nil {
					return
				}
				if string(p) == "panic" {
					panic("as a fault of ours would")
				}
				if ws.Write(ctx, typ, p) != nil {
					return
				}
			}
		})
	}))
	srv := httptest.NewServer(transports.Hosts{}.Guard(mux))
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestGuardLetsAcceptedPagesPass(t *testing.T) {
	r := newRig(t, transports.Options{AddressRequests: 1}, csp.Options{})
	base := r.other(t)
	for _, c := range []struct {
		name, path, origin, encoding string
		status                       int
		body                         string
	}{
		{"own page", "/", base, "", 200, base + " hello"},
		{"another page", "/", "https://evil.example", "", 403, ""},
		{"no origin", "/", "", "", 403, ""},
		{"encoded body", "/", base, "gzip", 415, ""},
	} {
		req, _ := http.NewRequest("POST", base+c.path, bytes.NewReader([]byte("hello")))
		for name, value := range map[string]string{"Origin": c.origin, "Content-Encoding": c.encoding} {
			if value != "" {
				req.Header.Set(name, value)
			}
		}
		resp, err := r.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != c.status || c.body != "" && string(body) != c.body {
			t.Errorf("%s: status %d, %q, want %d, %q", c.name, resp.StatusCode, body, c.status, c.body)
		}
		if resp.Header.Get("X-Content-Type-Options") != "nosniff" || resp.Header.Get("Vary") != "Origin" {
			t.Errorf("%s: headers %v, want those of all answers", c.name, resp.Header)
		}
		if allow := resp.Header.Get("Access-Control-Allow-Origin"); (allow == base) != (c.origin == base) {
			t.Errorf("%s: Access-Control-Allow-Origin %q", c.name, allow)
		}
	}
	// A panic cuts that request and gives its place back.
	for range 3 {
		req, _ := http.NewRequest("POST", base+"/panic", nil)
		req.Header.Set("Origin", base)
		if resp, err := r.client.Do(req); err == nil {
			resp.Body.Close()
			t.Errorf("a panic was answered with %d", resp.StatusCode)
		}
	}
	if s := r.h.Stats(); s.Panics != 3 || s.Requests != 0 {
		t.Errorf("counted %+v, want 3 panics and no request refused", s)
	}
}

func (r *rig) dialOther(t *testing.T, base string) *websocket.Conn {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), base+"/ws", &websocket.DialOptions{
		HTTPHeader: http.Header{"Origin": {base}}, Subprotocols: []string{"mqtt", "binary"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.CloseNow() })
	return ws
}

func TestUpgradeForAnotherProtocol(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	base := r.other(t)
	ws := r.dialOther(t, base)
	if ws.Subprotocol() != "binary" {
		t.Errorf("subprotocol %q, want binary", ws.Subprotocol())
	}
	ws.SetReadLimit(-1)
	for _, size := range []int{0, 1, 125, 126, 4096, 70_000, 1 << 20} {
		want := bytes.Repeat([]byte{byte(size)}, size)
		if err := ws.Write(t.Context(), websocket.MessageBinary, want); err != nil {
			t.Fatal(err)
		}
		if _, got, err := ws.Read(t.Context()); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d bytes: got %d and %v", size, len(got), err)
		}
	}
	// The frames are looked at as everywhere.
	ws.Write(t.Context(), websocket.MessageBinary, make([]byte, 1<<20+1))
	if _, _, err := ws.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
		t.Errorf("a message of more than 1 MiB led to %v, want close code 1009", err)
	}

	ws = r.dialOther(t, base)
	ws.Write(t.Context(), websocket.MessageText, []byte("panic"))
	if _, _, err := ws.Read(t.Context()); err == nil {
		t.Error("a WebSocket lives on after a panic")
	}
	if n := r.h.Stats().Panics; n != 1 {
		t.Errorf("%d panics counted, want 1", n)
	}
}

// Wait ends WebSockets of other protocols too.
func TestWaitEndsOtherWebSockets(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	ws := r.dialOther(t, r.other(t))
	r.server.Close(cause.GoingAway.Err())
	r.h.Wait(time.Minute)
	if _, _, err := ws.Read(t.Context()); err == nil {
		t.Error("the WebSocket lives on")
	}
}

// A session of another protocol is none of ours.
func TestOtherSessionsAreUnknown(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	s, err := r.server.Open(csp.Peer{Origin: r.url, Protocol: "csp"}, csp.Key{1})
	if err != nil {
		t.Fatal(err)
	}
	resp := r.post("send", resume(s.ID(), 0))
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("status %d, want 404", resp.StatusCode)
	}
}
