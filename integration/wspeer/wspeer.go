// Package wspeer is the WebSocket of a page for tests of the older protocols, message by
// message. Whatever goes wrong fails the test.
package wspeer

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"encke/cause"
	"encke/cmd/encke/app"
	"encke/integration/inprocess"
)

// patience is a guard against hanging for ever, not a statement about how long anything
// takes.
const patience = 2 * time.Minute

// Conn is a WebSocket.
type Conn struct {
	*websocket.Conn
	t testing.TB
}

// Start starts a proxy in this process, on a port of its own. It stops with t.
func Start(t testing.TB, cfg app.Config) (url string) {
	t.Helper()
	return inprocess.Start(t, cfg).URL()
}

// Dial opens a WebSocket for a page of the proxy at url, which may have a prefix. It ends
// with t.
func Dial(t testing.TB, url, path string, subprotocols ...string) *Conn {
	t.Helper()
	c, resp, err := TryDial(t, url, path, subprotocols...)
	if err != nil {
		t.Fatalf("dial %s: %v (%v)", path, err, resp)
	}
	return c
}

// TryDial is Dial for what may be refused.
func TryDial(t testing.TB, url, path string, subprotocols ...string) (*Conn, *http.Response, error) {
	t.Helper()
	_, host, _ := strings.Cut(url, "://")
	host, _, _ = strings.Cut(host, "/")
	ws, resp, err := websocket.Dial(t.Context(), url+path, &websocket.DialOptions{
		HTTPHeader: http.Header{"Origin": {"http://" + host}}, Subprotocols: subprotocols,
	})
	if err != nil {
		return nil, resp, err
	}
	ws.SetReadLimit(-1)
	t.Cleanup(func() { ws.CloseNow() })
	return &Conn{ws, t}, resp, nil
}

// Send sends a binary message.
func (c *Conn) Send(p []byte) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	if err := c.Write(ctx, websocket.MessageBinary, p); err != nil {
		c.t.Fatalf("send %d bytes: %v", len(p), err)
	}
}

// Receive returns the next message.
func (c *Conn) Receive() []byte {
	c.t.Helper()
	p, err := c.receive()
	if err != nil {
		c.t.Fatalf("receive: %v", err)
	}
	return p
}

func (c *Conn) receive() ([]byte, error) {
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	typ, p, err := c.Read(ctx)
	if err == nil && typ != websocket.MessageBinary {
		c.t.Errorf("got a text message of %d bytes", len(p))
	}
	return p, err
}

// Bytes receives until there are n bytes, in whatever messages.
func (c *Conn) Bytes(n int) []byte {
	c.t.Helper()
	var all []byte
	for len(all) < n {
		all = append(all, c.Receive()...)
	}
	return all
}

// Rest receives to the end and returns what came, and the close code and its text; 0 when
// the connection broke.
func (c *Conn) Rest() (all []byte, code int, text string) {
	c.t.Helper()
	for {
		p, err := c.receive()
		if err != nil {
			var closed websocket.CloseError
			if errors.As(err, &closed) {
				return all, int(closed.Code), closed.Reason
			}
			return all, 0, ""
		}
		all = append(all, p...)
	}
}

// Ended fails the test unless the WebSocket ends for this cause, with nothing before it.
func (c *Conn) Ended(want cause.Code) {
	c.t.Helper()
	number, name := 4000+int(want), want.String()
	if want == cause.Closed {
		number = 1000
	}
	all, code, text := c.Rest()
	if len(all) > 0 || code != number || text != name {
		c.t.Errorf("the end: %q, then %d %q, want %d %q", clip(all), code, text, number, name)
	}
}

func clip(p []byte) string {
	if len(p) > 100 {
		return string(p[:100]) + "..."
	}
	return strings.ToValidUTF8(string(p), "?")
}
