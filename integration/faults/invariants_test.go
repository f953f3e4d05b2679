package faults

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"encke/integration/backend"
	"encke/integration/peer"
	"encke/integration/process"
	"encke/integration/proxy"
)

// What the proxy may be off after a row.
const (
	slackGoroutines = 2
	slackHeap       = 8 << 20
	slackLog        = 300 // lines
	slackEcho       = 500 * time.Millisecond
)

// inside is what can be seen of the proxy.
type inside struct {
	goroutines, files int
	heap, memory      int64
	lines             int // of its log
	sessions          int64
	counters          proxy.Counters
}

func (i inside) String() string {
	return fmt.Sprintf("%d goroutines, %d descriptors, %d sessions, heap %d, resident %d", i.goroutines, i.files, i.sessions, i.heap, i.memory)
}

func (f *fault) look() inside {
	f.Helper()
	p := process.Process(f.proxy.PID())
	var i inside
	is := f.proxy.Inside()
	i.goroutines, i.heap, i.counters = is.Goroutines, is.Heap, is.Counters
	i.sessions = i.counters["Sessions.Live"]
	i.files, i.memory = p.Files(), p.Memory()
	for _, line := range strings.Split(f.proxy.Log(), "\n") {
		if !strings.HasPrefix(line, "msg=watched") {
			i.lines++
		}
	}
	return i
}

// settle ends the row's sessions and judges by the invariants that are the same for all
// rows: I3 to I6. The proxy lets go of everything within seconds; how fast a busy
// machine is, is not judged.
func (f *fault) settle() {
	f.Helper()
	for _, leave := range f.leaving {
		leave()
	}
	for _, p := range f.peers {
		if err := p.Close(); err != nil {
			f.Error(err)
		}
	}
	var after inside
	is := func() bool {
		for _, rest := range f.resting {
			rest()
		}
		after = f.look()
		return after.files <= f.before.files && after.goroutines <= f.before.goroutines+slackGoroutines &&
			after.heap <= f.before.heap+slackHeap && after.sessions <= f.before.sessions
	}
	for end := time.Now().Add(30 * time.Second); !is() && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
	}
	f.Logf("the proxy before: %v; after: %v", f.before, after)
	if after.files > f.before.files {
		f.Errorf("I4: the proxy has %d descriptors, had %d", after.files, f.before.files)
	}
	if after.goroutines > f.before.goroutines+slackGoroutines {
		f.Errorf("I4: the proxy has %d goroutines, had %d", after.goroutines, f.before.goroutines)
	}
	if after.sessions > f.before.sessions {
		f.Errorf("I4: the proxy has %d sessions, had %d", after.sessions, f.before.sessions)
	}
	if after.heap > f.before.heap+slackHeap {
		f.Errorf("I3: the proxy's heap is %d bytes, was %d", after.heap, f.before.heap)
	}
	if n := after.lines - f.before.lines; n > slackLog && !f.loud {
		f.Errorf("I6: %d lines were logged", n)
	}
	f.told(after.counters)
	log := f.proxy.Log()
	for _, bad := range []string{"panic", "DATA RACE", "fatal error"} {
		if strings.Contains(log, bad) && !(f.faulty && bad == "panic") {
			f.Errorf("the proxy's log holds %q", bad)
		}
	}
	f.neighbour.leave(f)
}

// neighbour is a second session, over a way that is not broken (I5).
type neighbour struct {
	peer  *peer.Peer
	echo  *echo
	alone time.Duration // p99 before the fault
	stop  chan struct{}
	done  sync.WaitGroup

	took []time.Duration
	err  error
}

const neighbourKey = 99

// settleIn opens the neighbour's session and measures what it is like without a fault.
func settleIn(f *fault) *neighbour {
	f.Helper()
	o := peer.Options{Base: "http://" + f.proxy.Addr}
	if f.wire != nil {
		o.Dial = f.wire.Server.Dial
	}
	p, err := peer.Dial(f.Context(), o)
	if err != nil {
		f.Fatalf("the neighbour: %v", err)
	}
	f.Cleanup(func() { _ = p.Close() })
	if f.nextDoor == nil {
		f.nextDoor = f.backend(backend.Echo)
	}
	n := &neighbour{peer: p, echo: f.echo(p, f.nextDoor, neighbourKey), stop: make(chan struct{})}
	for range 100 {
		n.ask()
	}
	n.alone, n.took = p99(n.took), nil
	n.done.Go(func() { // until leave, or the test ends
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for n.err == nil {
			n.ask()
			select {
			case <-tick.C:
			case <-n.stop:
				return
			case <-f.Context().Done():
				return
			}
		}
	})
	return n
}

func (n *neighbour) ask() {
	began := time.Now()
	if err := n.echo.say(64); err != nil {
		n.err = err
		return
	}
	n.took = append(n.took, time.Since(began))
}

// leave ends the neighbour and judges I5. What a busy machine adds is allowed for; the
// figures are in the table of results.
func (n *neighbour) leave(f *fault) {
	f.Helper()
	close(n.stop)
	n.done.Wait()
	if n.err != nil {
		f.Errorf("I5: the session without a fault: %v", n.err)
		return
	}
	with := p99(n.took)
	f.result.NeighbourAlone, f.result.Neighbour = n.alone.Seconds()*1000, with.Seconds()*1000
	f.Logf("I5: p99 of the neighbour's echo %v, before %v", with, n.alone)
	if full && !f.everybody && with > 3*n.alone+slackEcho {
		f.Errorf("I5: p99 of the neighbour's echo is %v, was %v", with, n.alone)
	}
	if err := n.echo.end(); err != nil {
		f.Errorf("I5: the session without a fault: %v", err)
	}
	if err := n.peer.Close(); err != nil {
		f.Error(err)
	}
}

func p99(took []time.Duration) time.Duration {
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[len(took)*99/100]
}
