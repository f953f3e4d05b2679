package tcpsocket

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/whitelist"
)

// muxOnly is a mux whose frames to the page are kept.
type muxOnly struct {
	*Mux
	sent chan Frame
}

func (m *muxOnly) Send(b *buffer.Buffer, _ int) error {
	var p parser
	var f Frame
	err := p.feed(b.Bytes(), &f, func(f *Frame) error { m.sent <- clone(f); return nil })
	b.Release()
	return err
}
func (m *muxOnly) Reserve(n int, _ time.Duration, _ int) int { return n }
func (m *muxOnly) Unreserve(int)                             {}

// newMux returns a mux whose dials succeed with one end of a pipe.
func newMux(t *testing.T, opts Options) *muxOnly {
	t.Helper()
	m := &muxOnly{sent: make(chan Frame, 1000)}
	server := NewServer(dialFunc(func(context.Context, whitelist.Dest, OpenOptions) (net.Conn, error) {
		near, far := net.Pipe()
		t.Cleanup(func() { far.Close() })
		return near, nil
	}), opts)
	m.Mux = server.Mux(m, Caller{})
	t.Cleanup(func() {
		m.Closed(cause.SessionLost.Err())
		server.Wait()
	})
	return m
}

func wireOf(frames ...Frame) [][]byte {
	var out []byte
	for i := range frames {
		out = frames[i].Append(out)
	}
	return [][]byte{out}
}

func openFrame(socket uint64) Frame {
	return Frame{Type: Open, Socket: socket, N: 1 << 20, Port: 80, Host: []byte("127.0.0.1")}
}

func TestSessionErrors(t *testing.T) {
	data := func(socket uint64, n int) Frame { return Frame{Type: Data, Socket: socket, Data: make([]byte, n)} }
	for _, tt := range []struct {
		name   string
		frames []Frame
	}{
		{"number used again", []Frame{openFrame(2), openFrame(2)}},
		{"lower number", []Frame{openFrame(2), openFrame(1)}},
		{"number 0", []Frame{openFrame(0)}},
		{"more than the window", []Frame{openFrame(1), data(1, firstWindow), data(1, 1)}},
		{"data after EOF", []Frame{openFrame(1), {Type: EOF, Socket: 1}, data(1, 1)}},
		{"window above 2^31-1", []Frame{openFrame(1), {Type: Window, Socket: 1, N: 1<<31 - 1}}},
		{"OPENED from a client", []Frame{openFrame(1), {Type: Opened, Socket: 1}}},
		{"GOAWAY from a client", []Frame{openFrame(1), {Type: GoAway, Socket: 1}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMux(t, Options{Window: firstWindow})
			if err := m.Receive(wireOf(tt.frames...)); !errors.Is(err, cause.ProtocolError.Err()) {
				t.Errorf("%v, want protocol-error", err)
			}
		})
	}
}

func TestSocketErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		f    Frame
		want cause.Code
	}{
		{"no host", Frame{Type: Open, Socket: 1, Port: 80}, cause.BadTarget},
		{"port 0", Frame{Type: Open, Socket: 1, Host: []byte("a")}, cause.BadTarget},
		{"port 65536", Frame{Type: Open, Socket: 1, Port: 65536, Host: []byte("a")}, cause.BadTarget},
		{"host with a line end", Frame{Type: Open, Socket: 1, Port: 80, Host: []byte("a\r\nb")}, cause.BadTarget},
		{"unknown option", Frame{Type: Open, Socket: 1, Port: 80, Host: []byte("a"), Option: []Option{{99, nil}}}, cause.BadTarget},
		{"family 5", Frame{Type: Open, Socket: 1, Port: 80, Host: []byte("a"), Option: []Option{{OptionFamily, []byte{5}}}}, cause.BadTarget},
		{"keep-alive of days", Frame{Type: Open, Socket: 1, Port: 80, Host: []byte("a"), Option: []Option{{OptionKeepAlive, []byte{0xff, 0xff, 0xff, 0xff, 0x7f}}}}, cause.BadTarget},
		{"never opened", Frame{Type: Data, Socket: 9, Data: []byte("x")}, cause.ProtocolError},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMux(t, Options{})
			if err := m.Receive(wireOf(tt.f)); err != nil {
				t.Fatalf("the session ended: %v", err)
			}
			if f := <-m.sent; f.Type != Reset || f.Socket != tt.f.Socket || f.Cause != uint64(tt.want) {
				t.Errorf("answer %s, want a reset with %v", describe(f), tt.want)
			}
		})
	}
}

func TestChatterEndsTheSession(t *testing.T) {
	m := newMux(t, Options{})
	var err error
	n := 0
	for ; err == nil && n < 1000; n++ {
		err = m.Receive(wireOf(Frame{Type: EOF, Socket: 7}))
	}
	if !errors.Is(err, cause.ProtocolError.Err()) || n != maxChatter+1 {
		t.Errorf("%v after %d frames, want protocol-error after %d", err, n, maxChatter+1)
	}
}

func TestFramesForEndedSocketsAreIgnored(t *testing.T) {
	m := newMux(t, Options{})
	err := m.Receive(wireOf(openFrame(1), Frame{Type: Reset, Socket: 1}, Frame{Type: Data, Socket: 1, Data: []byte("x")},
		Frame{Type: EOF, Socket: 1}, Frame{Type: Window, Socket: 1, N: 1}, Frame{Type: Close, Socket: 1}))
	if err != nil {
		t.Errorf("%v", err)
	}
	select {
	case f := <-m.sent:
		if f.Type != Opened {
			t.Errorf("sent %s", describe(f))
		}
	default:
	}
}
