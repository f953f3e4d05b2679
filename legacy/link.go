package legacy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"encke/cause"
	"encke/tcpsocket"
	"encke/transports"
)

// Link is a WebSocket that carries an older protocol: its goroutines, its pings, and
// the one reason for which it ends.
type Link struct {
	Group   *tcpsocket.Group // its sockets
	Buffers *Buffers
	Text    bool // its messages are text, not binary; to be set before the first is read

	proxy  *Proxy
	ws     *transports.Upgraded
	ctx    context.Context // done when the link has ended
	cancel context.CancelFunc
	beat   *time.Timer
	said   atomic.Int64  // when something was last written, nanoseconds since start
	idle   chan struct{} // closed when nothing runs any more

	mu      sync.Mutex
	why     *cause.Error // of the end; nil: it has not ended
	running int          // goroutines, with that which reads; once it is 0, nothing is started
}

var start = time.Now()

// gone is the end of a link whose client vanished.
var gone = cause.Reset.With("by the page")

// WebSocket makes a WebSocket of a request that Guard has let pass, see Upgrade of
// transports. run has the link in a goroutine of its own and reads it; what it returns ends
// the link, unless something has before. When run has returned, sockets that it did not
// close are reset, but after a clean end only when the goroutines of the link are through.
func (p *Proxy) WebSocket(w http.ResponseWriter, r *http.Request, origin string, subprotocols []string, run func(*Link) *cause.Error) {
	peer := transports.Peer(r, origin)
	p.Handler.Upgrade(w, r, subprotocols, func(stopping context.Context, ws *transports.Upgraded) {
		l := &Link{proxy: p, ws: ws, idle: make(chan struct{}), running: 1}
		l.ctx, l.cancel = context.WithCancel(context.Background())
		l.Buffers = NewBuffers(p.Sessions.Budget(), l.Done(), l.Go)
		l.Group = p.Group(peer, "", l.End)
		l.beat = time.AfterFunc(p.Heartbeat, func() { l.Go(l.check) })
		stop := context.AfterFunc(stopping, func() {
			away := cause.GoingAway.With("the proxy is stopping")
			l.End(away)
			l.Group.Close(away) // after a clean end it would still be writing
		})
		defer stop()
		why := cause.Internal.Err()
		l.confined(func() { why = run(l) })
		l.End(why)
		l.done()
		<-l.idle
		l.Group.Close(why)
	})
}

// Go runs f in a goroutine of the link, unless that is over. f ends when the link's
// sockets and WebSocket do.
func (l *Link) Go(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running > 0 {
		l.running++
		go func() {
			defer l.done()
			l.confined(f)
		}()
	}
}

// done says that a goroutine of the link has ended.
func (l *Link) done() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running--; l.running == 0 {
		close(l.idle)
	}
}

// confined runs f; a panic ends the link.
func (l *Link) confined(f func()) {
	defer func() {
		if v := recover(); v != nil {
			l.proxy.Handler.Panicked(v, nil)
			l.End(cause.Internal.Err())
		}
	}()
	f()
}

// Done is closed when the link has ended.
func (l *Link) Done() <-chan struct{} { return l.ctx.Done() }

// Why returns the reason of the end; nil: there was none yet.
func (l *Link) Why() *cause.Error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.why
}

// End ends the link. The first call counts. Its sockets are reset, but after a clean end, with
// the cause Closed: then what they still have to write is written.
func (l *Link) End(why *cause.Error) { l.end(why, closeCode(why.Code), why.Code.String()) }

// closeCode is the WebSocket close code for a cause.
func closeCode(c cause.Code) websocket.StatusCode {
	if c == cause.Closed {
		return websocket.StatusNormalClosure
	}
	return websocket.StatusCode(4000 + int(c))
}

func (l *Link) end(why *cause.Error, code websocket.StatusCode, text string) {
	l.mu.Lock()
	first := l.why == nil
	if first {
		l.why = why
	}
	l.mu.Unlock()
	if !first {
		return
	}
	l.beat.Stop()
	l.cancel()
	if why.Code != cause.Closed {
		l.Group.Close(why)
	}
	if why == gone {
		l.ws.CloseNow()
		return
	}
	l.Go(func() { l.ws.Close(code, text) })
}

// Next returns the next message, or false when the link has ended. It
// waits until ctx is done.
func (l *Link) Next(ctx context.Context) (io.Reader, bool) {
	typ, r, err := l.ws.Reader(ctx)
	switch {
	case err != nil:
		l.lost(err)
	case typ != l.kind():
		l.end(cause.ProtocolError.Err(), websocket.StatusUnsupportedData, l.other())
	default:
		return reader{l, r}, true
	}
	return nil, false
}

// kind is the type of its messages.
func (l *Link) kind() websocket.MessageType {
	if l.Text {
		return websocket.MessageText
	}
	return websocket.MessageBinary
}

// other names the messages that it does not take.
func (l *Link) other() string {
	if l.Text {
		return "binary message"
	}
	return "text message"
}

// NotText ends the link because a text message is no UTF-8 (RFC 6455 section 8.1).
func (l *Link) NotText() {
	l.end(cause.ProtocolError.Err(), websocket.StatusInvalidFramePayloadData, "not UTF-8")
}

// reader ends the link when a message does not come to its end.
type reader struct {
	l *Link
	r io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && err != io.EOF {
		r.l.lost(err)
	}
	return n, err
}

// lost ends the link after an error of reading.
func (l *Link) lost(err error) {
	var closed websocket.CloseError
	code, text, bad := transports.Violation(err)
	switch {
	case bad:
		l.end(cause.ProtocolError.Err(), code, text)
	case errors.As(err, &closed):
		l.End(cause.Closed.Err())
	default:
		l.End(gone)
	}
}

// Write sends p as a message. An error ends the link; false: it has ended.
func (l *Link) Write(p []byte) bool {
	if l.ctx.Err() != nil {
		return false
	}
	err := l.ws.Write(context.Background(), l.kind(), p) // see WriteTimeout of transports
	l.said.Store(int64(time.Since(start)))
	if err != nil {
		l.End(gone)
	}
	return err == nil
}

// check sends a ping when nothing was written for a heartbeat. No answer is waited for: a
// client that is alive may be one whose messages we do not read at the moment, and one that is
// not is found by TCP.
func (l *Link) check() {
	quiet := time.Since(start) - time.Duration(l.said.Load())
	wait := l.proxy.Heartbeat - quiet
	if wait <= 0 {
		ctx, cancel := context.WithTimeout(l.ctx, l.proxy.Heartbeat)
		err := l.ws.Ping(ctx)
		if err != nil && ctx.Err() == nil {
			l.End(gone)
		}
		cancel()
		wait = l.proxy.Heartbeat
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.why == nil {
		l.beat.Reset(wait)
	}
}
