package soak

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"encke/integration/process"
)

// run is one run of the driver.
type run struct {
	seed    uint64
	base    string // of the proxy
	dial    func(ctx context.Context, network, addr string) (net.Conn, error)
	theatre *theatre
	proxy   process.Process
	began   time.Time

	scripts atomic.Uint64 // numbers given to scripts
	checked atomic.Int64  // bytes
	delay   atomic.Int64  // ns before each piece, set by govern

	mu     sync.Mutex
	counts map[string]int // of sessions, acts and faults
	totals totals
	errs   []error
}

// totals are sums over the sessions that have ended.
type totals struct {
	resumes, links, repeated, switches int
}

func (r *run) count(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[what]++
}

func (r *run) add(f func(*totals)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.totals)
}

// fail notes an error.
func (r *run) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errs = append(r.errs, err)
}

func (r *run) err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.errs...)
}

// wait lets the machine breathe before a piece is sent.
func (r *run) wait() {
	if d := time.Duration(r.delay.Load()); d > 0 {
		time.Sleep(d)
	}
}

// govern keeps what the driver and the proxy use below a share of one processor, by the
// pause before each piece, until ctx is done.
func (r *run) govern(ctx context.Context, share float64, self process.Process) {
	const most = 500 * time.Millisecond
	used := func() time.Duration { return self.CPU() + r.proxy.CPU() }
	for last := used(); ctx.Err() == nil; {
		sleep(ctx, time.Second)
		now := used()
		delay := time.Duration(r.delay.Load())
		if (now - last).Seconds() > share {
			delay = min(delay*3/2+time.Millisecond, most)
		} else {
			delay = delay * 4 / 5
		}
		r.delay.Store(int64(delay))
		last = now
	}
}

// progress is one line about the run so far.
func (r *run) progress() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	faults := 0
	for what, n := range r.counts {
		if isFault(what) {
			faults += n
		}
	}
	return fmt.Sprintf("%v: %d sessions, %d sockets, %d MiB checked, %d faults, %d resumes, %d moves, %d requests repeated, %d errors; proxy: %.1f MiB, %d descriptors, %.0f s",
		time.Since(r.began).Round(time.Second), r.counts["sessions"], r.scripts.Load(), r.checked.Load()>>20, faults,
		r.totals.resumes, r.totals.switches, r.totals.repeated, len(r.errs),
		float64(r.proxy.Memory())/(1<<20), r.proxy.Files(), r.proxy.CPU().Seconds())
}

func isFault(what string) bool { return strings.Contains(what, " ") }

// summary lists what happened how often.
func (r *run) summary() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out strings.Builder
	for _, faults := range []bool{false, true} {
		for _, what := range slices.Sorted(maps.Keys(r.counts)) {
			if isFault(what) == faults {
				fmt.Fprintf(&out, "  %8d  %s\n", r.counts[what], what)
			}
		}
	}
	fmt.Fprintf(&out, "  %8d  resumes\n  %8d  links\n  %8d  moves between transports\n  %8d  uplink requests repeated\n  %8d  bytes checked\n  %8d  errors\n",
		r.totals.resumes, r.totals.links, r.totals.switches, r.totals.repeated, r.checked.Load(), len(r.errs))
	return out.String()
}
