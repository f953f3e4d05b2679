package legacytest

import (
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// Step is one thing that happens to a client with one socket. A field that is empty does not.
type Step struct {
	Send  []string      // packets of the client
	Wait  time.Duration //
	Say   string        // of the backend
	Hear  string        // what the backend gets, "(end)" at its end
	Close bool          // the backend closes
	Want  []string      // packets for the client, all there are
}

// Peer is a client in a test.
type Peer interface {
	Send(packets ...string)
	Next() []string // what has come since
}

// Play lets steps happen to a client.
func Play(t *testing.T, r *Rig, c Peer, steps []Step) {
	t.Helper()
	var far net.Conn
	backend := func() net.Conn {
		if far == nil {
			far = r.Backend(t)
		}
		return far
	}
	for i, s := range steps {
		if s.Send != nil {
			c.Send(s.Send...)
		}
		time.Sleep(s.Wait)
		if s.Say != "" {
			if _, err := backend().Write([]byte(s.Say)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait() // so that it is on its way before the next step
		}
		if s.Hear != "" {
			if got := Heard(t, backend()); got != s.Hear {
				t.Errorf("step %d: the backend got %q, want %q", i, got, s.Hear)
			}
		}
		if s.Close {
			backend().Close()
		}
		if s.Want != nil {
			if got := c.Next(); !slices.Equal(got, s.Want) {
				t.Errorf("step %d: the client got %q, want %q", i, got, s.Want)
			}
		}
	}
}
