package wsframes

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"encke/cmd/encke/app"
	"encke/csp"
	"encke/integration/backend"
	"encke/integration/inprocess"
	"encke/tcpsocket"
)

// trial is one case: what a client sends over a WebSocket that carries a session
// with one socket, and what becomes of it.
type trial struct {
	name string
	wire []byte // behind the handshake, the hello and the OPEN
	chop int    // bytes for each write; 0: all at once

	pongs   []string // payloads of the pong frames that come, in order
	answers int      // how many PONG records come
	echo    []string // what the packets carried that count; it comes back from the echo server

	// code is the close code that the proxy sends, in answer to a close frame or by
	// itself. 0: the WebSocket goes on; the test asks for one more PONG record and
	// then closes it with 1000.
	code   int
	silent bool // the proxy's close frame has no code
	over   bool // the session is over too
}

// site is a running proxy with an echo server behind it.
type site struct {
	app  *app.App
	addr string
	echo *backend.Backend
}

func start(t *testing.T) *site {
	t.Helper()
	echo := backend.Echo(t)
	a := inprocess.Start(t, app.Config{
		Allow:  []string{echo.Addr()},
		Limits: app.Limits{AddressSessions: -1, AddressHandshakes: -1, AddressUpgrades: -1, AddressRequests: -1}, // all come from here
	})
	return &site{a, a.Addr().String(), echo}
}

// play runs the cases of one chapter.
func play(t *testing.T, trials []trial) {
	s := start(t)
	names := make(map[string]bool)
	t.Run("cases", func(t *testing.T) { // so that the proxy stops behind all of them
		for _, tt := range trials {
			if names[tt.name] {
				t.Errorf("two cases are named %q", tt.name)
			}
			names[tt.name] = true
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				played.Add(1)
				tt.run(t, s)
			})
		}
	})
}

// record returns a record that takes no id.
func record(r csp.Record) string { return string(r.Append(nil)) }

// forSocket returns a DATA record with data for the socket.
func forSocket(data string) string {
	f := tcpsocket.Frame{Type: tcpsocket.Data, Socket: 1, Data: []byte(data)}
	return record(csp.Record{Kind: csp.Data, Data: f.Append(nil)})
}

const (
	pingRecord = "\x08"
	nopRecord  = "\x00"
)

// asking returns a message of this size that is answered by a PONG record.
func asking(size int) string { return strings.Repeat(nopRecord, size-1) + pingRecord }

var keys atomic.Uint64

// newRecord opens a session.
func newRecord() string {
	var key csp.Key
	binary.BigEndian.PutUint64(key[:], keys.Add(1))
	return record(csp.Record{Kind: csp.New, Version: csp.Version, Key: key})
}

// client is what a case has seen of the proxy.
type client struct {
	*conn
	stream
	session []byte
	next    uint64 // id of the proxy's next packet
	acked   uint64
	pongs   []string
	answers int
	why     *csp.Record // CLOSE
	code    int         // of the close frame; -1: it has none
	reason  string
}

func (tt *trial) run(t *testing.T, s *site) {
	c := &client{conn: dial(t, s.addr)}
	if resp := c.upgrade(""); resp.StatusCode != 101 {
		t.Fatalf("the handshake was answered with %s", resp.Status)
	}
	open := tcpsocket.Frame{Type: tcpsocket.Open, Socket: 1, N: 16 << 20, Port: uint64(s.echo.Port()), Host: []byte(s.echo.Host())}
	hello := newRecord() + record(csp.Record{Kind: csp.Seq, ID: 1}) + record(csp.Record{Kind: csp.Data, Data: open.Append(nil)})
	c.write(frame(fin|binaryData, hello), 0)
	c.until("the socket is open", func() bool { return c.opened })

	sent := make(chan struct{})
	go func() { // beside reading, or both sides could wait for the other to read
		defer close(sent)
		c.write(tt.wire, tt.chop)
	}()
	defer func() { <-sent }()

	if tt.code == 0 && !tt.silent {
		<-sent
		c.until("all answers are there", func() bool {
			return len(c.pongs) >= len(tt.pongs) && c.answers >= tt.answers && len(c.echo) >= len(tt.echoed())
		})
		c.write(frame(fin|binaryData, pingRecord), 0)
		c.until("one more PONG", func() bool { return c.answers > tt.answers })
		c.answers--
		c.write(frame(fin|closing, "\x03\xe8done"), 0)
	}
	c.until("the WebSocket is closed", func() bool { return c.code != 0 })
	if tt.code != 1000 && tt.code != 0 && !tt.silent {
		c.write(frame(fin|closing, string(binary.BigEndian.AppendUint16(nil, uint16(tt.code)))), 0)
	}
	c.ended()
	c.Close()
	tt.judge(t, c)
	if tt.over {
		if c.why == nil || 4000+int(c.why.Cause) != tt.code {
			t.Errorf("CLOSE %+v before close code %d", c.why, tt.code)
		}
		return
	}
	tt.resume(t, s, c)
}

func (tt *trial) echoed() string { return strings.Join(tt.echo, "") }

