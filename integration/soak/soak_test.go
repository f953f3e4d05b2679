package soak

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"encke/integration/netns"
	"encke/integration/process"
	"encke/integration/proxy"
)

// settings come from the environment, so that make can set them.
type settings struct {
	Duration time.Duration // default 2 min
	Seed     uint64        // default: by chance
	Sessions int           // at a time, default 64
	Load     float64       // processors that driver and proxy may use together, default 1
}

func fromEnvironment(t *testing.T) settings {
	t.Helper()
	s := settings{Duration: 2 * time.Minute, Seed: rand.Uint64N(1 << 32), Sessions: 64, Load: 1}
	for name, parse := range map[string]func(string) error{
		"DURATION": func(v string) (err error) { s.Duration, err = time.ParseDuration(v); return },
		"SEED":     func(v string) (err error) { s.Seed, err = strconv.ParseUint(v, 10, 64); return },
		"SESSIONS": func(v string) (err error) { s.Sessions, err = strconv.Atoi(v); return },
		"LOAD":     func(v string) (err error) { s.Load, err = strconv.ParseFloat(v, 64); return },
	} {
		if v := os.Getenv(name); v != "" {
			if err := parse(v); err != nil {
				t.Fatal(err)
			}
		}
	}
	return s
}

// linger is how long a session may be without a link. No fault lasts a quarter of it, but
// several may follow each other.
const linger = time.Minute

func command(t *testing.T) proxy.Command {
	t.Helper()
	if path := os.Getenv("ENCKE_BINARY"); path != "" {
		return proxy.Command(path)
	}
	c, err := proxy.Build(t.TempDir(), raceDetector)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSoak(t *testing.T) {
	set := fromEnvironment(t)
	for _, limit := range []string{"SESSIONS", "CONNECTIONS", "HANDSHAKES", "UPGRADES", "SOCKETS", "REQUESTS"} {
		t.Setenv("ENCKE_ADDRESS_"+limit, "-1") // all pages of the test have one address
	}
	say := func(format string, args ...any) { fmt.Printf(format+"\n", args...) }
	say("seed %d, %v, %d sessions at a time", set.Seed, set.Duration, set.Sessions)
	r := &run{seed: set.Seed, counts: make(map[string]int), began: time.Now()}
	note := func(n int) { r.checked.Add(int64(n)) }

	// Where nothing may be done to the network the rest is done all the same.
	weather := &storm{t: t, rng: rand.New(rand.NewPCG(set.Seed, 0)), count: r.count}
	options := proxy.Options{Args: []string{"--heartbeat", hold.String(), "--linger", linger.String()}}
	var err error
	r.dial = new(net.Dialer).DialContext
	start := func() {
		options.Allow = []string{fmt.Sprintf("127.0.0.1:%d", r.theatre.port())}
		p := command(t).Start(t, options)
		r.base, r.proxy = "http://"+p.Addr, process.Process(p.PID())
		_, port, _ := net.SplitHostPort(p.Addr)
		weather.port, _ = strconv.Atoi(port)
	}
	if why := netns.Missing(); why != "" {
		say("NO FAULTS OF THE NETWORK: %s", why)
		if r.theatre, err = newTheatre(nil, note); err != nil {
			t.Fatal(err)
		}
		start()
	} else {
		w := netns.NewWire(t)
		weather.wire, r.dial = w, w.Client.Dial
		if r.theatre, err = newTheatre(w.Server, note); err != nil {
			t.Fatal(err)
		}
		options.Listen, options.Hosts = netns.ServerIP+":0", []string{netns.ServerIP}
		w.Server.Do(start)
	}
	t.Cleanup(r.theatre.close)
	weather.proxy = r.proxy
	t.Cleanup(r.proxy.Continue)
	files := r.proxy.Files()

	r.drive(t.Context(), set, weather, say)

	say("summary after %v with seed %d:\n%s", time.Since(r.began).Round(time.Second), set.Seed, r.summary())
	if err := r.err(); err != nil {
		t.Fatalf("with seed %d: %v", set.Seed, err)
	}
	r.leftOver(t, files)
}

// drive runs sessions until the time is over or one of them failed.
func (r *run) drive(ctx context.Context, set settings, weather *storm, say func(string, ...any)) {
	until, stop := context.WithTimeout(ctx, set.Duration)
	defer stop()
	var sessions, others sync.WaitGroup
	quiet, calm := context.WithCancel(ctx)
	others.Go(func() { weather.run(until) })                                      // until the time is over
	others.Go(func() { r.govern(quiet, set.Load, process.Process(os.Getpid())) }) // until calm
	others.Go(func() { r.tell(quiet, func() { say("%s", r.progress()) }) })       // until calm
	var number atomic.Uint64
	for range set.Sessions {
		sessions.Go(func() { // until the time is over and its last session is
			for until.Err() == nil {
				if err := r.live(ctx, number.Add(1)); err != nil {
					r.fail(err)
					say("%v: %v", time.Now().Format(time.TimeOnly), err)
					stop()
				}
			}
		})
	}
	sessions.Wait()
	calm()
	others.Wait()
}

// tell calls f every minute until ctx is done.
func (r *run) tell(ctx context.Context, f func()) {
	for sleep(ctx, time.Minute); ctx.Err() == nil; sleep(ctx, time.Minute) {
		f()
	}
}

// leftOver checks that the proxy has let go of everything.
func (r *run) leftOver(t *testing.T, files int) {
	t.Helper()
	// The farewell of a session may have been lost, and a WebSocket is given up when nothing
	// was heard for 20 s and a heartbeat.
	end := time.Now().Add(linger + 30*time.Second)
	for time.Now().Before(end) && (r.proxy.Files() > files || r.theatre.open() > 0) {
		time.Sleep(100 * time.Millisecond)
	}
	if got := r.proxy.Files(); got > files {
		t.Errorf("the proxy has %d descriptors open, it began with %d", got, files)
	}
	if got := r.theatre.open(); got > 0 {
		t.Errorf("%d connections to the backend are open", got)
	}
}
