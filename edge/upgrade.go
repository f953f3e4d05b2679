package edge

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"

	"encke/rawconn"
)

// This file is for requests for a WebSocket. Most of what net/http does for one is for
// what does not come: a body, an answer of some length, the next request. So they are served
// here, by the handler that net/http would call, if they come in one piece and nothing
// about them is uncommon. All others are left to net/http, which knows how to refuse.

// headReaders are for http.ReadRequest, which wants one and keeps none.
var headReaders = sync.Pool{New: func() any { return bufio.NewReader(nil) }}

// upgrade takes a request for a WebSocket from what is ahead, or returns nil.
func (c *Conn) upgrade() *http.Request {
	if c.l.opts.Upgrades == nil || !bytes.HasPrefix(c.ahead, []byte("GET ")) {
		return nil
	}
	var f framing
	n, bad := f.scan(c.ahead)
	if bad != nil || f.state != inUpgrade || f.old {
		return nil
	}
	rawconn.Deepen16K()
	br := headReaders.Get().(*bufio.Reader)
	br.Reset(bytes.NewReader(c.ahead[:n]))
	r, err := http.ReadRequest(br)
	br.Reset(nil)
	headReaders.Put(br)
	if err != nil || !plain(r) {
		return nil
	}
	r.RemoteAddr, r.TLS = c.RemoteAddr().String(), c.tls
	c.requests++
	c.framing = f
	c.ahead = bytes.Clone(c.ahead[n:])
	c.unplace()
	return r
}

// plain says that there is nothing about r that net/http would refuse or treat as special.
func plain(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket") && r.Header.Get("Expect") == "" &&
		httpguts.ValidHostHeader(r.Host) && r.ContentLength == 0
}

// serveUpgrade has the handler serve r. The connection ends with the answer, unless the
// handler takes it over.
func (c *Conn) serveUpgrade(r *http.Request) {
	w := &upgradeWriter{c: c, header: make(http.Header)}
	c.setWriteBy(time.Time{}) // it was that of the last turn
	defer func() {
		if v := recover(); v != nil && v != http.ErrAbortHandler { // as net/http does
			c.l.opts.Log.Error("panic", "value", v, "stack", string(debug.Stack()))
		}
		if !w.hijacked {
			c.Close()
		}
	}()
	c.l.opts.Upgrades.ServeHTTP(w, r)
	if !w.hijacked {
		w.WriteHeader(http.StatusOK) // if there was no other
		c.answered.Store(true)
	}
}

// upgradeWriter is the http.ResponseWriter for a request for a WebSocket.
type upgradeWriter struct {
	c        *Conn
	header   http.Header
	begun    bool
	hijacked bool
}

func (w *upgradeWriter) Header() http.Header { return w.header }

// WriteHeader writes the head of the answer.
func (w *upgradeWriter) WriteHeader(status int) {
	if w.begun {
		return
	}
	w.begun = true
	if status != http.StatusSwitchingProtocols {
		if w.header.Get("Connection") == "" { // 426 says Upgrade
			w.header.Set("Connection", "close")
		}
		w.header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	}
	var b bytes.Buffer
	b.Grow(512)
	b.WriteString("HTTP/1.1 " + strconv.Itoa(status) + " " + http.StatusText(status) + "\r\n")
	w.header.Write(&b)
	b.WriteString("\r\n")
	w.Write(b.Bytes())
}

// Write writes a part of the body, which ends with the connection.
func (w *upgradeWriter) Write(p []byte) (int, error) {
	if w.hijacked {
		return 0, http.ErrHijacked
	}
	w.WriteHeader(http.StatusOK)
	return w.c.Conn.Write(p)
}

// Flush implements http.Flusher; what was written is on its way.
func (w *upgradeWriter) Flush() { w.WriteHeader(http.StatusOK) }

// SetReadDeadline and SetWriteDeadline are for http.ResponseController.
func (w *upgradeWriter) SetReadDeadline(t time.Time) error  { w.c.setReadBy(t); return nil }
func (w *upgradeWriter) SetWriteDeadline(t time.Time) error { w.c.setWriteBy(t); return nil }

// Hijack implements http.Hijacker.
func (w *upgradeWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if w.hijacked {
		return nil, nil, http.ErrHijacked
	}
	w.hijacked = true
	w.c.l.active(w.c)
	w.c.release() // the goroutine is the handler's now
	return w.c, bufio.NewReadWriter(bufio.NewReaderSize(w.c, 16), bufio.NewWriterSize(w.c, 16)), nil
}
