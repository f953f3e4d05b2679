package transports

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"encke/csp"
)

// This file is for handlers of other protocols than ours, served beside it: the same
// pages may use them, within the same limits. Who asks is what Peer returns.

// Guard returns a handler that lets next serve the requests that a page may make: its
// origin is accepted, which next gets in its canonical form, and its address has not too many
// requests under way. get says that browsers send no Origin with this request, see
// Referer and Sec-Fetch-Site. Answers may be read by that origin and are not stored.
func (h *Handler) Guard(get bool, next func(w http.ResponseWriter, r *http.Request, origin string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answerHead(w.Header())
		origin, ok := h.admitOrigin(w, r, get)
		if !ok {
			return
		}
		w.Header().Set("Access-Control-Allow-Origin", origin)
		if r.Header.Get("Content-Encoding") != "" {
			h.stats.encoded.Add(1)
			http.Error(w, "encoded bodies are not taken", http.StatusUnsupportedMediaType)
			return
		}
		release, ok := h.admitRequest(w, r)
		if !ok {
			return
		}
		defer release()
		defer h.confine(new(uplink))
		next(w, r, origin)
	})
}

// Upgrade makes a WebSocket of a request that Guard has let pass, with the first of
// subprotocols that the client names too, if any, and returns. serve has the WebSocket
// in a goroutine of its own, which may call all methods but CloseRead and closes it in the end;
// messages have 1 MiB at most. When the Handler waits for its WebSockets to end, ctx is
// done, and soon after that the connection is cut.
func (h *Handler) Upgrade(w http.ResponseWriter, r *http.Request, subprotocols []string, serve func(ctx context.Context, ws *Upgraded)) {
	if r.ContentLength != 0 {
		w.Header().Set("Connection", "close")
		http.Error(w, "an upgrade has no body", http.StatusBadRequest)
		return
	}
	if !h.admitUpgrade(w, r) {
		return
	}
	var conn net.Conn
	u := &upgrader{ResponseWriter: w, buffer: 4 << 10, wrap: func(c net.Conn, ahead []byte) net.Conn {
		conn = c
		return &guardedConn{Conn: c, ahead: ahead, timeout: h.opts.WriteTimeout}
	}}
	ws, err := websocket.Accept(u, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // Guard has checked it
		CompressionMode:    websocket.CompressionDisabled,
		Subprotocols:       subprotocols,
	})
	if err != nil {
		return // Accept has answered
	}
	ws.SetReadLimit(csp.MaxBody)
	h.track(conn, true)
	run := func() {
		defer h.track(conn, false)
		defer ws.CloseNow()
		defer func() {
			if v := recover(); v != nil {
				h.Panicked(v, nil)
			}
		}()
		serve(h.stopping, &Upgraded{ws, conn})
	}
	if !h.spawn(run) { // ends when the connection does
		ws.CloseNow()
		h.track(conn, false)
	}
}

// Upgraded is the WebSocket of another protocol.
type Upgraded struct {
	*websocket.Conn
	conn net.Conn
}

// Close closes it, and waits for the client's answer for a while.
func (w *Upgraded) Close(code websocket.StatusCode, text string) error {
	return closeWebSocket(w.Conn, w.conn.SetReadDeadline, code, text)
}

// goodbyeTime is how long a client may take to answer when its WebSocket is closed.
const goodbyeTime = 5 * time.Second

// closeWebSocket closes one. The library alone would wait without end for the rest of a
// frame; until sets the deadline for reading.
func closeWebSocket(ws *websocket.Conn, until func(time.Time) error, code websocket.StatusCode, text string) error {
	until(time.Now().Add(goodbyeTime))
	return ws.Close(code, text)
}

// guardedConn is the net.Conn under a WebSocket of another protocol. It looks at the
// frames that the client sends and bounds how long a write waits.
type guardedConn struct {
	net.Conn
	ahead   []byte // read with the request
	guard   frameGuard
	timeout time.Duration
}

// Read reads from the connection. A violation comes behind what was sent before it.
func (c *guardedConn) Read(p []byte) (int, error) {
	if c.guard.bad != nil {
		return 0, c.guard.bad
	}
	n, err := len(c.ahead), error(nil)
	if n > 0 {
		n = copy(p, c.ahead)
		c.ahead = c.ahead[n:]
	} else if n, err = c.Conn.Read(p); err == io.EOF {
		err = io.ErrUnexpectedEOF // the library takes io.EOF inside a frame for the end of the message
	}
	fine, bad := c.guard.check(p[:n], sinceStart())
	if fine == 0 && bad != nil {
		return 0, bad
	}
	return fine, err
}

// Close lets what was written last arrive, see closeGently.
func (c *guardedConn) Close() error { return closeGently(c.Conn, c.Conn.SetReadDeadline) }

// Violation returns the close code for the error of a read, and a text, if it is that
// the client broke the rules for frames.
func Violation(err error) (code websocket.StatusCode, text string, ok bool) {
	var bad *violation
	if !errors.As(err, &bad) {
		return 0, "", false
	}
	return bad.code, bad.text, true
}

// Write writes p, or fails when the client takes nothing for too long.
func (c *guardedConn) Write(p []byte) (int, error) {
	c.Conn.SetWriteDeadline(time.Now().Add(c.timeout))
	return c.Conn.Write(p)
}
