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
	"encke/tcpsocket"
	"encke/whitelist"
)

// bench is a client whose backends are pipes: they take nothing that nobody reads.
type bench struct {
	*Buffers
	t      *testing.T
	group  *tcpsocket.Group
	gone   chan struct{} // closed when the client is
	server *tcpsocket.Server
	budget *buffer.Budget
	far    net.Conn // of the last dial
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, budget: buffer.NewBudget(64 << 20), gone: make(chan struct{})}
	b.server = tcpsocket.NewServer(b, tcpsocket.Options{MaxPerTarget: 100})
	b.group = b.server.Group(tcpsocket.Caller{})
	b.Buffers = NewBuffers(b.budget, b.gone, b.group.Go)
	return b
}

// Open implements tcpsocket.Opener.
func (b *bench) Open(context.Context, tcpsocket.Caller, whitelist.Dest, tcpsocket.OpenOptions) (net.Conn, error) {
	near, far := net.Pipe()
	b.far = far
	return near, nil
}

// backend connects one more backend to a backlog.
func (b *bench) backend(q *Backlog) (far net.Conn) {
	b.t.Helper()
	near, err := b.group.Dial(b.t.Context(), whitelist.Dest{Host: "a.example", Port: 80}, tcpsocket.OpenOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	q.Start(near, near.Writer())
	return b.far
}

// end ends what is left and checks that nothing is counted any more.
func (b *bench) end() {
	b.t.Helper()
	close(b.gone)
	b.group.Close(cause.Closed.Err())
	b.server.Wait()
	if used := b.budget.Used(); used != 0 {
		b.t.Errorf("%d bytes of the budget are in use at the end", used)
	}
}

func piece(n int, with byte) *buffer.Buffer { return buffer.Copy(bytes.Repeat([]byte{with}, n)) }

func TestBacklogKeepsTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		defer b.end()
		drained, settled := 0, 0
		q := b.Backlog(func() { drained++ }, func() { settled++ })
		var want []byte
		put := func(n int, with byte) {
			want = append(want, bytes.Repeat([]byte{with}, n)...)
			q.Put(piece(n, with))
		}
		put(10, 'a') // before there is a backend
		put(0, 'b')
		put(60_000, 'c')
		far := b.backend(q)
		put(60_000, 'd')
		q.End()
		q.Put(piece(5, 'e')) // too late
		if got, err := io.ReadAll(far); err != nil || !bytes.Equal(got, want) {
			t.Errorf("the backend got %d bytes, %v, want %d", len(got), err, len(want))
		}
		synctest.Wait()
		if !q.Empty() || !q.Settled() || drained != 0 || settled != 1 {
			t.Errorf("empty %t, said so %d times after the end, settled %t, said so %d times", q.Empty(), drained, q.Settled(), settled)
		}
	})
}

// A client that has enough waiting is held up until something of that is written.
func TestClientWaits(t *testing.T) {
	for _, c := range []struct {
		name string
		used int // of the budget
		most int
	}{{"as ever", 0, clientBytes}, {"when memory is short", 60 << 20, spareBytes}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				defer b.end()
				account := b.budget.Account()
				account.Set(c.used)
				defer account.Set(0)
				drained := make(chan struct{}, 1)
				q := b.Backlog(func() { drained <- struct{}{} }, nil)
				far := b.backend(q)
				other := b.Backlog(nil, nil)
				defer other.Drop()
				kept := 0
				for ; kept <= c.most; kept += 2 << 10 {
					if !b.Wait(nil) {
						t.Fatal("the client is gone")
					}
					q.Put(piece(1<<10, 1))
					other.Put(piece(1<<10, 2))
				}
				room := make(chan bool, 1)
				go func() { room <- b.Wait(nil) }() // until there is room
				synctest.Wait()
				if len(room) > 0 {
					t.Errorf("the client may send more though %d bytes wait", kept)
				}
				io.CopyN(io.Discard, far, int64(kept/2))
				if !<-room {
					t.Error("the client is gone")
				}
				<-drained
			})
		})
	}
}

