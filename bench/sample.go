package main

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// sample is one measurement of one peer.
type sample struct {
	Value   float64 `json:"value"`              // in the scenario's unit
	P50     float64 `json:"p50_us,omitempty"`   // of what is timed, in microseconds
	P99     float64 `json:"p99_us,omitempty"`   //
	Alone   float64 `json:"alone_us,omitempty"` // p99 of the same streams just before, with nothing beside them
	Bulk    float64 `json:"bulk,omitempty"`     // bytes per second of what was beside them
	CPU     float64 `json:"cpu_s"`              // of the proxy's processes in the window
	Harness float64 `json:"harness_cpu_s"`      // of clients and backend in the window
	Units   float64 `json:"units"`              // bytes, messages or streams in the window
	WireIn  float64 `json:"wire_in,omitempty"`  // bytes on the clients' connections for each unit
	WireOut float64 `json:"wire_out,omitempty"` //
	Err     string  `json:"err,omitempty"`
}

// window measures what count counts for the measured time, after a warm-up.
func (r *running) window(s *sample, count func() int64) {
	time.Sleep(r.lengths.warm)
	_, cpu := r.process.tree()
	own, n, in, out, began := ownCPU(), count(), r.network.wireIn.Load(), r.network.wireOut.Load(), time.Now()
	time.Sleep(r.lengths.measured)
	s.Units = float64(count() - n)
	took := time.Since(began).Seconds()
	in, out = r.network.wireIn.Load()-in, r.network.wireOut.Load()-out
	_, after := r.process.tree()
	s.CPU, s.Harness, s.Value = after-cpu, ownCPU()-own, s.Units/took
	if s.Units > 0 {
		s.WireIn, s.WireOut = float64(in)/s.Units, float64(out)/s.Units
	} else if s.Err == "" {
		s.Err = "nothing arrived"
	}
}

// latencies collects how long things took.
type latencies struct {
	n atomic.Int64

	mu   sync.Mutex
	from time.Time // what began before is left out
	us   []float64
}

// restart forgets what was collected and leaves out what begins within warm from now.
func (l *latencies) restart(warm time.Duration) {
	l.mu.Lock()
	l.from, l.us = time.Now().Add(warm), nil
	l.mu.Unlock()
}

func (l *latencies) add(began, over time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if began.Before(l.from) {
		return
	}
	l.us = append(l.us, float64(over.Sub(began).Nanoseconds())/1e3)
	l.n.Add(1)
}

func (l *latencies) fill(s *sample) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.us) > 0 {
		slices.Sort(l.us)
		s.P50, s.P99 = l.us[len(l.us)/2], l.us[len(l.us)*99/100]
	}
}

// median returns the middle of values, 0 if there are none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	v := slices.Sorted(slices.Values(values))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}
