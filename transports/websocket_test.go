package transports_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"encke/cause"
	"encke/csp"
	"encke/transports"
)

func (r *rig) dial(headers ...string) (*websocket.Conn, *http.Response, error) {
	h := http.Header{"Origin": {r.url}}
	for i := 0; i < len(headers); i += 2 {
		h.Del(headers[i])
		if headers[i+1] != "" {
			h.Set(headers[i], headers[i+1])
		}
	}
	ws, resp, err := websocket.Dial(r.t.Context(), r.url+"/session/websocket", &websocket.DialOptions{HTTPHeader: h, HTTPClient: r.client})
	if err == nil {
		ws.SetReadLimit(2 << 20)
		r.t.Cleanup(func() { ws.CloseNow() })
	}
	return ws, resp, err
}

func (r *rig) websocket() *websocket.Conn {
	r.t.Helper()
	ws, _, err := r.dial()
	if err != nil {
		r.t.Fatal(err)
	}
	return ws
}

// rawWebSocket is websocket with the connection below.
func (r *rig) rawWebSocket() (ws *websocket.Conn, raw net.Conn) {
	r.t.Helper()
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		raw = c
		return c, err
	}}}
	ws, _, err := websocket.Dial(r.t.Context(), r.url+"/session/websocket", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {r.url}}, HTTPClient: client})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { ws.CloseNow() })
	return ws, raw
}

func (r *rig) say(ws *websocket.Conn, records ...[]byte) {
	r.t.Helper()
	if err := ws.Write(r.t.Context(), websocket.MessageBinary, join(records...)); err != nil {
		r.t.Fatal(err)
	}
}

// hear returns the records of the next message.
func (r *rig) hear(ws *websocket.Conn) []csp.Record {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer cancel()
	_, msg, err := ws.Read(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	var all []csp.Record
	if _, err := csp.Parse(msg, 1, func(rec *csp.Record) error { all = append(all, *rec); return nil }); err != nil {
		r.t.Fatalf("%x: %v", msg, err)
	}
	return all
}

// closed reads until the WebSocket is closed and returns the close code.
func (r *rig) closed(ws *websocket.Conn) websocket.StatusCode {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer cancel()
	for {
		if _, _, err := ws.Read(ctx); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

// What is about content has no place in an answer without any.
func TestHandshakeIsAnsweredInBrief(t *testing.T) {
	_, resp, err := newRig(t, transports.Options{}, csp.Options{}).dial()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range resp.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	if want := []string{"Connection", "Sec-Websocket-Accept", "Upgrade"}; !slices.Equal(names, want) {
		t.Errorf("fields %q, want %q", names, want)
	}
}

func TestWebSocketCarriesASession(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	ws := r.websocket()
	r.say(ws, r.hello(), packets(1, "hi"))
	recs := r.hear(ws)
	if len(recs) != 3 || recs[0].Kind != csp.Welcome || recs[1].Kind != csp.Ack || string(recs[2].Data) != "hi" {
		t.Fatalf("answer %v", recs)
	}
	id := string(recs[0].Session)
	r.say(ws, []byte{byte(csp.Ping)})
	if recs := r.hear(ws); recs[0].Kind != csp.Pong {
		t.Errorf("a probe was answered with %v", recs)
	}
	ws.CloseNow()

	// The same session over another WebSocket, then over another transport.
	again := r.websocket()
	r.say(again, resume(id, 0))
	if recs := r.hear(again); recs[0].Kind != csp.Ack || recs[0].ID != 1 || string(recs[1].Data) != "hi" {
		t.Errorf("after a resume: %v", recs)
	}
	newStream(t, r.post("xhr-streaming", resume(id, 1))).until("ack")
	if code := r.closed(again); code != 4000+websocket.StatusCode(cause.Displaced) {
		t.Errorf("the displaced WebSocket was closed with %d", code)
	}
}

// A hello whose packets are not answered is.
func TestHelloIsAnswered(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	ws := r.websocket()
	r.say(ws, r.hello(), packets(1, silent))
	if recs := r.hear(ws); len(recs) != 2 || recs[0].Kind != csp.Welcome || recs[1].Kind != csp.Ack || recs[1].ID != 1 {
		t.Errorf("answer %v", recs)
	}
}

func TestWebSocketRefusals(t *testing.T) {
	for _, tt := range []struct {
		name string
		say  func(r *rig, ws *websocket.Conn)
		want cause.Code
	}{
		{"unknown session", func(r *rig, ws *websocket.Conn) { r.say(ws, resume("n0.x", 0)) }, cause.SessionLost},
		{"no hello", func(r *rig, ws *websocket.Conn) { r.say(ws, packets(1, "x")) }, cause.ProtocolError},
		{"empty message", func(r *rig, ws *websocket.Conn) { r.say(ws) }, cause.ProtocolError},
		{"hello twice", func(r *rig, ws *websocket.Conn) { h := r.hello(); r.say(ws, h); r.say(ws, h) }, cause.ProtocolError},
		{"unknown record", func(r *rig, ws *websocket.Conn) { r.say(ws, r.hello(), []byte{0x7f}) }, cause.ProtocolError},
		{"truncated record", func(r *rig, ws *websocket.Conn) { r.say(ws, r.hello()); r.say(ws, []byte{byte(csp.Data), 9, 'x'}) }, cause.ProtocolError},
		{"optimistic acknowledgement", func(r *rig, ws *websocket.Conn) {
			r.say(ws, r.hello(), (&csp.Record{Kind: csp.Ack, ID: 5}).Append(nil))
		}, cause.ProtocolError},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, transports.Options{}, csp.Options{})
			ws := r.websocket()
			tt.say(r, ws)
			var why *csp.Record
			for why == nil {
				for _, rec := range r.hear(ws) {
					if rec.Kind == csp.Close {
						why = &rec
					}
				}
			}
			if why.Cause != uint64(tt.want) {
				t.Errorf("CLOSE %d, want %v", why.Cause, tt.want)
			}
			if code := r.closed(ws); code != 4000+websocket.StatusCode(tt.want) {
				t.Errorf("close code %d, want %d", code, 4000+int(tt.want))
			}
		})
	}
}