// Nobody waits for room for a client that is gone, or for a request that is.
func TestWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		q := b.Backlog(nil, nil)
		b.backend(q)
		q.Put(piece(clientBytes+1, 1))
		gone := make(chan struct{})
		room := make(chan bool, 2)
		go func() { room <- b.Wait(gone) }() // until gone
		go func() { room <- b.Wait(nil) }()  // until the end
		close(gone)
		synctest.Wait()
		if len(room) != 1 || <-room {
			t.Error("a request that is gone still waits, or has room")
		}
		b.end()
		if <-room {
			t.Error("a client that is gone has room")
		}
	})
}

// What a client may send is bounded for each backend and for all, but for one piece of each.
func TestTakes(t *testing.T) {
	for _, c := range []struct {
		name     string
		used     int // of the budget
		backends int
		want     int
	}{
		{"one backend", 0, 1, 1 << 20}, {"many", 0, 20, linkBytes}, {"when memory is short", 60 << 20, 1, spareBytes},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				defer b.end()
				account := b.budget.Account()
				account.Set(c.used)
				defer account.Set(0)
				kept := 0
				for range c.backends {
					q := b.Backlog(nil, nil)
					b.backend(q)
					for range 110 {
						if q.Takes(10<<10, 1<<20) {
							q.Put(piece(10<<10, 1))
							kept += 10 << 10
						}
					}
				}
				if most := c.want + c.backends*10<<10; kept <= c.want-10<<10 || kept > most {
					t.Errorf("%d bytes are kept, want about %d, at most %d", kept, c.want, most)
				}
			})
		})
	}
}

// A backend that does not take the rest is reset after a while; one that fails takes
// nothing with it.
func TestBacklogEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		defer b.end()
		settled := 0
		q := b.Backlog(nil, func() { settled++ })
		far := b.backend(q)
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

		q = b.Backlog(nil, func() { settled++ })
		far = b.backend(q)
		far.Close()
		q.Put(piece(1000, 1))
		synctest.Wait()
		q.Put(piece(1000, 1))
		if !q.Empty() {
			t.Error("a backend that takes nothing has something waiting")
		}
		q.End()
		synctest.Wait()
		if ended := b.server.Stats().Ended; ended[cause.TimedOut] != 1 || ended[cause.Reset] != 1 || settled != 2 {
			t.Errorf("%v ended for causes by number, want one timed-out and one reset; %d settled", ended, settled)
		}
	})
}

// A backend that is connected when nobody needs it any more is closed; what waits for one
// that is never connected is given back.
func TestBacklogEndsWhileConnecting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		defer b.end()
		settled := 0
		q := b.Backlog(nil, func() { settled++ })
		q.End()
		if settled != 1 {
			t.Error("nobody is told that the backend is not needed")
		}
		if n, err := b.backend(q).Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the backend got %d bytes, %v, want the end", n, err)
		}

		q = b.Backlog(nil, func() { settled++ })
		q.Put(piece(5, 1))
		q.End()
		if settled != 1 {
			t.Error("the backend is not needed though something waits for it")
		}
		if got, err := io.ReadAll(b.backend(q)); err != nil || len(got) != 5 {
			t.Errorf("the backend got %d bytes, %v, want 5", len(got), err)
		}
		synctest.Wait()

		q = b.Backlog(nil, func() { settled++ })
		q.Put(piece(5, 1))
		q.End()
		q.Drop() // it could not be connected
		synctest.Wait()
		if settled != 3 || !q.Empty() {
			t.Errorf("%d settled, want 3; empty %t", settled, q.Empty())
		}
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
		q := b.Backlog(nil, nil) // not connected yet
		defer q.Drop()
		kept := 0
		for ; q.Takes(1, most); q.Put(piece(1, 1)) {
			if kept++; kept > most/minCost {
				t.Fatalf("%d buffers of %d bytes were kept, of %d bytes at most", kept, minCost, most)
			}
		}
		if used := b.budget.Used(); used < most {
			t.Errorf("%d pieces count as %d bytes, want %d", kept, used, most)
		}
	})
}
