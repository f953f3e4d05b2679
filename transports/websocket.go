package transports

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"encke/cause"
	"encke/csp"
)

// closeCode is the WebSocket close code for a cause, in the range for private use.
func closeCode(c cause.Code) websocket.StatusCode { return websocket.StatusCode(4000 + int(c)) }

// leastBuffer is the smallest buffer that bufio has, in bytes: wsConn needs none.
const leastBuffer = 16

// serveWebSocket upgrades the request and serves the WebSocket for half a second at most,
// which for many is all. Then it returns: whoever called gets goroutine and request back, and the
// WebSocket goes on in one goroutine of ours.
func (h *Handler) serveWebSocket(w http.ResponseWriter, r *http.Request, origin string) {
	if r.ContentLength != 0 { // what follows the request would be taken for frames
		w.Header().Set("Connection", "close") // and is not waited for
		http.Error(w, "an upgrade has no body", http.StatusBadRequest)
		return
	}
	if !h.admitUpgrade(w, r) {
		return
	}
	l := &wsLink{h: h, peer: Peer(r, origin)}
	var named []string
	l.early, named = earlyData(r)
	u := &upgrader{ResponseWriter: w, buffer: leastBuffer, hold: l.early != ""}
	u.wrap = func(c net.Conn, ahead []byte) net.Conn {
		l.conn = newWSConn(c, ahead, h.opts.WriteTimeout, func() bool { return h.spawn(l.confined(l.drain)) })
		if u.hold {
			l.conn.collect(u.held)
		}
		return l.conn
	}
	ws, err := websocket.Accept(u, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // origin.go has checked it, by our rules
		CompressionMode:    websocket.CompressionDisabled,
		Subprotocols:       named,
	})
	if err != nil {
		return // Accept has answered
	}
	ws.SetReadLimit(csp.MaxBody)
	l.ws = ws
	h.track(l.conn.Conn, true)
	if !h.here(l.confined(l.run)) {
		ws.CloseNow()
	}
}

// subprotocol is the name of ours. A client may offer a second one with it, which is no name
// but its first message (csp/PROTOCOL.md section 5): so a session has its first answer after
// one round trip, as over HTTP.
const subprotocol = "encke"

// earlyData returns the first message that came with a request, in base64, or "", and the
// subprotocols to choose from: ours says that such a message was taken. It has the effect of
// a message that came later: when the request is repeated, the session takes what is in it
// once.
func earlyData(r *http.Request) (text string, subprotocols []string) {
	name, text, _ := strings.Cut(strings.Join(r.Header.Values("Sec-WebSocket-Protocol"), ","), ",")
	if text = strings.TrimSpace(text); text == "" || strings.Contains(text, ",") || strings.TrimSpace(name) != subprotocol {
		return "", nil
	}
	return text, []string{subprotocol}
}

// upgrader gives the WebSocket library what wrap makes of the connection, with buffers
// of its own, in place of the connection and buffers of net/http.
type upgrader struct {
	http.ResponseWriter
	buffer int // bytes, each way
	wrap   func(conn net.Conn, ahead []byte) net.Conn
	hold   bool   // the head of the 101 is not written, for wrap to do it
	held   []byte // that head
}

// WriteHeader writes the head of the answer, or holds it. That to a handshake has nothing
// about content.
func (u *upgrader) WriteHeader(status int) {
	if status == http.StatusSwitchingProtocols {
		for name := range answerFields {
			delete(u.Header(), name)
		}
	}
	if !u.hold || status != http.StatusSwitchingProtocols {
		u.ResponseWriter.WriteHeader(status)
		return
	}
	var b bytes.Buffer
	b.Grow(256)
	b.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
	u.Header().Write(&b)
	b.WriteString("\r\n")
	u.held = b.Bytes()
}

// Unwrap hides nothing; it is there so that http.ResponseController works.
func (u *upgrader) Unwrap() http.ResponseWriter { return u.ResponseWriter }

// Write is called for what the library says about a handshake that is none. It would
// repeat the request.
func (u *upgrader) Write(p []byte) (int, error) {
	_, err := io.WriteString(u.ResponseWriter, "not a WebSocket handshake\n")
	return len(p), err
}

