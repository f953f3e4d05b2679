package legacy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/csp"
	"encke/tcpsocket"
	"encke/whitelist"
)

// bench is a link without a WebSocket, whose backends are pipes: they take nothing that
// nobody reads.
type bench struct {
	t *testing.T
	*Link
	server *tcpsocket.Server
	budget *buffer.Budget
	far    net.Conn // of the last dial
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, budget: buffer.NewBudget(64 << 20)}
	b.server = tcpsocket.NewServer(b, tcpsocket.Options{MaxPerTarget: 100})
	b.Link = &Link{
		Group: b.server.Group(tcpsocket.Caller{}),
		proxy: &Proxy{Sessions: csp.NewServer(csp.Options{Budget: b.budget})},
	}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	return b
}

// Open implements tcpsocket.Opener.
func (b *bench) Open(context.Context, tcpsocket.Caller, whitelist.Dest, tcpsocket.OpenOptions) (net.Conn, error) {
	near, far := net.Pipe()
	b.far = far
	return near, nil
}

// backend connects one more backend.
func (b *bench) backend() (*tcpsocket.Backend, net.Conn) {
	b.t.Helper()
	near, why := b.Dial(b.ctx, whitelist.Dest{Host: "a.example", Port: 80})
	if why != nil {
		b.t.Fatal(why)
	}
	return near, b.far
}

// end ends what is left and checks that nothing is counted any more.
func (b *bench) end() {
	b.t.Helper()
	b.cancel()
	b.Group.Close(cause.Closed.Err())
	b.wg.Wait()
	b.server.Wait()
	if used, queued := b.budget.Used(), b.queued.Load(); used != 0 || queued != 0 {
		b.t.Errorf("%d bytes of the budget and %d of the link are in use at the end", used, queued)
	}
}

func piece(n int, with byte) *buffer.Buffer { return buffer.Copy(bytes.Repeat([]byte{with}, n)) }

func TestBacklogKeepsTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		defer b.end()
		times := 0
		q := b.Backlog(1<<20, func() { times++ })
		var want []byte
		put := func(n int, with byte) {
			want = append(want, bytes.Repeat([]byte{with}, n)...)
			if !q.Put(piece(n, with)) {
				t.Errorf("no room for %d bytes", n)
			}
		}
		put(10, 'a') // before there is a backend
		put(0, 'b')
		put(60_000, 'c')
		near, far := b.backend()
		q.Start(near)
		put(60_000, 'd')
		q.End()
		if !q.Put(piece(5, 'e')) { // too late
			t.Error("what comes after the end was kept")
		}
		if got, err := io.ReadAll(far); err != nil || !bytes.Equal(got, want) {
			t.Errorf("the backend got %d bytes, %v, want %d", len(got), err, len(want))
		}
		synctest.Wait()
		if !q.Empty() || times != 0 {
			t.Errorf("empty %t, and said so %d times after the end", q.Empty(), times)
		}
	})
}

func TestBacklogHasABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		defer b.end()
		drained := make(chan struct{}, 1)
		q := b.Backlog(100<<10, func() { drained <- struct{}{} })
		near, far := b.backend()
		q.Start(near)
		for i := range 100 {
			if !q.Put(piece(1<<10, byte(i))) {
				t.Fatalf("no room for piece %d", i)
			}
		}
		late := piece(1, 0xff)
		if q.Put(late) {
			t.Error("there was room for more than the bound")
		}
		go func() { io.CopyN(io.Discard, far, 100<<10) }()
		q.Wait()
		if !q.Put(late) {
			t.Error("no room after something was written")
		}
		synctest.Wait()
		if b.budget.Used() == 0 { // late waits
			t.Error("what waits is not counted")
		}
		io.ReadFull(far, make([]byte, 1))
		<-drained
	})
}

// One link does not keep more than its bound, whatever its sockets may.
func TestLinkHasABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		defer b.end()
		kept := 0
		for range 20 {
			q := b.Backlog(1<<20, nil)
			near, _ := b.backend()
			q.Start(near)
			for range 16 {
				p := piece(60<<10, 1)
				if q.Put(p) {
					kept += 60 << 10
				} else {
					p.Release()
				}
			}
		}
		// Each may have one piece beyond.
		if most := linkBytes + 20*(60<<10); kept < linkBytes-60<<10 || kept > most {
			t.Errorf("%d bytes were kept, want about %d, at most %d", kept, linkBytes, most)
		}
	})
}

func TestBacklogWhenMemoryIsShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		defer b.end()
		account := b.budget.Account()
		account.Set(60 << 20)
		defer account.Set(0)
		q := b.Backlog(1<<20, nil)
		near, _ := b.backend()
		q.Start(near)
		if !q.Put(piece(40<<10, 1)) {
			t.Error("no room for what each may have")
		}
		p := piece(40<<10, 1)
		if q.Put(p) {
			t.Error("there was room for more than 64 KiB")
		}
		p.Release()
	})
}

// A backend that does not take the rest is reset after a while; one that fails takes
// nothing with it.
func TestBacklogEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		defer b.end()
		q := b.Backlog(1<<20, nil)
		near, far := b.backend()
		q.Start(near)
		q.Put(piece(1000, 1))
		began := time.Now()
		q.End()
		q.End()
		if _, err := far.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("the backend wrote, %v, want the end", err)
		}
		if took := time.Since(began); took != tailTime {
			t.Errorf("it ended after %v, want %v", took, tailTime)
		}
		if n := b.server.Stats().Ended[cause.TimedOut]; n != 1 {
			t.Errorf("%d timed out, want 1", n)
		}

		q = b.Backlog(1<<20, nil)
		near, far = b.backend()
		q.Start(near)
		far.Close()
		if !q.Put(piece(1000, 1)) {
			t.Error("what nobody takes is to be thrown away")
		}
		synctest.Wait()
		if !q.Put(piece(1000, 1)) || !q.Empty() {
			t.Error("a backend that takes nothing has something waiting")
		}
		q.End()
	})
}

func TestParameter(t *testing.T) {
	for query, want := range map[string]string{"": "", "a=1": "1", "b=2&a=%31": "1", "a=1&a=2": "!", "a=%": "!", "a;b": "!", "A=1": ""} {
		got, err := Parameter(query, "a")
		if err != nil {
			got = "!"
		}
		if got != want {
			t.Errorf("%q: %q, want %q", query, got, want)
		}
	}
}

// Small pieces cost more than their bytes.
func TestSmallPiecesHaveABound(t *testing.T) {
	const most = 64 << 10
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		defer b.end()
		q := b.Backlog(most, nil) // not connected yet
		kept := 0
		for p := piece(1, 1); q.Put(p); p = piece(1, 1) {
			if kept++; kept > most/minCost {
				t.Fatalf("%d buffers of %d bytes were kept, of %d bytes at most", kept, minCost, most)
			}
		}
		defer q.Drop()

		s := NewSockets(b.Group, nobody{}, b.budget)
		defer s.Close(cause.SessionLost.Err())
		k := s.Open(whitelist.Dest{Host: "a.example", Port: 80}, nil, nobody{})
		synctest.Wait()
		before := b.budget.Used()
		for range 1000 {
			k.Write([]byte("x"))
		}
		if used := b.budget.Used() - before; used < 40_000 {
			t.Errorf("1,000 pieces count as %d bytes", used)
		}
	})
}
