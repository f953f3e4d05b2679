package transports

import (
	"sync"
	"time"
)

// rounds run the timers of links. Those that are due at about the same time are called one
// after the other: a timer of its own for each of thousands of links would wake a processor
// for each heartbeat, another one for the answer, and grow a stack.
type rounds struct {
	width time.Duration // between two rounds

	mu      sync.Mutex
	slots   [slots][]*roundTimer // by the round in which they are due
	at      int                  // of the last round
	set     int                  // timers in slots
	running bool
	next    time.Time     // of a round; kept, or each round would add to how late it is
	due     []*roundTimer // not called yet
}

// slots is how many rounds ahead a timer can be set.
const slots = 128

// roundTimer calls f when it is due. It must be made by rounds.timer.
type roundTimer struct {
	rounds  *rounds
	f       func()
	slot    int // where it is set; -1: it is not
	index   int
	stopped bool
}

func (r *rounds) timer(f func()) roundTimer { return roundTimer{rounds: r, f: f, slot: -1} }

// reset has f called once within d, but at the earliest in the next round. It may be as early
// as two rounds before d is over, and earlier if that is more than slots rounds away. It does
// nothing after stop.
func (t *roundTimer) reset(d time.Duration) {
	r := t.rounds
	r.mu.Lock()
	defer r.mu.Unlock()
	if t.stopped {
		return
	}
	r.remove(t)
	t.slot = (r.at + min(max(int(d/r.width), 1), slots-1)) % slots
	t.index = len(r.slots[t.slot])
	r.slots[t.slot] = append(r.slots[t.slot], t)
	r.set++
	if !r.running {
		r.running, r.next = true, time.Now()
		r.schedule()
	}
}

// schedule has the next round begin in its time, with mu held.
func (r *rounds) schedule() {
	r.next = r.next.Add(r.width)
	time.AfterFunc(time.Until(r.next), r.round)
}

// stop keeps f from being called, unless it is.
func (t *roundTimer) stop() {
	r := t.rounds
	r.mu.Lock()
	defer r.mu.Unlock()
	t.stopped = true
	r.remove(t)
}

func (r *rounds) remove(t *roundTimer) {
	if t.slot < 0 {
		return
	}
	slot := r.slots[t.slot]
	last := slot[len(slot)-1]
	slot[t.index], last.index = last, t.index
	slot[len(slot)-1] = nil
	r.slots[t.slot] = slot[:len(slot)-1]
	t.slot = -1
	r.set--
}

// round is called by the timer, in a goroutine of its own: one that has to wait in a call
// holds up the rest for a round only, then another goes on.
func (r *rounds) round() {
	r.mu.Lock()
	r.at = (r.at + 1) % slots
	now := r.slots[r.at]
	r.slots[r.at] = nil
	r.set -= len(now)
	for _, t := range now {
		t.slot = -1
	}
	r.due = append(r.due, now...)
	if r.running = r.set > 0 || len(r.due) > 0; r.running {
		r.schedule()
	}
	for len(r.due) > 0 {
		next := r.due[len(r.due)-1]
		r.due = r.due[:len(r.due)-1]
		if next.stopped {
			continue
		}
		r.mu.Unlock()
		next.f()
		r.mu.Lock()
	}
	r.due = nil
	r.mu.Unlock()
}
