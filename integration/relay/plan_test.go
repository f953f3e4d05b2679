package relay_test

import (
	"io"
	"testing"

	"encke/integration/backend"
	"encke/integration/relay"
)

func TestAfterHoldsAllLinks(t *testing.T) {
	const n = 100_000
	b := backend.Source(t, 6, n)
	r := relay.New(t, b.Addr())
	var passed int64
	done := r.After(150_000, func() {
		passed = r.Passed()
		if again := r.Passed(); again != passed {
			t.Errorf("%d bytes passed while the plan was carried out", again-passed)
		}
	})
	reads := make(chan error)
	for range 2 {
		conn := dial(t, r)
		go func() { // until FIN
			got, err := io.ReadAll(conn)
			if err == nil {
				err = backend.Check(got, 6, 0)
			}
			reads <- err
		}()
	}
	<-done
	if passed != 150_000 {
		t.Errorf("the plan was carried out after %d bytes, want 150000", passed)
	}
	for range 2 {
		if err := <-reads; err != nil {
			t.Error(err)
		}
	}
	if r.Passed() != 2*n {
		t.Errorf("passed %d, want %d", r.Passed(), 2*n)
	}
}

// A plan for one direction lets the other pass, and is exact.
func TestAfterOnCountsOneWay(t *testing.T) {
	for way, want := range map[relay.Way]int64{relay.Both: 3, relay.Up: 3, relay.Down: 5 + 3} {
		r := relay.New(t, backend.Echo(t).Addr())
		conn := dial(t, r)
		var passed int64
		done := r.AfterOn(way, 3, func() { passed = r.Passed() })
		say(t, conn, "hello")
		<-done
		if passed != want {
			t.Errorf("way %d: the plan was carried out after %d bytes, want %d", way, passed, want)
		}
		r.AfterOn(way, 3, func() { t.Errorf("way %d: a dropped plan was carried out", way) })
		r.Never()
		say(t, conn, "hello")
	}
}
