package main

import (
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// scenario is one thing that is measured of every peer.
type scenario struct {
	name, unit, about string
	perCPU            float64 // units that the CPU column is for: 1e9 bytes or 1e6 messages
	lower             bool    // a lower value is better
	timed             bool    // has p50 and p99
	wire              bool    // bytes on the wire are of interest
	long              bool    // p99 of few would be chance
	quick             bool
	run               func(r *running) sample
}

// scenarios are all there are, in the order of the report.
var scenarios = []scenario{
	{name: "down1", unit: "MB/s", about: "bulk download, 1 stream", perCPU: 1e9, quick: true,
		run: func(r *running) sample { return r.receive(1, header(roleBulk, 0), 1, 1e6) }},
	{name: "down50", unit: "MB/s", about: "bulk download, 50 streams", perCPU: 1e9,
		run: func(r *running) sample { return r.receive(50, header(roleBulk, 0), 1, 1e6) }},
	{name: "up1", unit: "MB/s", about: "bulk upload in messages of 32 KiB, 1 stream", perCPU: 1e9, quick: true,
		run: func(r *running) sample { return r.upload(1, 32<<10, 1, 1, 1e6) }},
	{name: "up50", unit: "MB/s", about: "bulk upload in messages of 32 KiB, 50 streams", perCPU: 1e9,
		run: func(r *running) sample { return r.upload(50, 32<<10, 1, 1, 1e6) }},
	{name: "echo", unit: "p50 µs", about: "echo of 64 bytes, 1 in flight on each of 100 streams, 1000/s in all", perCPU: 1e6, lower: true, timed: true, wire: true, long: true, quick: true,
		run: func(r *running) sample { return r.echo(100, 1000, 0) }},
	{name: "mixed", unit: "p99 µs", about: "the same, alone and then beside a bulk download on another stream (encke-mux: of the same session)", perCPU: 1e6, lower: true, timed: true, long: true,
		run: func(r *running) sample { return r.echo(socketsPerSession-1, 990, 1) }},
	{name: "msg1", unit: "msg/s", about: "64-byte writes from the backend, flat out, 1 stream", perCPU: 1e6,
		run: func(r *running) sample { return r.receive(1, header(roleFlood, 0), messageSize, 1) }},
	{name: "msg100", unit: "msg/s", about: "64-byte writes from the backend, flat out, 100 streams", perCPU: 1e6,
		run: func(r *running) sample { return r.receive(100, header(roleFlood, 0), messageSize, 1) }},
	{name: "paced100", unit: "msg/s", about: "64-byte messages from the backend, 100 streams, 10,000/s in all", perCPU: 1e6, wire: true, quick: true,
		run: func(r *running) sample { return r.receive(100, header(rolePaced, 100*1e6/10_000), messageSize, 1) }},
	{name: "msgup1", unit: "msg/s", about: "64-byte messages to the backend, flat out, sent 64 at a time, 1 stream", perCPU: 1e6, quick: true,
		run: func(r *running) sample { return r.upload(1, messageSize, 64, messageSize, 1) }},
	{name: "setup", unit: "streams/s", about: "open, first echoed byte, close; 8 at a time", perCPU: 1e6, timed: true, quick: true,
		run: func(r *running) sample { return r.setup(8) }},
}

// receive measures what n streams get after sending the header, in units of so many
// bytes; the value is units per second / scale.
func (r *running) receive(n int, h []byte, unit int64, scale float64) (s sample) {
	var got atomic.Int64
	streams, err := r.open(n, h, func(c stream) { drain(c, &got) })
	if err != nil {
		return sample{Err: err.Error()}
	}
	r.window(&s, func() int64 { return got.Load() / unit })
	s.Value /= scale
	closeAll(streams)
	return s
}

// drain reads c until its end.
func drain(c stream, got *atomic.Int64) {
	if d, ok := c.(drainer); ok {
		d.Drain(got)
		return
	}
	buf := make([]byte, 64<<10)
	for {
		n, err := c.Read(buf)
		got.Add(int64(n))
		if err != nil {
			return
		}
	}
}

// upload measures what the backend gets from n streams in messages of size bytes, sent
// batch at a time.
func (r *running) upload(n, size, batch int, unit int64, scale float64) (s sample) {
	streams, err := r.open(n, header(roleSink, 0), func(c stream) {
		if c, ok := c.(pourer); ok && batch == 1 {
			c.Pour(payload[:size])
			return
		}
		for repeat(c, payload[:size], batch) == nil {
		}
	})
	if err != nil {
		return sample{Err: err.Error()}
	}
	r.window(&s, func() int64 { return r.backend.sunk.Load() / unit })
	s.Value /= scale
	closeAll(streams)
	return s
}

// echo measures the time of echoes, rate per second on n streams together; if there are bulk
// downloads on others, then first alone and once more beside them, so that a ratio of the two
// is of the same streams and the same moment of a noisy machine.
func (r *running) echo(n, rate, bulk int) (s sample) {
	streams, err := r.open(n, echoing())
	if err != nil {
		return sample{Err: err.Error()}
	}
	defer func() { closeAll(streams) }()
	var times latencies
	times.restart(r.lengths.warm)
	step := time.Duration(n) * time.Second / time.Duration(rate)
	for i, c := range streams {
		go func() { // until c is closed
			buf := make([]byte, messageSize)
			next := time.Now().Add(step * time.Duration(i) / time.Duration(n))
			for {
				time.Sleep(time.Until(next))
				began := time.Now()
				if _, err := c.Write(payload[:messageSize]); err != nil {
					return
				}
				if _, err := io.ReadFull(c, buf); err != nil {
					return
				}
				over := time.Now()
				if c, ok := c.(interface{ arrived() time.Time }); ok {
					over = c.arrived()
				}
				times.add(began, over)
				if next = next.Add(step); time.Now().After(next) {
					next = time.Now()
				}
			}
		}()
	}
	r.window(&s, times.n.Load)
	times.fill(&s)
	s.Value = s.P50
	if bulk == 0 || s.Err != "" {
		return s
	}
	alone := s.P99
	var got atomic.Int64
	more, err := r.open(bulk, header(roleBulk, 0), func(c stream) { drain(c, &got) })
	if err != nil {
		return sample{Err: err.Error()}
	}
	defer closeAll(more)
	times.restart(r.lengths.warm)
	s = sample{Alone: alone}
	before, began := got.Load(), time.Now()
	r.window(&s, times.n.Load)
	s.Bulk = float64(got.Load()-before) / time.Since(began).Seconds()
	times.fill(&s)
	s.Value = s.P99
	return s
}

// setup measures how many streams can be opened, used and closed by so many workers.
func (r *running) setup(workers int) (s sample) {
	var times latencies
	var stop atomic.Bool
	var wg sync.WaitGroup
	var mu sync.Mutex
	var last error
	for range workers {
		wg.Go(func() {
			h, b := echoing(), make([]byte, 1)
			for !stop.Load() {
				began := time.Now()
				c, err := r.dial()
				if err == nil {
					if _, err = c.Write(h); err == nil {
						_, err = io.ReadFull(c, b)
					}
					c.Close()
				}
				if err != nil {
					mu.Lock()
					last = err
					mu.Unlock()
					time.Sleep(10 * time.Millisecond)
					continue
				}
				times.add(began, time.Now())
			}
		})
	}
	r.window(&s, times.n.Load)
	stop.Store(true)
	wg.Wait()
	times.fill(&s)
	if last != nil && s.Err == "" {
		s.Err = last.Error()
	}
	return s
}
