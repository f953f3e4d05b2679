package tcpsocket

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"encke/cause"
	"encke/whitelist"
)

func random(n int) []byte {
	p := make([]byte, n)
	rand.New(rand.NewSource(int64(n))).Read(p)
	return p
}

func TestBothDirections(t *testing.T) {
	r := newRig(t, nil, Options{})
	s, far := r.pair()
	want := random(8 << 20)
	go func() {
		s.Write(want)
		s.CloseWrite()
	}()
	go func() {
		io.Copy(far, far)
		far.CloseWrite()
	}()
	got, err := io.ReadAll(s)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d bytes (%v), want the %d sent", len(got), err, len(want))
	}
	eventually(t, "both ends finished: the socket is forgotten", func() bool { return r.mux.Len() == 0 && r.client.Len() == 0 })
	if st := r.server.Stats(); st.In != 8<<20 || st.Out != 8<<20 || st.Ended[cause.Closed] != 1 || st.Open != 0 {
		t.Errorf("stats %+v", st)
	}
}

func TestAddresses(t *testing.T) {
	r := newRig(t, nil, Options{})
	s, far := r.pair()
	if s.RemoteAddr().String() != far.LocalAddr().String() || s.LocalAddr().String() != far.RemoteAddr().String() {
		t.Errorf("%v -> %v, but the backend has %v <- %v", s.LocalAddr(), s.RemoteAddr(), far.LocalAddr(), far.RemoteAddr())
	}
}

func TestHalfCloseByTheBackend(t *testing.T) {
	r := newRig(t, nil, Options{})
	s, far := r.pair()
	far.Write([]byte("bye"))
	far.CloseWrite()
	if got, err := io.ReadAll(s); err != nil || string(got) != "bye" {
		t.Fatalf("%q, %v", got, err)
	}
	s.Write([]byte("still talking"))
	s.Close()
	if got, err := io.ReadAll(far); err != nil || string(got) != "still talking" {
		t.Errorf("the backend got %q, %v", got, err)
	}
}

func TestDataBehindOpenIsDelivered(t *testing.T) {
	release := make(chan struct{})
	dest, conns := listen(t)
	slow := dialFunc(func(ctx context.Context, d whitelist.Dest, _ OpenOptions) (net.Conn, error) {
		<-release
		return net.Dial("tcp", dest.String())
	})
	r := newRig(t, slow, Options{})
	s, err := r.client.open(dest)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write([]byte("early")); err != nil {
		t.Fatal(err)
	}
	s.Close()
	close(release)
	far := <-conns
	defer far.Close()
	if got, err := io.ReadAll(far); err != nil || string(got) != "early" {
		t.Errorf("the backend got %q, %v", got, err)
	}
}

