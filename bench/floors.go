package main

import "fmt"

// floor is a number that Encke must reach, and one that a superb implementation would.
type floor struct {
	what       string
	of         string
	must, mark float64
	least      bool // at least; else at most
	got        float64
	rounds     []float64 // got is their median
	measured   bool
}

func (f floor) reached(limit float64) bool {
	if f.least {
		return f.got >= limit
	}
	return f.got <= limit
}

// verdict says in a word what was reached.
func (f floor) verdict() string {
	switch {
	case !f.measured:
		return "not measured"
	case f.reached(f.mark):
		return "mark"
	case f.reached(f.must):
		return "must"
	}
	return "**not reached**"
}

var (
	cometPeers = []string{"encke-fetch", "encke-xhr", "encke-es", "encke-poll"}
	bulk       = []string{"down1", "down50", "up1", "up50"}
)

// floors compares the results with what is asked for. Ratios are to the relay unless the
// text says otherwise.
func (r *results) floors() []floor {
	var all []floor
	add := func(what, of string, must, mark float64, least bool, rounds ...float64) {
		got := median(rounds)
		all = append(all, floor{what, of, must, mark, least, got, rounds, got > 0})
	}
	ratio := func(what, peer, scenario string, m metric, must, mark float64, least bool) {
		add(what, peer+" "+scenario, must, mark, least, r.ratios(scenario, peer, basePeer, m)...)
	}
	for _, peer := range []string{"encke-ws", "encke-mux"} {
		for _, scenario := range bulk {
			ratio("session over WebSocket, bulk", peer, scenario, value, 0.85, 1.0, true)
		}
		for _, scenario := range bulk {
			ratio("CPU seconds per GB", peer, scenario, cost(1e9), 1.3, 1.05, false)
		}
		ratio("echo 64 B, p50", peer, "echo", p50, 1.1, 0.9, false)
		ratio("echo 64 B, p99", peer, "echo", p99, 1.1, 0.9, false)
		ratio("10,000 paced messages/s, CPU per million", peer, "paced100", cost(1e6), 1.1, 0.97, false)
		ratio("64 B messages upstream", peer, "msgup1", value, 10, 30, true)
	}
	ratio("set-up: session, socket, first echoed byte", "encke-ws", "setup", value, 1.0, 1.4, true)
	ratio("new socket on a live session", "encke-mux", "setup", value, 1.5, 2.5, true)
	for _, peer := range cometPeers {
		ratio("echo p50, streaming and long polling", peer, "echo", p50, 2.2, 1.7, false)
	}
	for _, scenario := range []string{"down1", "down50"} {
		ratio("fetch streaming down, binary", "encke-fetch", scenario, value, 0.6, 0.85, true)
		ratio("XHR streaming down, text", "encke-xhr", scenario, value, 0.30, 0.45, true)
	}
	for _, scenario := range []string{"up1", "up50"} {
		ratio("POST upload", "encke-fetch", scenario, value, 0.25, 0.4, true)
	}
	for _, peer := range []string{"encke-xhr", "encke-es"} {
		for _, scenario := range []string{"down1", "down50"} {
			what := fmt.Sprintf("CPU s/GB, text transports (relay: %.2f)", r.of(scenario, basePeer, cost(1e9)))
			add(what, peer+" "+scenario, 2.5, 1.6, false, r.each(scenario, peer, cost(1e9))...)
		}
	}
	add("bytes on the wire per 64 B message", "encke-ws echo, down", 79, 73, false, r.each("echo", "encke-ws", wireIn)...)
	add("bytes on the wire per 64 B message", "encke-ws echo, up", 79, 73, false, r.each("echo", "encke-ws", wireOut)...)
	r.idleFloors(add)
	r.websockifyFloors(add)
	for _, peer := range append([]string{"encke-ws", "encke-mux"}, cometPeers...) {
		add("p99 of 99 interactive streams beside a bulk one, ÷ alone", peer, 3, 1.5, false, r.each("mixed", peer, beside)...)
	}
	return all
}

type addFloor = func(what, of string, must, mark float64, least bool, rounds ...float64)

func (r *results) idleFloors(add addFloor) {
	kib := func(what, peer string, must, mark float64) {
		if s, ok := r.largestIdle(peer); ok {
			add(what, fmt.Sprintf("%s, %d", peer, s.N), must, mark, false, s.Each/1024)
		}
	}
	kib("idle session and backend over WebSocket, KiB", "encke-ws", 16, 10)
	kib("idle socket on a shared session, KiB", "encke-mux", 8, 5)
	for _, peer := range cometPeers {
		kib("idle Comet session, KiB", peer, 30, 18)
	}
	if s, ok := r.largestIdle("encke-ws"); ok {
		add("idle CPU, heartbeats included, % (mark: rounds to 0)", fmt.Sprintf("encke-ws, %d", s.N), 1, 0.5, false, max(s.CPU*100, 0.001))
	}
	for _, peer := range []string{"encke-ws", "encke-mux"} {
		if s := r.Idle[peer]; len(s) == 3 {
			add(fmt.Sprintf("one more idle one costs the same: from %d to %d ÷ from %d to %d", s[1].N, s[2].N, s[0].N, s[1].N),
				peer, 1.1, 1.0, false, oneMore(s[1], s[2])/oneMore(s[0], s[1]))
		}
	}
	one, ok := r.largestIdle("encke-one")
	for _, s := range r.Idle["encke-mux"] {
		if ok && s.N == one.N {
			add(fmt.Sprintf("%d idle sockets on one session ÷ on sessions of %d", s.N, socketsPerSession), "encke-one", 1.1, 1.0, false, one.Each/s.Each)
		}
	}
}

// oneMore is the memory of one more idle stream between two measurements. With a hundred of
// them what the process keeps or does not keep for work is as large as all they need.
func oneMore(few, many idleSample) float64 {
	return (many.RSS - many.Base - few.RSS + few.Base) / float64(many.N-few.N)
}

// websockifyFloors compare with websockify, in everything but the download of one stream.
func (r *results) websockifyFloors(add addFloor) {
	const what = "against websockify, times as good"
	for _, scenario := range append([]string{"msgup1", "setup"}, bulk[1:]...) {
		add(what, "encke-ws "+scenario, 1, 2, true, r.ratios(scenario, "encke-ws", "websockify", value)...)
	}
	for _, less := range []struct {
		of, scenario string
		metric       metric
	}{{"echo p50", "echo", p50}, {"echo p99", "echo", p99}, {"paced100, CPU", "paced100", cost(1e6)}} {
		add(what, "encke-ws "+less.of, 1, 2, true, r.ratios(less.scenario, "websockify", "encke-ws", less.metric)...)
	}
}
