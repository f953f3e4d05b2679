package hostile

import (
	"context"
	"encoding/binary"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/coder/websocket"

	"encke/cause"
	"encke/csp"
	"encke/tcpsocket"
)

// page is a client without scruples: a session over a WebSocket that sends whatever
// frames it is told to. The clients that pages and Go programs use would refuse.
type page struct {
	t    *testing.T
	id   string // of the session
	ws   *websocket.Conn
	sent uint64 // packets
	next uint64 // id of the next packet from the proxy
	in   []byte // of the stream, not yet decoded
}

// visit opens a session for a page of this origin.
func visit(t *testing.T, addr, origin string) *page { return visitAs(t, addr, "", origin) }

// visitAs is visit with another Host header field than the address.
func visitAs(t *testing.T, addr, host, origin string) *page {
	t.Helper()
	p := &page{t: t}
	p.link(addr, host, origin)
	p.write(fresh())
	for p.id == "" {
		p.read()
	}
	return p
}

// link connects a WebSocket, in place of the last one.
func (p *page) link(addr, host, origin string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, "ws://"+addr+"/session/websocket", &websocket.DialOptions{Host: host, HTTPHeader: http.Header{"Origin": {origin}}})
	if err != nil {
		p.t.Fatal(err)
	}
	ws.SetReadLimit(2 << 20)
	p.t.Cleanup(func() { ws.CloseNow() })
	p.ws = ws
}

// leave ends the session.
func (p *page) leave() {
	p.t.Helper()
	p.write(bye)
	p.ws.CloseNow()
}

func (p *page) write(records string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	if err := p.ws.Write(ctx, websocket.MessageBinary, []byte(records)); err != nil {
		p.t.Fatal(err)
	}
}

// say sends frames.
func (p *page) say(frames ...tcpsocket.Frame) {
	p.t.Helper()
	var all []byte
	for i := range frames {
		all = frames[i].Append(all)
	}
	p.sent++
	p.write(seq(p.sent) + data(string(all)))
}

// read takes the next message. It fails the test when the session ends.
func (p *page) read() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	_, msg, err := p.ws.Read(ctx)
	if err != nil {
		p.t.Fatal(err)
	}
	p.next, err = csp.Parse(msg, p.next, func(r *csp.Record) error {
		switch r.Kind {
		case csp.Welcome:
			p.id = string(r.Session)
		case csp.Data:
			p.in = append(p.in, r.Data...)
			p.write(record(csp.Record{Kind: csp.Ack, ID: r.ID}))
		case csp.Close:
			p.t.Fatalf("the session is over: %v %s", cause.FromWire(r.Cause), r.Text)
		}
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// hear returns the next frame.
func (p *page) hear() tcpsocket.Frame {
	p.t.Helper()
	for {
		if f, n := decode(p.in); n > 0 {
			p.in = p.in[n:]
			return f
		}
		p.read()
	}
}

// open asks for a target and returns the answer: OPENED or RESET.
func (p *page) open(socket uint64, host string, port uint64) tcpsocket.Frame {
	p.t.Helper()
	p.say(tcpsocket.Frame{Type: tcpsocket.Open, Socket: socket, N: 1 << 16, Host: []byte(host), Port: port})
	f := p.hear()
	if f.Socket != socket || f.Type != tcpsocket.Opened && f.Type != tcpsocket.Reset {
		p.t.Fatalf("OPEN %q:%d as socket %d is answered by %+v", host, port, socket, f)
	}
	return f
}

// refused opens a target and checks that it is refused with this cause. It returns the
// text beside the cause.
func (p *page) refused(socket uint64, host string, port uint64, want cause.Code) string {
	p.t.Helper()
	f := p.open(socket, host, port)
	if f.Type != tcpsocket.Reset {
		p.t.Errorf("%q:%d was opened at %s, want RESET %v", host, port, f.Remote, want)
	} else if got := cause.FromWire(f.Cause); got != want {
		p.t.Errorf("%q:%d: RESET %v (%s), want %v", host, port, got, f.Text, want)
	}
	return string(f.Text)
}

// decode takes a frame off the start of src. Its length is 0 when it is not there whole.
func decode(src []byte) (f tcpsocket.Frame, n int) {
	whole := true
	number := func() uint64 {
		v, length := binary.Uvarint(src[min(n, len(src)):])
		whole = whole && length > 0
		n += length
		return v
	}
	field := func() []byte {
		length := int(number())
		if !whole || len(src)-n < length {
			whole = false
			return nil
		}
		n += length
		return slices.Clone(src[n-length : n])
	}
	if len(src) == 0 {
		return f, 0
	}
	n = 1
	f.Type, f.Socket = tcpsocket.Type(src[0]), number()
	switch f.Type {
	case tcpsocket.Opened:
		f.N, f.Remote, f.Local = number(), field(), field()
	case tcpsocket.Data:
		f.Data = field()
	case tcpsocket.Window:
		f.N = number()
	case tcpsocket.Reset:
		f.Cause, f.Text = number(), field()
	case tcpsocket.GoAway:
		f.Cause, f.Retry = number(), number()
	}
	if !whole {
		return f, 0
	}
	return f, n
}

// took is how long f took, for figures that are shown and never judged.
func took(f func()) time.Duration {
	began := time.Now()
	f()
	return time.Since(began)
}
