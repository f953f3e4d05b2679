package legacy

import (
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
			s := NewSockets(b.Group, nobody{}, b.budget)
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
