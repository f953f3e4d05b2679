package faults

import (
	"errors"
	"fmt"
	"strings"

	"encke/integration/backend"
	"encke/integration/mute"
	"encke/integration/proxy"
)

// crowd: a thousand pages that take next to nothing, with a budget that is enough for
// most of them. Those that come when it is nearly used up are turned away; nobody who is
// there is given up for them. What all sessions keep stays within the budget.
func crowd(f *fault) {
	pages, budget := either(1000, 80), int64(either(192<<20, 16<<20))
	const each = 256 << 10 // what a session keeps for its page
	f.loud = full          // a line for each page
	f.start(proxy.Options{Args: []string{"--node", "mute", "--linger", either("40s", "3s"), "--buffer-budget", fmt.Sprint(budget)}})
	source := backend.Source(f.T, 25, 1<<50)
	healthy := f.echo(f.peer(), backend.Echo(f.T), 5)
	if err := healthy.say(small); err != nil {
		f.Fatal(err)
	}
	var taken []*mute.Page
	turnedAway := 0
	most := inside{}
	for i := range pages {
		page := &mute.Page{Proxy: f.proxy.Addr, Transport: f.transport, Host: source.Host(), Port: source.Port()}
		f.Cleanup(page.Close)
		if err := page.Link(f.Context()); err == nil {
			taken = append(taken, page)
		} else {
			page.Close()
			if !strings.Contains(err.Error(), "the proxy has no memory to spare") {
				f.Fatalf("I2: page %d was turned away with %v", i+1, err)
			}
			turnedAway++
		}
		if turnedAway > 0 || i%(pages/20) > 0 {
			continue
		}
		until(f, "the sessions to keep what they may", func() bool {
			now := f.look()
			most.heap = max(most.heap, now.heap)
			return now.counters["Sessions.Retained"] >= int64(len(taken))*each*9/10
		})
	}
	for range 20 {
		if err := healthy.say(small); err != nil {
			f.Fatalf("I5: a session that was there: %v", err)
		}
	}
	during := f.look()
	heap, kept := max(most.heap, during.heap), during.counters["Sessions.Retained"]
	f.Logf("%d pages were taken, %d turned away; %d of %d bytes are kept, heap %d, before %d", len(taken), turnedAway, kept, budget, heap, f.before.heap)
	// What is encoded and on its way to the network is beside the budget: at most as much again.
	if kept > budget || heap > f.before.heap+2*budget+slackHeap {
		f.Errorf("I3: %d bytes are kept of a budget of %d, the heap is %d, was %d", kept, budget, heap, f.before.heap)
	}
	if turnedAway == 0 {
		f.Error("I2: nobody was turned away: the row shows nothing")
	}
	if n := during.counters["Sessions.Shed"]; n > 0 {
		f.Errorf("%d sessions were given up, though others could be turned away", n)
	}
	if live := during.counters["Sessions.Live"]; live != f.before.sessions+1+int64(len(taken)) {
		f.Errorf("%d sessions live, want the %d that were taken and %d", live, len(taken), f.before.sessions+1)
	}
	for _, page := range taken {
		page.Close()
	}
	until(f, "the sessions to be given up", func() bool { return source.Open() == 0 })
	again := f.echo(f.peer(), backend.Echo(f.T), 6)
	if err := errors.Join(again.say(small), again.end(), healthy.end()); err != nil {
		f.Error(err)
	}
}
