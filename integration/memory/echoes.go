package memory

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"encke/integration/backend"
	"encke/integration/peer"
)

// echoes are sessions that send a little and get it back, as long as they are asked to.
type echoes struct {
	mu   sync.Mutex
	took []time.Duration
}

// run starts a session for each transport that echoes 64 bytes every 50 ms until ctx is
// done.
func (e *echoes) run(ctx context.Context, t *testing.T, wg *sync.WaitGroup, base string, b *backend.Backend) {
	for _, transport := range peer.Transports() {
		wg.Go(func() {
			if err := e.session(ctx, peer.Options{Base: base, Transport: transport}, b); err != nil && ctx.Err() == nil {
				t.Errorf("a session beside: %s: %v", transport, err)
			}
		})
	}
}

func (e *echoes) session(ctx context.Context, opts peer.Options, b *backend.Backend) error {
	p, err := peer.Dial(ctx, opts)
	if err != nil {
		return err
	}
	defer p.Close()
	conn, err := p.Open(ctx, b.Host(), b.Port())
	if err != nil {
		return err
	}
	defer conn.Close()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	sent, got := make([]byte, 64), make([]byte, 64)
	for pos := int64(0); ; pos += 64 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		backend.Fill(sent, 5, pos)
		began := time.Now()
		_ = conn.SetDeadline(began.Add(time.Minute))
		if _, err := conn.Write(sent); err != nil {
			return err
		}
		if _, err := io.ReadFull(conn, got); err != nil {
			return fmt.Errorf("%w; the session: %v", err, p.Err())
		}
		if err := backend.Check(got, 5, pos); err != nil {
			return err
		}
		e.mu.Lock()
		e.took = append(e.took, time.Since(began))
		e.mu.Unlock()
	}
}

// take returns how long the echoes took since the last call.
func (e *echoes) take() times {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := times(e.took)
	e.took = nil
	slices.Sort(all)
	return all
}

// times are durations in the order of their size.
type times []time.Duration

func (s times) percentile(n int) time.Duration {
	if len(s) == 0 {
		return 0
	}
	return s[(len(s)-1)*n/100]
}