// detacher is a connection that looks at requests and steps aside for an upgraded one.
type detacher interface {
	Detach() (below net.Conn, ahead []byte)
}

// Hijack implements http.Hijacker.
func (u *upgrader) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(u.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	conn.SetDeadline(time.Time{})
	ahead, _ := rw.Reader.Peek(rw.Reader.Buffered())
	if d, ok := conn.(detacher); ok {
		below, more := d.Detach()
		conn, ahead = below, append(ahead[:len(ahead):len(ahead)], more...)
	}
	conn = u.wrap(conn, ahead)
	return conn, bufio.NewReadWriter(bufio.NewReaderSize(conn, u.buffer), bufio.NewWriterSize(conn, u.buffer)), nil
}

// wsLink is a WebSocket that carries a session both ways. Its goroutine reads.
// Writing has no goroutine: whoever queues something for the session calls flush
// through the csp.Link, and what the socket does not take at once is left to a
// goroutine that lives as long as that takes.
type wsLink struct {
	h    *Handler
	ws   *websocket.Conn
	conn *wsConn
	peer csp.Peer

	early string // what came with the request and was not taken yet

	// Used by the reading goroutine only.
	next     uint64     // id of the next packet from the client
	gathered *gathering // or nil

	session *csp.Session // set before link
	link    *csp.Link

	// Used by whoever flushes. Both stay as they are until all is written.
	batch csp.Batch
	out   *[]byte // small messages, from scratch

	welcome *csp.Record

	closing atomic.Bool // the library closes the WebSocket, in another goroutine
	brought atomic.Bool // what messages have brought about may not have gone out

	heard atomic.Int64 // when the client was last heard, nanoseconds since start
	said  atomic.Int64 // when something was last sent
	watch roundTimer
}

var start = time.Now()

func sinceStart() time.Duration { return time.Since(start) }

func (l *wsLink) begin(u *uplink) error {
	session, err := l.h.session(u, l.peer)
	if err != nil {
		l.h.stats.refused(err)
		return err
	}
	l.session = session
	l.conn.Conn.SetReadDeadline(time.Time{})
	u.hello.Session = nil // it points into the message
	l.welcome = l.h.welcome(session, u)
	var ack uint64
	if u.hello.Kind == csp.Resume {
		ack = u.hello.ID
	}
	if l.link, err = session.Attach(ack, l.flush); err != nil {
		return err
	}
	l.conn.reader.OnWait(l.due, l.settle)
	l.watch = l.h.rounds.timer(l.confined(l.check))
	l.watch.reset(l.h.opts.Heartbeat)
	err = u.apply(session, false)
	if len(u.packets) > 0 && l.link.Park() {
		time.AfterFunc(greeting, l.confined(l.greet))
	} else {
		l.flush() // the first Take has something: the answer to the hello
	}
	return err
}

// greeting is how long the answer to a hello that came with packets waits for the answers
// to those. For the client each message is a wake-up.
const greeting = 5 * time.Millisecond

// greet sends the answer to the hello, if that has not gone with something else.
func (l *wsLink) greet() {
	if l.said.Load() == 0 {
		l.link.Beat()
	}
}

// check is called when something may be due: a heartbeat when the link was silent, or the
// end of a link whose client was.
func (l *wsLink) check() {
	now, heard, said := int64(sinceStart()), l.heard.Load(), l.said.Load()
	dead := heard + int64(l.h.opts.Heartbeat+l.h.opts.Silence)
	beat := said + int64(l.h.opts.Heartbeat)
	if now >= dead {
		l.conn.abandon()
		return
	}
	if now+int64(l.h.rounds.width) > beat { // the next round may be too late
		l.link.Probe()
		beat = now + int64(l.h.opts.Heartbeat)
	}
	l.watch.reset(time.Duration(min(beat, dead) - now))
}

// flush sends what the session has for us. It is called by one goroutine at a
// time: the csp.Link calls it only after a Take found nothing.
func (l *wsLink) flush() {
	for {
		ok, err := l.link.Take(&l.batch, flushBytes)
		if err != nil {
			l.finish(err)
			return
		}
		if !ok {
			return
		}
		if !l.send() {
			return
		}
	}
}

