package tcpsocket

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/whitelist"
)

// hooked is a Sender with hooks.
type hooked struct {
	onSend    func(f *Frame)
	onPiece   func(frames []Frame) // of one Send
	onReserve func(n int) int
}

func (h *hooked) Send(b *buffer.Buffer, _ int) error {
	var p parser
	var f Frame
	var all []Frame
	err := p.feed(b.Bytes(), &f, func(f *Frame) error {
		c := clone(f)
		all = append(all, c)
		if h.onSend != nil {
			h.onSend(&c)
		}
		return nil
	})
	if h.onPiece != nil {
		h.onPiece(all)
	}
	b.Release()
	return err
}
func (h *hooked) Reserve(n int, _ time.Duration, _ int) int {
	if h.onReserve != nil {
		return h.onReserve(n)
	}
	return n
}
func (h *hooked) Unreserve(int) {}

func soon(t *testing.T, d time.Duration, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Errorf("not within %v: %s", d, what)
}

// DATA that arrives between "connected" and startWriter overtakes the queue.
func TestReorderAtConnect(t *testing.T) {
	ln, _ := net.Listen("tcp", "127.0.0.1:0")
	defer ln.Close()
	release := make(chan struct{})
	server := NewServer(dialFunc(func(context.Context, whitelist.Dest, OpenOptions) (net.Conn, error) {
		<-release
		return net.Dial("tcp", ln.Addr().String())
	}), Options{})
	h := &hooked{}
	m := server.Mux(h, Caller{})
	h.onSend = func(f *Frame) {
		if f.Type == Opened { // a message of the page arrives just now (another goroutine in real life)
			done := make(chan struct{})
			go func() { m.Receive(wireOf(Frame{Type: Data, Socket: 1, Data: []byte("second ")})); close(done) }()
			<-done
		}
	}
	m.Receive(wireOf(openFrame(1), Frame{Type: Data, Socket: 1, Data: []byte("first ")}))
	close(release)
	far, _ := ln.Accept()
	defer far.Close()
	far.SetReadDeadline(time.Now().Add(5 * time.Second))
	buf := make([]byte, 13)
	io.ReadFull(far, buf)
	if string(buf) != "first second " {
		t.Errorf("backend got %q", buf)
	}
	m.Closed(cause.SessionLost.Err())
	server.Wait()
}

// EOF, then CLOSE, backend stays: never confirmed, never closed.
func TestEOFThenClose(t *testing.T) {
	r := newRig(t, nil, Options{})
	s, far := r.pair()
	s.CloseWrite()
	if _, err := io.ReadAll(far); err != nil { // FIN arrived
		t.Fatal(err)
	}
	s.Close()
	soon(t, 8*time.Second, "the socket ends after EOF, CLOSE", func() bool { return r.mux.Len() == 0 })
}