// What a backend says at once to what came behind OPEN is in one piece with OPENED; a
// backend that is silent, or has ended, holds up nothing.
func TestOpenedComesWithTheAnswer(t *testing.T) {
	for _, c := range []struct {
		name  string
		serve func(net.Conn)
		want  [][]Type // of the frames in each piece
	}{
		{"answer", func(c net.Conn) { io.WriteString(c, "answer") }, [][]Type{{Opened, Data}}},
		{"silence", func(net.Conn) {}, [][]Type{{Opened}}},
		{"end", func(c net.Conn) { c.(*net.TCPConn).CloseWrite() }, [][]Type{{Opened}, {EOF}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dest, conns := listen(t)
			pieces := make(chan []Type, 10)
			var far net.Conn
			server := NewServer(dialFunc(func(context.Context, whitelist.Dest, OpenOptions) (net.Conn, error) {
				near, err := net.Dial("tcp", dest.String())
				far = <-conns
				c.serve(far)
				return near, err
			}), Options{})
			m := server.Mux(&hooked{onPiece: func(frames []Frame) {
				var types []Type
				for _, f := range frames {
					types = append(types, f.Type)
				}
				pieces <- types
			}}, Caller{})
			early := []byte("early")
			if err := m.Receive(wireOf(openFrame(1), Frame{Type: Data, Socket: 1, Data: early})); err != nil {
				t.Fatal(err)
			}
			for _, want := range c.want {
				if got := <-pieces; !slices.Equal(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
			}
			got := make([]byte, len(early))
			if _, err := io.ReadFull(far, got); err != nil || !bytes.Equal(got, early) {
				t.Errorf("the backend got %q, %v", got, err)
			}
			far.Close()
			m.Closed(cause.SessionLost.Err())
			server.Wait()
		})
	}
}

func TestCloseBeforeAnythingWasSentDoesNotConnect(t *testing.T) {
	dialed := make(chan error, 1)
	never := dialFunc(func(ctx context.Context, _ whitelist.Dest, _ OpenOptions) (net.Conn, error) {
		<-ctx.Done()
		dialed <- ctx.Err()
		return nil, ctx.Err()
	})
	r := newRig(t, never, Options{})
	s, err := r.client.open(whitelist.Dest{Host: "127.0.0.1", Port: 1})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if err := <-dialed; err != context.Canceled {
		t.Errorf("the dial ended with %v, want canceled", err)
	}
	eventually(t, "the socket is forgotten", func() bool { return r.mux.Len() == 0 && r.client.Len() == 0 })
}

// Closing while the backend talks must not destroy what was sent last.
func TestCloseKeepsTheTail(t *testing.T) {
	r := newRig(t, nil, Options{})
	for range 20 {
		s, far := r.pair()
		far.Write(random(100_000)) // the page will not read it
		s.Write([]byte("QUIT\r\n"))
		s.Close()
		if got, err := io.ReadAll(far); err != nil || string(got) != "QUIT\r\n" {
			t.Fatalf("the backend got %q, %v", got, err)
		}
		far.Close()
	}
}

func TestResetByThePageResetsTheBackend(t *testing.T) {
	r := newRig(t, nil, Options{})
	s, far := r.pair()
	s.Abort()
	if _, err := far.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("the backend saw %v, want a reset", err)
	}
}

func TestResetByTheBackendComesAfterItsBytes(t *testing.T) {
	r := newRig(t, nil, Options{})
	s, far := r.pair()
	want := random(50_000)
	far.Write(want)
	eventually(t, "the bytes have arrived", func() bool { return r.server.Stats().Out == uint64(len(want)) })
	far.SetLinger(0)
	far.Close()
	got, err := io.ReadAll(s)
	if !bytes.Equal(got, want) || !errors.Is(err, cause.Reset.Err()) {
		t.Errorf("%d bytes, then %v; want %d and a reset", len(got), err, len(want))
	}
}

func TestSlowBackendHoldsOnlyItsOwnPage(t *testing.T) {
	r := newRig(t, nil, Options{})
	slow, slowFar := r.pair()
	other, otherFar := r.pair()
	slow.SetWriteDeadline(time.Now().Add(time.Second))
	sent := 0
	chunk := random(64 << 10)
	for {
		n, err := slow.Write(chunk)
		sent += n
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if sent > 64<<20 {
			t.Fatal("64 MiB were taken for a backend that does not read")
		}
	}
	for range 50 {
		if _, err := other.Write([]byte("ping")); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 4)
		if _, err := io.ReadFull(otherFar, buf); err != nil || string(buf) != "ping" {
			t.Fatalf("%q, %v", buf, err)
		}
	}
	slow.CloseWrite()
	got, err := io.Copy(io.Discard, slowFar)
	if err != nil || got != int64(sent) {
		t.Errorf("the slow backend got %d bytes (%v), want the %d that were taken", got, err, sent)
	}
}

func TestPageThatDoesNotReadHoldsOnlyItsOwnBackend(t *testing.T) {
	r := newRig(t, nil, Options{})
	stalled, stalledFar := r.pair()
	other, otherFar := r.pair()
	want := random(16 << 20)
	wrote := make(chan error, 1)
	go func() {
		_, err := stalledFar.Write(want)
		stalledFar.CloseWrite()
		wrote <- err
	}()
	eventually(t, "the window is used up", func() bool { return r.server.Stats().Out >= clientWindow })
	for range 50 {
		otherFar.Write([]byte("pong"))
		buf := make([]byte, 4)
		if _, err := io.ReadFull(other, buf); err != nil || string(buf) != "pong" {
			t.Fatalf("%q, %v", buf, err)
		}
	}
	if out := r.server.Stats().Out; out > clientWindow+50*4 {
		t.Errorf("%d bytes were read for a page that takes %d", out, clientWindow)
	}
	got, err := io.ReadAll(stalled)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes (%v), want the %d sent", len(got), err, len(want))
	}
	if err := <-wrote; err != nil {
		t.Error(err)
	}
}

