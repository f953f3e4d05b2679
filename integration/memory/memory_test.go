package memory

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"encke/integration/backend"
	"encke/integration/mute"
	"encke/integration/process"
	"encke/integration/proxy"
)

const (
	// most is the memory that 1,000 mute sessions may cost, the proxy itself included.
	most = 640 << 20
	// held is how much a backend can send for a page that reads nothing: what the session
	// keeps, and the kernels on both sides of the proxy. More would take from the memory
	// that all connections of the machine share.
	held = 1 << 20
	// flat is how far, in percent, a part of the curve may be from the whole.
	flat = 2
	// slower is how many times longer the slowest percent of echoes may take beside them.
	slower = 3
	// floor is below which an echo is not slow, whatever it was before: on a machine with
	// other work that is what the scheduler gives.
	floor = 10 * time.Millisecond
)

// settings come from the environment, so that make can set them.
func settings(t *testing.T) (sessions int, duration time.Duration) {
	t.Helper()
	sessions, duration = 1000, 20*time.Second
	var err error
	if text := os.Getenv("SESSIONS"); text != "" {
		if sessions, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	if text := os.Getenv("DURATION"); text != "" {
		if duration, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	return sessions, duration
}

// command is the proxy under test, without the race detector, whose memory is not the
// proxy's.
func command(t *testing.T) proxy.Command {
	t.Helper()
	if path := os.Getenv("ENCKE_BINARY"); path != "" {
		return proxy.Command(path)
	}
	c, err := proxy.Build(t.TempDir(), false)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestMutePages(t *testing.T) {
	sessions, duration := settings(t)
	for _, limit := range []string{"SESSIONS", "CONNECTIONS", "HANDSHAKES", "UPGRADES", "SOCKETS", "REQUESTS"} {
		t.Setenv("ENCKE_ADDRESS_"+limit, "-1") // all pages of the test have one address
	}
	t.Setenv("ENCKE_MAX_PER_TARGET", strconv.Itoa(2*sessions)) // and one backend
	source, echo := backend.Source(t, 1, 1<<50), backend.Echo(t)
	p := command(t).Start(t, proxy.Options{Allow: []string{source.Addr(), echo.Addr()}, Args: []string{"--node", "mute"}})
	pid := process.Process(p.PID())
	go func() { // until the test ends; nobody else wants to know
		for {
			select {
			case <-source.Ended():
			case <-echo.Ended():
			case <-t.Context().Done():
				return
			}
		}
	}()
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()

	var beside echoes
	beside.run(ctx, t, &wg, "http://"+p.Addr, echo)
	pause(ctx, max(duration/20, 5*time.Second))
	before := beside.take()
	base := pid.Memory()
	t.Logf("before: %d MiB, echoes p50 %v, p99 %v of %d", base>>20, before.percentile(50), before.percentile(99), len(before))

	mutes := open(t, ctx, sessions, p.Addr, source)
	for i, m := range mutes {
		wg.Go(func() { keep(ctx, t, m, i, len(mutes)) }) // until stop
	}
	// Each session has been through a link that the proxy cut when this is over. What opening
	// them took is given back by two collections, which by themselves are two minutes apart:
	// a long run waits for that too.
	pause(ctx, max(settle, duration/2))
	if source.Open() != sessions {
		t.Errorf("%d backends are connected, want %d", source.Open(), sessions)
	}
	beside.take()
	written := source.Written()

	var c curve
	began := time.Now()
	for tick := time.NewTicker(time.Second); time.Since(began) < duration; <-tick.C {
		c = append(c, sample{time.Since(began), pid.Memory(), pid.Files(), pid.CPU()})
	}
	after := beside.take()
	if source.Open() != sessions {
		t.Errorf("%d of %d sessions have lived to the end", source.Open(), sessions)
	}
	report(t, c, before, after)
	t.Logf("the backends wrote %d KiB for each session before, and %d KiB in this time",
		written>>10/int64(sessions), (source.Written()-written)>>10/int64(sessions))
	if err := c.write("../out/memory.csv"); err != nil {
		t.Error(err)
	}
	judge(t, c, before, after, sessions)
	if got := source.Written() / int64(sessions); got > held {
		t.Errorf("the backends could send %d KiB for each page, more than %d", got>>10, held>>10)
	}
}

// settle is how long the load takes to be what it stays.
const settle = relink + 5*time.Second

// relink is how often a mute page makes a new link.
const relink = 40 * time.Second

// open opens the sessions, some at a time.
func open(t *testing.T, ctx context.Context, n int, addr string, source *backend.Backend) []*mute.Page {
	t.Helper()
	mutes := make([]*mute.Page, n)
	work := make(chan *mute.Page)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for m := range work {
				if err := m.Link(ctx); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range mutes {
		mutes[i] = &mute.Page{Proxy: addr, Transport: proxy.Transports[i%len(proxy.Transports)], Host: source.Host(), Port: source.Port()}
		work <- mutes[i]
	}
	close(work)
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return mutes
}

// keep makes a new link for m every relink, at a time of its own, until ctx is done.
func keep(ctx context.Context, t *testing.T, m *mute.Page, i, n int) {
	defer m.Close()
	pause(ctx, relink*time.Duration(i)/time.Duration(n))
	for ; ctx.Err() == nil; pause(ctx, relink) {
		if err := m.Link(ctx); err != nil && ctx.Err() == nil {
			t.Errorf("a mute page did not get back to its session: %v", err)
			return
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func report(t *testing.T, c curve, before, after times) {
	t.Helper()
	var line strings.Builder
	for _, part := range c.parts(min(10, len(c))) {
		fmt.Fprintf(&line, " %.1f", float64(part.median())/(1<<20))
	}
	used := c[len(c)-1].cpu - c[0].cpu
	t.Logf("resident MiB, ten parts of %v:%s; at most %.1f; %d descriptors; %.1f%% of a processor",
		c[len(c)-1].at.Round(time.Second), &line, float64(c.most())/(1<<20), c[len(c)-1].files,
		100*used.Seconds()/c[len(c)-1].at.Seconds())
	t.Logf("echoes: p50 %v, p99 %v of %d before; p50 %v, p99 %v of %d beside", before.percentile(50), before.percentile(99), len(before),
		after.percentile(50), after.percentile(99), len(after))
}

func judge(t *testing.T, c curve, before, after times, sessions int) {
	t.Helper()
	if got := c.most(); got > most {
		t.Errorf("%d sessions took %d MiB, more than %d", sessions, got>>20, int64(most)>>20)
	}
	if os.Getenv("DURATION") == "" {
		return // so short a curve is not flat yet, and beside other tests the time of an echo says nothing
	}
	whole := c.median()
	for i, part := range c.parts(min(10, len(c))) {
		if off := float64(part.median()-whole) * 100 / float64(whole); off > flat || off < -flat {
			t.Errorf("part %d of the curve is %.1f%% off: %d of %d MiB", i+1, off, part.median()>>20, whole>>20)
		}
	}
	if limit := slower * max(before.percentile(99), floor); after.percentile(99) > limit {
		t.Errorf("the slowest percent of echoes took %v, %v before", after.percentile(99), before.percentile(99))
	}
}
