package csp_test

import (
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"encke/cause"
)

// Whatever a network does, both ends of a session keep to PROTOCOL.md: what arrives is
// what was sent, in order and once; every packet is kept until it is acknowledged, and
// never changes; who waits is woken; the session ends when, and only when, both streams
// have arrived; and once the network is good everything arrives.
func TestSessionOverABadNetwork(t *testing.T) {
	cases, steps := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		cases++
		rapid.SyncTest(t, func(t *rapid.T) { steps += sessionOverABadNetwork(t) })
	})
	t.Logf("%d cases, %d steps", cases, steps)
}

func sessionOverABadNetwork(t *rapid.T) (steps int) {
	n := newBadNetwork(t)
	defer n.server.Close(cause.Closed.Err())
	defer n.ends[0].session.Close(cause.Closed.Err())
	actions := map[string]func(*rapid.T){
		"":      func(*rapid.T) { n.check(); steps++ },
		"wait":  func(*rapid.T) { n.wait(time.Duration(n.pick(1500)) * time.Millisecond) },
		"room":  func(*rapid.T) { n.reserve(n.ends[n.pick(2)]) },
		"write": func(*rapid.T) { n.write(n.ends[n.pick(2)]) },
		"burst": func(*rapid.T) { n.burst(n.pick(2)) },
		"say":   func(*rapid.T) { n.say(n.ends[n.pick(2)]) },
		"end":   func(*rapid.T) { n.maybeEnd(n.ends[n.pick(2)]) },
		"take":  func(*rapid.T) { n.take(n.pick(2)) },
		"carry": func(*rapid.T) { n.carryOne(n.pick(2)) },
		"cut":   func(*rapid.T) { n.cut(n.pick(2)) },
		"link":  func(*rapid.T) { n.ask(n.ends[n.pick(2)], true, n.chance(50)) },
		"post":  func(*rapid.T) { n.ask(n.ends[0], false, true) },
		"serve": func(*rapid.T) { n.serveOne() },
		"heard": func(*rapid.T) { n.answerOne() },
	}
	actions["take again"], actions["carry again"] = actions["take"], actions["carry"]
	actions["write again"], actions["post again"] = actions["write"], actions["post"]
	actions["serve again"], actions["serve once more"] = actions["serve"], actions["serve"]
	t.Repeat(actions)
	n.heal()
	if !n.ends[0].whole() {
		t.Fatalf("client %d of %d bytes, server %d of %d", n.ends[0].got, n.ends[1].sent, n.ends[1].got, n.ends[0].sent)
	}
	n.ends[n.pick(2)].end()
	n.heal()
	// Who is over first says Close instead of acknowledging; then both are over.
	if !n.ends[0].over || !n.ends[1].over {
		t.Fatalf("after both ends, over: client %v, server %v", n.ends[0].over, n.ends[1].over)
	}
	return steps
}

// wait lets time pass, and what is due then happen.
func (n *badNetwork) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (n *badNetwork) check() {
	for _, e := range n.ends {
		e.check()
	}
}

// reserve asks for room. A packet counts more than the few bytes that were reserved
// for it, so many reservations at a time could exceed the bound by far.
func (n *badNetwork) reserve(e *checkedEnd) {
	if len(e.rooms) < 2 {
		e.reserve(1+n.pick(1500), time.Duration(n.pick(2))*5*time.Millisecond)
	}
}

// write sends what there is room for, or less, or gives the room back.
func (n *badNetwork) write(e *checkedEnd) {
	if len(e.rooms) == 0 {
		n.reserve(e)
	}
	if len(e.rooms) > 0 {
		e.use(n.pick(e.rooms[0] + 1))
	}
}

// burst sends some packets one by one, so that requests can overtake each other.
func (n *badNetwork) burst(i int) {
	for range 3 {
		n.write(n.ends[i])
		n.take(i)
	}
}

// say sends a few bytes without reserving room, as answers are.
func (n *badNetwork) say(e *checkedEnd) {
	// Many of them would end the session.
	if uint64(len(e.packets)) < e.acked+2 {
		e.send(10, 0)
	}
}

func (n *badNetwork) maybeEnd(e *checkedEnd) {
	if n.chance(10) {
		e.end()
	}
}

// take takes from the attached link, or tries one that is gone.
func (n *badNetwork) take(i int) {
	if len(n.links[i]) > 0 {
		which := len(n.links[i]) - 1
		if n.chance(10) {
			which = n.pick(len(n.links[i]))
		}
		limit := 1 // one packet
		if n.chance(50) {
			limit += n.pick(1000)
		}
		n.links[i][which].take(limit)
	}
}

func (n *badNetwork) carryOne(i int) {
	var full []*checkedLink
	for _, l := range n.links[i] {
		if len(l.wire) > 0 {
			full = append(full, l)
		}
	}
	if len(full) > 0 {
		n.carry(full[n.pick(len(full))])
	}
}

// cut loses the end of what is on its way, and mostly the link as well.
func (n *badNetwork) cut(i int) {
	if len(n.links[i]) == 0 {
		return
	}
	l := n.links[i][n.pick(len(n.links[i]))]
	if n.chance(70) {
		l.wire = l.wire[:n.pick(len(l.wire)+1)]
		l.detach()
	} else if l.gone != nil {
		l.wire = nil
	}
}

// serveOne serves a request, which may come again or be lost.
func (n *badNetwork) serveOne() {
	if len(n.requests) == 0 {
		return
	}
	i := n.pick(len(n.requests))
	r := n.requests[i]
	if fate := n.pick(6); fate > 0 {
		n.requests = append(n.requests[:i], n.requests[i+1:]...)
		if fate == 1 {
			return
		}
	}
	n.serve(r)
}

// answerOne brings an answer, in any order, or loses it.
func (n *badNetwork) answerOne() {
	if len(n.answers) == 0 {
		return
	}
	i := n.pick(len(n.answers))
	a := n.answers[i]
	n.answers = append(n.answers[:i], n.answers[i+1:]...)
	switch {
	case n.chance(30):
	case a.over:
		n.close(n.ends[0])
	default:
		n.acked(n.ends[0], a.ack)
	}
}

// heal forgets what is on its way, gives both ends good links, and carries everything
// until nothing comes any more, not even later.
func (n *badNetwork) heal() {
	n.requests, n.answers, n.links = nil, nil, [2][]*checkedLink{}
	for _, e := range n.ends {
		for len(e.rooms) > 0 {
			e.use(0)
		}
		n.check()
		if e.peer.over {
			n.close(e) // a request would be told so
		} else {
			n.serve(request{to: e, attach: true, ack: e.peer.session.Received()})
		}
	}
	for busy := true; busy; {
		busy = n.carryAll()
		n.wait(1100 * time.Millisecond)
		busy = n.carryAll() || busy
	}
}

func (n *badNetwork) carryAll() bool {
	any := false
	for busy := true; busy; {
		busy = false
		for i := range n.ends {
			for _, l := range n.links[i] {
				for l.take(1 << 20) {
					busy = true
				}
				for len(l.wire) > 0 {
					n.carry(l)
				}
			}
			n.check()
		}
		any = any || busy
	}
	return any
}