// Who reads much yields once another one has read little, not before, and not to itself.
func TestBulkYieldsToLittle(t *testing.T) {
	r := newRig(t, nil, Options{})
	bulk, bulkFar := r.pairHeld()
	small, smallFar := r.pairHeld()
	yielded := func() int { r.down.mu.Lock(); defer r.down.mu.Unlock(); return r.down.yielded }
	pass := func(near, far net.Conn, size int) {
		t.Helper()
		go far.Write(random(size))
		if _, err := io.ReadFull(near, make([]byte, size)); err != nil {
			t.Fatal(err)
		}
	}
	pass(bulk, bulkFar, 1<<20)
	pass(bulk, bulkFar, 10) // the last piece, as every file has one
	pass(bulk, bulkFar, 1<<20)
	if n := yielded(); n > 0 {
		t.Errorf("yielded %d times to nobody", n)
	}
	pass(small, smallFar, 10)
	pass(small, smallFar, 10)
	pass(bulk, bulkFar, 1<<20)
	if yielded() == 0 {
		t.Error("did not yield")
	}
}

// pairHeld is pair while the way to the page is held: the answer to the open is
// not waited for.
func (r *rig) pairHeld() (*Conn, *net.TCPConn) {
	r.t.Helper()
	dest, conns := listen(r.t)
	s, err := r.client.open(dest)
	if err != nil {
		r.t.Fatal(err)
	}
	far := <-conns
	r.t.Cleanup(func() { far.Close() })
	return s, far
}

func TestManySockets(t *testing.T) {
	r := newRig(t, nil, Options{})
	dest, conns := listen(t)
	const n = 100
	go func() {
		for range n {
			far := <-conns
			go func() { io.Copy(far, far); far.Close() }()
		}
	}()
	errs := make(chan error, n)
	for i := range n {
		go func() {
			s, err := r.client.Dial(t.Context(), dest)
			if err != nil {
				errs <- err
				return
			}
			want := random(10_000 + i)
			go func() { s.Write(want); s.CloseWrite() }()
			got, err := io.ReadAll(s)
			if err == nil && !bytes.Equal(got, want) {
				err = errors.New("bytes differ")
			}
			errs <- err
		}()
	}
	for range n {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestMaxSockets(t *testing.T) {
	r := newRig(t, nil, Options{MaxSockets: 2})
	r.pair()
	r.pair()
	dest, _ := listen(t)
	if _, err := r.client.Dial(t.Context(), dest); !errors.Is(err, cause.Limit.Err()) {
		t.Errorf("a third socket: %v, want limit", err)
	}
}

func TestGoAway(t *testing.T) {
	r := newRig(t, nil, Options{})
	s, far := r.pair()
	r.server.GoAway(3)
	eventually(t, "the client knows", func() bool { return r.client.Err() != nil })
	dest, _ := listen(t)
	var why *cause.Error
	if _, err := r.client.Dial(t.Context(), dest); !errors.As(err, &why) || why.Code != cause.GoingAway || why.Retry != 3 {
		t.Errorf("a new socket: %v, want going-away and 3 s", err)
	}
	far.Write([]byte("x"))
	if _, err := io.ReadFull(s, make([]byte, 1)); err != nil {
		t.Errorf("the old socket: %v", err)
	}
}

func TestSessionLoss(t *testing.T) {
	r := newRig(t, nil, Options{})
	s, far := r.pair()
	r.mux.Closed(cause.SessionLost.Err())
	r.client.Closed(cause.SessionLost.Err())
	if _, err := s.Read(make([]byte, 1)); !errors.Is(err, cause.SessionLost.Err()) {
		t.Errorf("the page is told %v", err)
	}
	if _, err := far.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("the backend saw %v, want a reset rather than a clean end", err)
	}
}
