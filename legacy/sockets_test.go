package legacy

import (
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"encke/cause"
	"encke/whitelist"
)

// nobody is a client that is not told anything.
type nobody struct{ Carrier }

func (nobody) Opened()            {}
func (nobody) Data([]byte) error  { return nil }
func (nobody) Ended(*cause.Error) {}

// A session may end while it takes what its client has sent.
func TestOpenAfterTheEnd(t *testing.T) {
	for _, why := range []cause.Code{cause.Closed, cause.SessionLost} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			defer b.end()
			s := NewSockets(b.group, nobody{}, b.budget)
			s.Close(why.Err())
			k := s.Open(whitelist.Dest{Host: "a.example", Port: 80}, nil, nobody{})
			k.Write([]byte("x"))
			k.Close()
			s.Wait()
			synctest.Wait()
			if n := b.server.Stats().Panics; n > 0 {
				t.Errorf("%d panics", n)
			}
			if b.far != nil {
				t.Error("a backend was connected")
			}
		})
	}
}

// full is a client that takes nothing until it is asked for.
type full struct {
	Carrier
	sending atomic.Int32
	takes   chan string
}

func (c *full) Send(p []byte) error {
	c.sending.Add(1)
	c.takes <- string(p)
	c.sending.Add(-1)
	return nil
}

// sender sends what a backend says as it is.
type sender struct {
	nobody
	s *Sockets
}

func (e sender) Data(p []byte) error { return e.s.Send(append([]byte(nil), p...)) }

// A client that takes nothing holds up one piece, whatever number of backends have something
// to say, and the budget knows. Then each has its turn.
func TestClientTakesNothing(t *testing.T) {
	const backends = 20
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		defer b.end()
		c := &full{takes: make(chan string)}
		s := NewSockets(b.group, c, b.budget)
		want := make(map[string]bool)
		var closed *Socket
		for i := range backends {
			k := s.Open(whitelist.Dest{Host: "a.example", Port: 80}, nil, sender{s: s})
			synctest.Wait()
			far, said := b.far, strings.Repeat(string(rune('a'+i)), 3000)
			if i == backends-1 {
				closed = k
				k.Write([]byte("the rest"))
				k.Close()
			} else {
				want[said] = true
			}
			go func() { // until all was read
				far.Write([]byte(said))
				io.Copy(io.Discard, far)
			}()
		}
		synctest.Wait()
		if n := c.sending.Load(); n != 1 {
			t.Errorf("%d pieces wait for the client, want 1", n)
		}
		if used := b.budget.Used(); used < readBytes || used > 2*readBytes {
			t.Errorf("they count as %d bytes, want a piece and its frame", used)
		}
		if !closed.backlog.Settled() {
			t.Error("a socket that its client has closed waits for it")
		}
		for range backends - 1 {
			said := <-c.takes
			if !want[said] {
				t.Errorf("the client got %.10q... of %d bytes, not once what a backend said", said, len(said))
			}
			delete(want, said)
			synctest.Wait()
		}
		if used := b.budget.Used(); used != 0 {
			t.Errorf("%d bytes are in use when all was taken", used)
		}
		s.Close(cause.SessionLost.Err())
		s.Wait()
	})
}

// What is held of a frame that never comes whole is given back in the end.
func TestHeldBytesAreGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		defer b.end()
		s := NewSockets(b.group, nobody{}, b.budget)
		s.Hold(1 << 20)
		if used := b.budget.Used(); used != 1<<20 {
			t.Errorf("%d bytes are in use, want 1 MiB", used)
		}
		s.Close(cause.Closed.Err())
		s.Hold(1)
	})
}
