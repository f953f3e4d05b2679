package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// lengths are how long everything takes.
type lengths struct {
	measured, warm, settle, idle time.Duration
	touch                        int // bytes that each idle session echoes before memory is read
}

// of is how long a cell of the scenario is measured.
func (l lengths) of(sc scenario) time.Duration {
	if sc.long {
		return 3 * l.measured
	}
	return l.measured
}

// running is a peer that was started.
type running struct {
	*peer
	lengths lengths
	network *network
	process *process
	backend *backend
	dial    dialer
}

// start starts a peer, waits until a byte comes back through it, and checks that all
// bytes do.
func (p *peer) run(b *backend, l launch, len lengths, verbose bool) (*running, error) {
	host, port, err := net.SplitHostPort(b.addr)
	if err != nil {
		return nil, err
	}
	if l.port, err = freePort(); err != nil {
		return nil, err
	}
	l.backendHost = host
	l.backendPort, _ = strconv.Atoi(port)
	r := &running{peer: p, lengths: len, process: &process{verbose: verbose}, backend: b,
		network: &network{backendHost: host, backendPort: uint16(l.backendPort)}}
	target, err := p.start(r.process, l)
	if err == nil {
		var u *url.URL
		if u, err = url.Parse(target); err == nil {
			r.dial = p.dial(r.network, u)
			err = r.await()
		}
	}
	if err == nil {
		err = r.verify()
	}
	if err != nil {
		r.process.stop()
		return nil, err
	}
	b.settle()
	return r, nil
}

// await waits until the proxy listens.
func (r *running) await() error {
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		streams, err := r.open(1, echoing())
		if err == nil {
			closeAll(streams)
			return nil
		}
		if time.Now().After(until) {
			return err
		}
	}
}

// verify echoes messages of many sizes and compares every byte.
func (r *running) verify() error {
	streams, err := r.open(1, header(roleEcho, 0))
	if err != nil {
		return err
	}
	defer closeAll(streams)
	s := streams[0]
	timer := time.AfterFunc(10*time.Second, func() { closeAll(streams) })
	defer timer.Stop()
	for _, size := range []int{1, 2, 7, 64, 125, 126, 127, 1000, 4093, 8191, 32768, 65535, 65536} {
		n := 1
		if size < 1000 {
			n = 21
		}
		want := bytes.Repeat(payload[:size], n)
		sent := make(chan error, 1)
		go func() { sent <- repeat(s, payload[:size], n) }()
		got := make([]byte, len(want))
		if _, err := io.ReadFull(s, got); err != nil {
			return fmt.Errorf("echo of %d bytes: %w", size, err)
		}
		if !bytes.Equal(got, want) {
			return fmt.Errorf("%d messages of %d bytes came back altered", n, size)
		}
		if err := <-sent; err != nil {
			return fmt.Errorf("send of %d bytes: %w", size, err)
		}
	}
	return nil
}

// open opens n streams, sends each the header, awaits the echo of what is behind it, and
// starts each function with the stream.
func (r *running) open(n int, h []byte, each ...func(stream)) ([]stream, error) {
	streams := make([]stream, n)
	err := some(n, func(i int) error {
		s, err := r.dial()
		if err == nil {
			streams[i] = s
			_, err = s.Write(h)
		}
		if err == nil && role(h[0]) == roleEcho && len(h) > 8 {
			_, err = io.ReadFull(s, make([]byte, len(h)-8))
		}
		if err != nil {
			return err
		}
		for _, f := range each {
			go f(s) // until s is closed
		}
		return nil
	})
	if err != nil {
		closeAll(streams)
	}
	return streams, err
}

func closeAll(streams []stream) {
	_ = some(len(streams), func(i int) error {
		if streams[i] != nil {
			streams[i].Close()
		}
		return nil
	})
}

// some calls do of 0 to n-1, some at a time, and returns the first error. Whoever has one
// does not go on.
func some(n int, do func(i int) error) error {
	const atATime = 16
	var next atomic.Int64
	var wg sync.WaitGroup
	var once sync.Once
	var first error
	for range min(n, atATime) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := do(i); err != nil {
					once.Do(func() { first = fmt.Errorf("stream %d: %w", i, err) })
					return
				}
			}
		})
	}
	wg.Wait()
	return first
}

// guard calls measure and gives up when it takes longer than patience, which is a proxy
// that hangs, or when the run is interrupted. What measure has started goes on then, until
// the peer's processes are stopped.
func guard[T any](patience time.Duration, interrupted <-chan struct{}, measure func() T) (result T, err error) {
	done := make(chan T, 1)
	go func() { done <- measure() }() // until it ends or the peer does
	select {
	case result = <-done:
	case <-interrupted:
		err = errInterrupted
	case <-time.After(patience):
		err = errors.New("timed out")
	}
	return result, err
}