func TestWebSocketNeedsAnOrigin(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	for _, headers := range [][]string{{"Origin", ""}, {"Origin", "http://evil.test"}, {"Origin", "null"}} {
		_, resp, err := r.dial(headers...)
		if err == nil || resp == nil || resp.StatusCode != 403 {
			t.Errorf("%q: %v", headers, err)
		}
	}
}

// A connection that ends inside a frame must not pass as the end of the message.
func TestCutInsideAFrame(t *testing.T) {
	for _, reset := range []bool{false, true} {
		for cut := range 60 {
			r := newRig(t, transports.Options{}, csp.Options{})
			ws, raw := r.rawWebSocket()
			r.say(ws, r.hello())
			id := string(r.hear(ws)[0].Session)
			// A masked frame, by hand, and only the first bytes of it.
			payload := packets(1, strings.Repeat("x", 40))
			frame := append([]byte{0x82, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
			raw.Write(frame[:min(cut, len(frame)-1)])
			if reset {
				raw.(*net.TCPConn).SetLinger(0)
			}
			raw.Close()
			ws.CloseNow()
			again := r.websocket()
			r.say(again, resume(id, 0), packets(1, "whole"))
			var got bytes.Buffer
			for got.Len() < 5 {
				for _, rec := range r.hear(again) {
					if rec.Kind == csp.Close {
						t.Fatalf("cut after %d bytes: the session ended: %s", cut, rec.Text)
					}
					got.Write(rec.Data)
				}
			}
			if got.String() != "whole" {
				t.Fatalf("cut after %d bytes: %q", cut, got.String())
			}
			again.CloseNow()
		}
	}
}

func TestSilentLinksAreProbedThenCut(t *testing.T) {
	r := newRig(t, transports.Options{Heartbeat: 200 * time.Millisecond, Silence: 400 * time.Millisecond}, csp.Options{})
	ws := r.websocket()
	r.say(ws, r.hello())
	pings := 0
	for {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		_, msg, err := ws.Read(ctx)
		cancel()
		if err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				t.Fatal("a silent link was not cut")
			}
			break
		}
		pings += bytes.Count(msg[len(msg)-1:], []byte{byte(csp.Ping)})
	}
	if pings == 0 {
		t.Error("the link was cut without a probe")
	}
	if n := r.server.Stats().Live; n != 1 {
		t.Errorf("%d sessions: a cut link must leave its session", n)
	}
}

// A message that is at fault and closes the session ends the WebSocket like any other that
// is at fault.
func TestFaultyMessageThatClosesTheSession(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	for name, bad := range map[string][]byte{
		"acknowledgement": (&csp.Record{Kind: csp.Ack, ID: 9}).Append(nil),
		"gap":             packets(1000, "x"),
	} {
		bad = csp.AppendClose(bad, cause.Closed.Err())
		for _, first := range []bool{false, true} {
			ws := r.websocket()
			if first {
				r.say(ws, r.hello(), bad)
			} else {
				r.say(ws, r.hello())
				r.hear(ws)
				r.say(ws, bad)
			}
			if code := r.closed(ws); code != 4000+websocket.StatusCode(cause.ProtocolError) {
				t.Errorf("%s, with the hello %v: closed with %d", name, first, code)
			}
		}
	}
}

// A client that is told of the end, and then stops in the middle of a frame, is not waited
// for without end.
func TestClosedWebSocketIsNotHeldByHalfAFrame(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(conn, "GET /session/websocket HTTP/1.1\r\nHost: "+conn.RemoteAddr().String()+"\r\nOrigin: "+r.url+
		"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
	frame := func(payload []byte) []byte {
		return append([]byte{0x82, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
	}
	conn.Write(frame(r.hello()))
	br := bufio.NewReader(conn)
	if _, err := http.ReadResponse(br, nil); err != nil {
		t.Fatal(err)
	}
	br.ReadByte() // the reader waits for the next message
	conn.Write(frame((&csp.Record{Kind: csp.Ack, ID: 9}).Append(nil)))
	conn.Write(frame(make([]byte, 100))[:50])
	if _, err := io.Copy(io.Discard, br); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection is not closed")
	}
}