// judge compares what the client saw with what the case says.
func (tt *trial) judge(t *testing.T, c *client) {
	t.Helper()
	want := tt.code
	switch {
	case tt.silent:
		want = -1
	case want == 0:
		want = 1000
	}
	if c.code != want {
		t.Errorf("closed with %d %q, want %d", c.code, c.reason, want)
	}
	if !utf8.ValidString(c.reason) {
		t.Errorf("the reason %q is no UTF-8", c.reason)
	}
	if !slices.Equal(c.pongs, tt.pongs) {
		t.Errorf("pong frames %q, want %q", c.pongs, tt.pongs)
	}
	// Records that are queued when the link ends by a fault wait for the next link.
	if c.answers != tt.answers && (want == 1000 || c.answers > tt.answers) {
		t.Errorf("%d PONG records, want %d", c.answers, tt.answers)
	}
}

// resume looks whether the session has taken exactly what arrived whole.
func (tt *trial) resume(t *testing.T, s *site, c *client) {
	t.Helper()
	again := &client{conn: dial(t, s.addr), stream: c.stream}
	if resp := again.upgrade(""); resp.StatusCode != 101 {
		t.Fatalf("the handshake was answered with %s", resp.Status)
	}
	ack := max(c.next, 1) - 1
	again.write(frame(fin|binaryData, record(csp.Record{Kind: csp.Resume, Session: c.session, ID: ack})+pingRecord), 0)
	again.until("the session is resumed and the echo there", func() bool {
		return again.why != nil || again.answers == 1 && len(again.echo) >= len(tt.echoed())
	})
	if again.why != nil {
		t.Fatalf("the session is over: %s", again.why.Text)
	}
	if got, want := string(again.echo), tt.echoed(); got != want {
		t.Errorf("echo of %d bytes, want %d: %.60q, want %.60q", len(got), len(want), got, want)
	}
	if want := uint64(1 + len(tt.echo)); again.acked != want {
		t.Errorf("%d packets were taken, want %d", again.acked, want)
	}
	again.write(frame(fin|binaryData, record(csp.Record{Kind: csp.Close})), 0)
	again.until("the WebSocket is closed", func() bool { return again.code != 0 })
	if again.code != 4000 {
		t.Errorf("after CLOSE the WebSocket was closed with %d", again.code)
	}
}

// until reads frames until ok.
func (c *client) until(what string, ok func() bool) {
	c.t.Helper()
	for !ok() {
		opcode, payload, err := c.read()
		if err != nil {
			c.t.Fatalf("until %s: %v; so far %s", what, err, c)
		}
		c.take(opcode, payload)
	}
}

// ended reads to the end of the connection, which must be an orderly one.
func (c *client) ended() {
	c.t.Helper()
	if opcode, payload, err := c.read(); err != io.EOF {
		c.t.Fatalf("behind the close frame %d: frame %x %q, error %v; want the end of the connection", c.code, opcode, payload, err)
	}
}

func (c *client) take(opcode byte, payload []byte) {
	c.t.Helper()
	switch opcode {
	case pong:
		c.pongs = append(c.pongs, string(payload))
	case closing:
		c.code = -1
		if len(payload) >= 2 {
			c.code, c.reason = int(binary.BigEndian.Uint16(payload)), string(payload[2:])
		}
	case binaryData:
		next, err := csp.Parse(payload, c.next, c.record)
		if err != nil {
			c.t.Fatalf("the message %x: %v", payload, err)
		}
		c.next = next
	default:
		c.t.Fatalf("a frame with opcode %x", opcode)
	}
}

func (c *client) record(r *csp.Record) error {
	switch r.Kind {
	case csp.Welcome:
		c.session = slices.Clone(r.Session)
	case csp.Ack:
		c.acked = r.ID
	case csp.Pong:
		c.answers++
	case csp.Close:
		why := *r
		why.Text = slices.Clone(r.Text)
		c.why = &why
	case csp.Data:
		return c.frames(r.Data)
	}
	return nil
}

// stream is what the proxy says about sockets, which may be cut anywhere.
type stream struct {
	rest   []byte
	opened bool
	echo   []byte
}

// frames takes more of the stream.
func (s *stream) frames(p []byte) error {
	s.rest = append(s.rest, p...)
	for {
		rest := s.rest
		if len(rest) == 0 {
			return nil
		}
		short := false
		number := func() uint64 {
			v, n := csp.Uvarint(rest)
			short = short || n <= 0
			rest = rest[max(n, 0):]
			return v
		}
		bytes := func() []byte {
			n := number()
			if short = short || n > uint64(len(rest)); short {
				return nil
			}
			p := rest[:n]
			rest = rest[n:]
			return p
		}
		kind := tcpsocket.Type(rest[0])
		rest = rest[1:]
		if socket := number(); socket != 1 && !short {
			return fmt.Errorf("a frame for socket %d", socket)
		}
		var data []byte
		switch kind {
		case tcpsocket.Opened:
			number()
			bytes()
			bytes()
		case tcpsocket.Data:
			data = bytes()
		case tcpsocket.Window:
			number()
		default:
			return fmt.Errorf("frame %x", kind)
		}
		if short {
			return nil
		}
		s.opened = s.opened || kind == tcpsocket.Opened
		s.echo = append(s.echo, data...)
		s.rest = rest
	}
}

func (c *client) String() string {
	return fmt.Sprintf("close code %d %q, %d pong frames, %d PONG records, %d bytes of echo", c.code, c.reason, len(c.pongs), c.answers, len(c.echo))
}
