package app_test

import (
	"errors"
	"testing"
	"time"

	"encke/cause"
	"encke/client"
	"encke/cmd/encke/app"
	"encke/integration/inprocess"
)

// Every limit of sessions and sockets is an option that arrives where it works, and
// has its counter.
func TestSessionLimitsArrive(t *testing.T) {
	for _, tt := range []struct {
		name  string
		cfg   app.Config
		count func(app.Stats) uint64
	}{
		{"max sockets", app.Config{MaxSockets: 1, OpenBurst: 10}, func(st app.Stats) uint64 { return st.Sockets.LimitSockets }},
		{"open rate and burst", app.Config{OpenRate: 1, OpenBurst: 1}, func(st app.Stats) uint64 { return st.Sockets.LimitRate }},
		{"address sockets", app.Config{Limits: app.Limits{AddressSockets: 1}}, func(st app.Stats) uint64 { return st.Sockets.LimitCaller }},
		{"max per target", app.Config{MaxPerTarget: 1}, func(st app.Stats) uint64 { return st.Sockets.LimitTarget }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			addr, _ := backend(t)
			tt.cfg.Allow = []string{addr}
			a := inprocess.Start(t, tt.cfg)
			d := &client.Dialer{Proxy: a.URL()}
			defer d.Close()
			if _, err := d.Dial("tcp", addr); err != nil {
				t.Fatal(err)
			}
			if _, err := d.Dial("tcp", addr); !errors.Is(err, cause.Limit.Err()) {
				t.Errorf("the second socket: %v, want limit", err)
			}
			if n := tt.count(a.Stats()); n != 1 {
				t.Errorf("%d counted, want 1", n)
			}
		})
	}
	t.Run("max windows", func(t *testing.T) {
		addr, _ := backend(t)
		a := inprocess.Start(t, app.Config{Allow: []string{addr}, MaxWindows: 64 << 10})
		d := &client.Dialer{Proxy: a.URL()}
		defer d.Close()
		if _, err := d.Dial("tcp", addr); err != nil {
			t.Fatal(err)
		}
		if n := a.Stats().Sockets.SmallWindows; n != 1 {
			t.Errorf("%d counted, want 1", n)
		}
	})
	t.Run("lifetime", func(t *testing.T) {
		addr, _ := backend(t)
		a := inprocess.Start(t, app.Config{Allow: []string{addr}, Lifetime: time.Second})
		d := &client.Dialer{Proxy: a.URL()}
		defer d.Close()
		conn, err := d.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("the socket outlives its session")
		}
		if st := a.Stats().Sessions; st.OutLived != 1 {
			t.Errorf("%d counted, want 1", st.OutLived)
		}
	})
	t.Run("buffer budget", func(t *testing.T) {
		addr, _ := backend(t)
		a := inprocess.Start(t, app.Config{Allow: []string{addr}, BufferBudget: 32 << 20})
		if st := a.Stats().Sessions; st.Budget != 32<<20 || st.Retained != 0 {
			t.Errorf("a budget of %d bytes, %d used; want 32 MiB, 0", st.Budget, st.Retained)
		}
	})
}

// One address does not get more sockets by opening more sessions, and has back what
// it closed.
func TestSocketsOfOneAddress(t *testing.T) {
	addr, _ := backend(t)
	a := inprocess.Start(t, app.Config{Allow: []string{addr}, Limits: app.Limits{AddressSockets: 2}})
	dial := func() (*client.Dialer, error) {
		d := &client.Dialer{Proxy: a.URL()}
		t.Cleanup(func() { d.Close() })
		_, err := d.Dial("tcp", addr)
		return d, err
	}
	first, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dial(); err != nil {
		t.Fatal(err)
	}
	if _, err := dial(); !errors.Is(err, cause.Limit.Err()) {
		t.Errorf("a third socket: %v, want limit", err)
	}
	first.Close()
	for a.Stats().Sockets.Open > 1 { // until the proxy knows
		time.Sleep(time.Millisecond)
	}
	if _, err := dial(); err != nil {
		t.Errorf("after one has ended: %v", err)
	}
}