// backend closes entirely; page goes on writing: no RESET ever, CLOSE never confirmed.
func TestWriteFailsAfterBackendEOF(t *testing.T) {
	r := newRig(t, nil, Options{})
	s, far := r.pair()
	far.Close() // FIN now, RST on what comes later
	if _, err := io.ReadAll(s); err != nil {
		t.Fatal(err)
	}
	var werr error
	s.SetWriteDeadline(time.Now().Add(6 * time.Second))
	for range 2000 {
		if _, werr = s.Write(make([]byte, 4096)); werr != nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	t.Logf("write error: %v", werr)
	if errors.Is(werr, os.ErrDeadlineExceeded) || werr == nil {
		t.Errorf("page is never told (Write: %v)", werr)
	}
	s.Close()
	soon(t, 3*time.Second, "the socket ends after CLOSE", func() bool { return r.mux.Len() == 0 })
}

func fds() int {
	e, _ := os.ReadDir("/proc/self/fd")
	return len(e)
}

// backend closes first, page answers with CLOSE: descriptor stays until GC.
func TestDescriptorLeak(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	r := newRig(t, nil, Options{})
	dest, conns := listen(t)
	before := fds()
	for range 50 {
		s := r.dial(dest)
		far := <-conns
		far.CloseWrite()
		io.ReadAll(s)
		s.Close()
		io.ReadAll(far)
		far.Close()
	}
	soon(t, 6*time.Second, "sockets forgotten", func() bool { return r.mux.Len() == 0 })
	time.Sleep(7 * time.Second)
	if n := fds() - before; n > 5 {
		t.Errorf("%d descriptors leaked by 50 sockets", n)
	}
}

// a socket that ends while it asks for its turn stays in the queue and blocks all others.
func TestTurnsDeadlock(t *testing.T) {
	ln, _ := net.Listen("tcp", "127.0.0.1:0")
	defer ln.Close()
	server := NewServer(dialFunc(func(context.Context, whitelist.Dest, OpenOptions) (net.Conn, error) {
		return net.Dial("tcp", ln.Addr().String())
	}), Options{})
	h := &hooked{}
	m := server.Mux(h, Caller{})
	var mu, recv sync.Mutex
	recv.Lock()
	first, open := true, false
	var got strings.Builder
	h.onReserve = func(n int) int {
		mu.Lock()
		was := first
		first = false
		granted := 0
		if open {
			granted = n
		}
		mu.Unlock()
		if was { // the page resets socket 1 just while it asks for room
			go func() { recv.Lock(); m.Receive(wireOf(Frame{Type: Reset, Socket: 1})); recv.Unlock() }()
			for m.Len() > 0 {
				time.Sleep(time.Millisecond)
			}
			time.Sleep(50 * time.Millisecond)
		}
		return granted
	}
	h.onSend = func(f *Frame) {
		if f.Type == Data {
			mu.Lock()
			got.Write(f.Data)
			mu.Unlock()
		}
	}
	m.Receive(wireOf(openFrame(1)))
	recv.Unlock()
	a, _ := ln.Accept()
	defer a.Close()
	a.Write([]byte("a"))
	soon(t, 3*time.Second, "socket 1 reset", func() bool { return m.Len() == 0 })
	recv.Lock()
	m.Receive(wireOf(openFrame(2)))
	recv.Unlock()
	b, _ := ln.Accept()
	defer b.Close()
	mu.Lock()
	open = true // the session has all the room in the world
	mu.Unlock()
	m.Writable()
	b.Write([]byte("b"))
	soon(t, 3*time.Second, "socket 2 delivers", func() bool { m.Writable(); mu.Lock(); defer mu.Unlock(); return got.String() == "b" })
	m.Closed(cause.SessionLost.Err())
	server.Wait()
}

// Go client: a Write that gives up by its deadline keeps the first place in the queue.
func TestWriteDeadlineBlocksOthers(t *testing.T) {
	r := newRig(t, nil, Options{Window: 1 << 20})
	a, farA := r.pair()
	b, farB := r.pair()
	go io.Copy(io.Discard, farA)
	go io.Copy(io.Discard, farB)
	r.up.hold(true)
	a.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
	_, err := a.Write(make([]byte, 1<<20))
	t.Logf("a: %v", err)
	r.up.hold(false)
	time.Sleep(300 * time.Millisecond) // all delivered
	b.SetWriteDeadline(time.Now().Add(4 * time.Second))
	if _, err := b.Write([]byte("x")); err != nil {
		t.Errorf("b cannot write although the session is empty: %v", err)
	}
}

// Closed between open's two critical sections: socket outlives its session.
func TestOpenRacesClosed(t *testing.T) {
	ln, _ := net.Listen("tcp", "127.0.0.1:0")
	defer ln.Close()
	go func() {
		for {
			if _, err := ln.Accept(); err != nil {
				return
			}
		}
	}()
	server := NewServer(dialFunc(func(context.Context, whitelist.Dest, OpenOptions) (net.Conn, error) {
		return net.Dial("tcp", ln.Addr().String())
	}), Options{})
	for i := range 3000 {
		m := server.Mux(&hooked{}, Caller{})
		var frames []Frame
		for n := range 20 {
			frames = append(frames, openFrame(uint64(n+1)))
		}
		wire := wireOf(frames...)
		done := make(chan struct{})
		go func() { m.Receive(wire); close(done) }()
		for m.Len() < 3 {
		}
		m.Closed(cause.SessionLost.Err())
		<-done
		time.Sleep(0)
		if n := m.Len(); n > 0 {
			t.Errorf("session %d: %d sockets outlive their session (Server.Wait would hang)", i, n)
			return
		}
	}
}

// the pump waits for the page's window; the backend dies; the page writes: not told.
func TestDeadBackendBehindClosedWindow(t *testing.T) {
	r := newRig(t, nil, Options{})
	s, far := r.pair()
	far.SetWriteDeadline(time.Now().Add(500 * time.Millisecond))
	far.Write(make([]byte, 32<<20)) // fills the window; the page does not read
	far.SetLinger(0)
	far.Close()
	s.SetWriteDeadline(time.Now().Add(6 * time.Second))
	var err error
	for range 2000 {
		if _, err = s.Write(make([]byte, 4096)); err != nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if !errors.Is(err, cause.Reset.Err()) {
		t.Errorf("Write: %v, want reset", err)
	}
}

// The same reorder without hooks: a page that writes while the dial is under way.
func TestReorderUnhooked(t *testing.T) {
	r := newRig(t, nil, Options{OpenBurst: 1000})
	dest, conns := listen(t)
	bad := 0
	for i := range 400 {
		s, err := r.client.open(dest)
		if err != nil {
			t.Fatal(err)
		}
		var want []byte
		for n := range 40 {
			p := []byte{byte(n), byte(i)}
			want = append(want, p...)
			s.Write(p)
			if n > 2 {
				time.Sleep(5 * time.Microsecond)
			}
		}
		far := <-conns
		s.CloseWrite()
		far.SetReadDeadline(time.Now().Add(5 * time.Second))
		got, _ := io.ReadAll(far)
		if !bytes.Equal(got, want) {
			bad++
		}
		far.Close()
		s.Close()
	}
	if bad > 0 {
		t.Errorf("%d of 400 streams arrived in another order", bad)
	}
}

// A reset that answers a Write which the session has taken is for the next call to tell.
func TestWriteIsTakenBeforeTheReset(t *testing.T) {
	sender := new(hooked)
	c := NewClient(sender)
	answer := func(f *Frame) {
		if err := c.Receive([][]byte{f.Append(nil)}); err != nil {
			t.Error(err)
		}
	}
	sender.onSend = func(f *Frame) {
		switch f.Type {
		case Open:
			answer(&Frame{Type: Opened, Socket: f.Socket, Remote: []byte("127.0.0.1:1"), Local: []byte("127.0.0.1:2")})
		case Data:
			answer(&Frame{Type: Reset, Socket: f.Socket, Cause: uint64(cause.Reset)})
		}
	}
	conn, err := c.Dial(t.Context(), whitelist.Dest{Host: "127.0.0.1", Port: 1})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Write([]byte{1}); n != 1 || err != nil {
		t.Errorf("Write: %d, %v, want 1 and no error", n, err)
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, cause.Reset.Err()) {
		t.Errorf("Read: %v, want reset", err)
	}
	if n, err := conn.Write([]byte{1}); n != 0 || !errors.Is(err, cause.Reset.Err()) {
		t.Errorf("the next Write: %d, %v, want reset", n, err)
	}
}
