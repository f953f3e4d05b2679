package wisp_test

import (
	"testing"
	"time"

	"github.com/coder/websocket"

	"encke/cause"
	"encke/cmd/encke/app"
	"encke/integration/backend"
	"encke/integration/wspeer"
)

// fill sends 64 KiB of stream key on a stream.
func (c *client) fill(id, key uint32, at int) int {
	c.t.Helper()
	p := make([]byte, 64<<10)
	backend.Fill(p, key, int64(at))
	c.data(id, p)
	return len(p)
}

// stall sends on a stream, within its credit, until the backend takes no more, and shows
// each time that stream other goes on. It returns how much was sent.
func (c *client) stall(id, other, key uint32, size int) (sent int) {
	c.t.Helper()
	for credit := 8; credit > 0; credit = c.roundTrip(other, id) {
		for range credit {
			sent += c.fill(id, key, sent)
		}
		if sent >= size {
			c.t.Fatalf("a backend that reads nothing took %d bytes", sent)
		}
	}
	return sent
}

// roundTrip sends a byte on a stream and waits for its echo. It returns the credit that came
// for another one meanwhile.
func (c *client) roundTrip(id, about uint32) (credit int) {
	c.t.Helper()
	c.data(id, []byte("x"))
	for {
		kind, from, payload := c.packet()
		switch {
		case kind == 2 && from == id:
			return credit
		case kind == 3 && from == about:
			credit = int(payload[0])
		case kind != 3:
			c.t.Fatalf("packet 0x%02x of stream %d, %x", kind, from, payload)
		}
	}
}

// A backend that reads nothing holds up its stream only, and loses nothing when it goes on.
func TestStalledStream(t *testing.T) {
	const size = 16 << 20
	release := make(chan struct{})
	stuck, echo := backend.NeverReads(t, 3, size, release), backend.Echo(t)
	c := first(t, start(t, []string{stuck.Addr(), echo.Addr()}))
	c.connect(1, stuck)
	c.connect(2, echo)
	sent := c.stall(1, 2, 3, size)
	for range 500 {
		for range c.roundTrip(2, 1) { // the kernel has found room
			sent += c.fill(1, 3, sent)
		}
	}
	if sent >= size {
		t.Errorf("a backend that reads nothing took %d bytes", sent)
	}
	close(release)
	for credit := 0; sent < size; credit-- {
		for credit == 0 {
			credit = c.roundTrip(2, 1)
		}
		sent += c.fill(1, 3, sent)
	}
	c.say("04 01000000 02", "")
	if err := <-stuck.Ended(); err != nil {
		t.Error(err)
	}
}

// A stream that sends more than its credit, to a backend that reads nothing, has what
// is documented at most; then it is closed, and it alone.
func TestStreamHasABound(t *testing.T) {
	release := make(chan struct{})
	stuck, echo := backend.NeverReads(t, 3, 64<<20, release), backend.Echo(t)
	c := first(t, start(t, []string{stuck.Addr(), echo.Addr()}))
	c.connect(1, stuck)
	c.connect(2, echo)
	c.stall(1, 2, 3, 64<<20)
	for range 100 {
		c.data(1, make([]byte, 64<<10))
	}
	kind, _, _ := c.packet()
	for kind == 3 {
		kind, _, _ = c.packet()
	}
	if kind != 4 {
		t.Fatalf("packet 0x%02x, want CLOSE", kind)
	}
	for range 100 {
		c.data(1, make([]byte, 64<<10)) // goes nowhere
		c.roundTrip(2, 1)
	}
	close(release)
	if err := <-stuck.Ended(); err == nil {
		t.Error("the backend saw a clean end")
	}
}

// Streams that all have something to say take turns, and what each says is whole.
func TestTurns(t *testing.T) {
	const size = 8 << 20
	echo := backend.Echo(t)
	allow := []string{echo.Addr()}
	var sources []*backend.Backend
	for range 4 {
		b := backend.Source(t, 5, size)
		sources, allow = append(sources, b), append(allow, b.Addr())
	}
	c := first(t, start(t, allow))
	c.connect(100, echo)
	for i, b := range sources {
		c.connect(uint32(i+1), b)
	}
	c.data(100, []byte("x"))
	echoes := 0
	var got [5]int64
	for ended := 0; ended < len(sources); {
		kind, id, payload := c.packet()
		switch {
		case kind == 2 && id == 100:
			if echoes++; got[1]+got[2]+got[3]+got[4] < 3*size {
				c.data(100, []byte("x"))
			}
		case kind == 2:
			if err := backend.Check(payload, 5, got[id]); err != nil {
				t.Fatal(err)
			}
			got[id] += int64(len(payload))
		case kind == 4 && got[id] == size:
			ended++
		case kind != 3:
			t.Fatalf("packet 0x%02x of stream %d, %x", kind, id, payload)
		}
	}
	if echoes < 2 {
		t.Errorf("%d echoes while %d MiB came: one stream waited for all others", echoes, 4*size>>20)
	}
}

// A client that reads nothing is cut, and its backends are reset.
func TestClientReadsNothing(t *testing.T) {
	b := backend.Source(t, 5, 64<<20)
	cfg := config(t, []string{b.Addr()})
	cfg.WriteTimeout = time.Second
	c := first(t, wspeer.Start(t, cfg))
	c.connect(1, b)
	if err := <-b.Ended(); err == nil {
		t.Error("the backend could say all of it")
	}
}

// A proxy that stops does not wait for a backend that takes nothing of the rest.
func TestStopWhileClosing(t *testing.T) {
	release := make(chan struct{})
	stuck, echo := backend.NeverReads(t, 3, 64<<20, release), backend.Echo(t)
	cfg := config(t, []string{stuck.Addr(), echo.Addr()})
	cfg.Listen = []string{"127.0.0.1:0"}
	a, err := app.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c := first(t, a.URL())
	c.connect(1, stuck)
	c.connect(2, echo)
	c.stall(1, 2, 3, 64<<20)
	c.Close(websocket.StatusNormalClosure, "")
	<-echo.Ended() // the proxy has seen it
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if s := a.Stats().Sockets; s.Ended[cause.GoingAway] != 1 || s.Ended[cause.TimedOut] != 0 {
		t.Errorf("%v ended for causes by number, want one going-away and none timed-out", s.Ended)
	}
	close(release)
	<-stuck.Ended()
}