// flushBytes is how much is written before the session is asked for more.
const flushBytes = 128 << 10

// send writes l.batch. It reports false when the socket is full or broken; then
// somebody else goes on.
func (l *wsLink) send() bool {
	l.said.Store(int64(sinceStart()))
	l.conn.cork()
	err := l.writeMessages()
	// The library takes no more once it has sent a close frame, for the reader, which
	// ends the link. That frame may be among what was collected.
	over := errors.Is(err, net.ErrClosed)
	var done bool
	if err == nil || over {
		done, err = l.conn.uncork()
	}
	if err != nil {
		l.conn.abandon()
		l.batch, l.out = csp.Batch{}, nil // a drain may still read it: it is left to the garbage collector
		return false
	}
	if done {
		l.written()
	}
	return done && !over // else drain goes on, or nobody does
}

// drain goes on where a write had to stop, of send or of the WebSocket library. It
// ends when all is written or the write times out.
func (l *wsLink) drain() {
	behind, err := l.conn.drain()
	if err != nil {
		l.conn.abandon()
	}
	if behind {
		l.written()
	}
	if behind && err == nil {
		l.flush()
	}
}

// written lets go of what was sent.
func (l *wsLink) written() {
	l.batch.Release()
	if l.out != nil {
		scratch.Put(l.out)
		l.out = nil
	}
}

// merge is up to which size small packets share a message. For a browser each
// message is an event.
const merge = 16 << 10

// writeMessages gives the batch to the WebSocket: control records and small
// packets together, large packets as they are.
func (l *wsLink) writeMessages() error {
	b := &l.batch
	b.Welcome, l.welcome = l.welcome, nil
	l.out = scratch.Get().(*[]byte)
	out := csp.AppendControl((*l.out)[:0], b)
	begun := 0 // where in out the message under way begins
	write := func(p []byte) error {
		if len(p) == 0 {
			return nil
		}
		return l.ws.Write(context.Background(), websocket.MessageBinary, p)
	}
	for i := range b.Packets {
		rec := b.Packets[i].Record()
		if len(out)-begun+len(rec) > merge {
			if err := write(out[begun:]); err != nil {
				return err
			}
			begun = len(out)
		}
		if len(rec) > merge {
			if err := write(rec); err != nil {
				return err
			}
			continue
		}
		out = append(out, rec...)
	}
	out = csp.AppendClose(out, b.Close)
	*l.out = out
	return write(out[begun:])
}

// finish closes the WebSocket after the session ended or moved to another link. A
// link that end has detached is closed there.
func (l *wsLink) finish(err error) {
	code := cause.Displaced
	if !errors.Is(err, csp.ErrDisplaced) {
		if l.session.Err() == nil {
			return
		}
		code = cause.Closed
		var why *cause.Error
		if errors.As(l.session.Err(), &why) {
			code = why.Code
		}
	}
	l.closing.Store(true)
	if !l.h.spawn(l.confined(func() { closeWebSocket(l.ws, l.conn.reader.Until, closeCode(code), code.String()) })) {
		l.conn.abandon() // the reading goroutine, which this may be, does the rest
	}
}

// end is called once, by the reading goroutine, when the link carries no more.
func (l *wsLink) end(err error) {
	if l.link != nil {
		l.watch.stop()
	}
	var why *cause.Error
	var bad *violation
	switch known := errors.As(err, &why); {
	case !known: // the connection broke, or its frames are at fault
		if l.link != nil {
			if l.conn.goodbye() == closeCode(cause.Displaced) { // the client has answered to that
				l.link.Contested()
			}
			l.link.Detach()
		}
		if errors.As(err, &bad) {
			closeWebSocket(l.ws, l.conn.reader.Until, bad.code, bad.text)
		}
		l.ws.CloseNow()
	case l.link != nil:
		l.session.Close(why) // flush says it, then finish closes the connection
	default: // refused, by us or by the session
		l.ws.Write(context.Background(), websocket.MessageBinary, csp.AppendClose(nil, why))
		closeWebSocket(l.ws, l.conn.reader.Until, closeCode(why.Code), why.Code.String())
	}
}
