package faults

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"encke/integration/backend"
	"encke/integration/peer"
	"encke/integration/proxy"
	"encke/tcpsocket"
)

// fewCuts is how many cuts the ordinary tests make.
const fewCuts = 700

// resumed is what became of the cuts of one session.
type resumed struct {
	Transport string  `json:"transport"`
	Cuts      int     `json:"cuts"`
	Resumed   int     `json:"resumed"` // cuts after which bytes went both ways again, in the same session
	Bytes     int64   `json:"bytes"`   // checked, each way
	MedianMs  float64 `json:"medianMs"`
	WorstMs   float64 `json:"worstMs"` // from the cut to the last byte of an echo

	took []time.Duration
	err  error
}

// TestResume cuts one session on each transport CUTS times in all, the sessions side by
// side, and checks that every time the same session goes on and each byte is in its
// place. A cut resets all TCP connections of the session, in turn while nothing is under
// way, while bytes are on their way up, and while they are on their way down.
func TestResume(t *testing.T) {
	total := fewCuts
	if text := os.Getenv("CUTS"); text != "" {
		var err error
		if total, err = strconv.Atoi(text); err != nil {
			t.Fatalf("CUTS: %v", err)
		}
	}
	t.Logf("SEED=%d, %d cuts", seed, total)
	x := encke(t).Start(t, proxy.Options{Allow: []string{"127.0.0.1:*"}})
	b := backend.Echo(t)
	all := make([]resumed, len(transports))
	each := (total + len(transports) - 1) / len(transports)
	var sessions sync.WaitGroup
	for i, transport := range transports {
		sessions.Go(func() { // until each cut is made, or the session is lost
			rng := rand.New(rand.NewPCG(uint64(seed), uint64(i)))
			all[i] = cutAndResume(t, "http://"+x.Addr, transport, b, uint32(i+1), rng, each)
		})
	}
	sessions.Wait()
	cuts, back := 0, 0
	for _, r := range all {
		cuts, back = cuts+r.Cuts, back+r.Resumed
		t.Logf("%-16s %6d cuts, %6d resumed, %9d bytes each way, median %.2f ms, worst %.1f ms", r.Transport, r.Cuts, r.Resumed, r.Bytes, r.MedianMs, r.WorstMs)
		if r.err != nil {
			t.Errorf("%s: %v", r.Transport, r.err)
		}
	}
	fmt.Printf("resumed %d of %d cuts: %.3f %%, one session on each of %d transports\n", back, cuts, 100*float64(back)/float64(cuts), len(all))
	if back != cuts || cuts < total {
		t.Errorf("%d cuts, resumed after %d; want %d", cuts, back, total)
	}
	out := filepath.Join("..", "out")
	if err := os.MkdirAll(out, 0o755); err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(map[string]any{"seed": seed, "cuts": cuts, "resumed": back, "sessions": all}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(out, "resume.json"), text, 0o644); err != nil {
		t.Fatal(err)
	}
}

func cutAndResume(t *testing.T, base, transport string, b *backend.Backend, key uint32, rng *rand.Rand, cuts int) (r resumed) {
	r.Transport = transport
	p, err := peer.Dial(t.Context(), peer.Options{Base: base, Transport: transport, FreshConns: true})
	if err != nil {
		r.err = err
		return r
	}
	defer p.Close()
	conn, err := p.Open(t.Context(), b.Host(), b.Port())
	if err != nil {
		r.err = err
		return r
	}
	id := p.ID()
	for r.Cuts < cuts && r.err == nil {
		n := 1 + rng.IntN(300)
		if rng.IntN(20) == 0 {
			n = 1 + rng.IntN(30_000)
		}
		began := time.Now()
		r.Cuts++
		if r.err = cutOnce(p, conn, key, r.Bytes, n, rng.IntN(3)); r.err == nil && p.ID() != id {
			r.err = fmt.Errorf("the session is another one")
		}
		if r.err != nil {
			r.err = fmt.Errorf("cut %d: %w; the session: %v; %+v", r.Cuts, r.err, p.Err(), p.Stats())
			break
		}
		r.Resumed++
		r.Bytes += int64(n)
		r.took = append(r.took, time.Since(began))
	}
	if len(r.took) > 0 {
		slices.Sort(r.took)
		r.MedianMs = float64(r.took[len(r.took)/2].Microseconds()) / 1000
		r.WorstMs = float64(r.took[len(r.took)-1].Microseconds()) / 1000
	}
	return r
}

// cutOnce cuts before, in or after the sending of n bytes, of which each must come back.
func cutOnce(p *peer.Peer, conn *tcpsocket.Conn, key uint32, pos int64, n, when int) error {
	data, got := make([]byte, n), make([]byte, n)
	backend.Fill(data, key, pos)
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	half := n / 2
	if when == 0 {
		p.Cut()
	}
	if _, err := conn.Write(data[:half]); err != nil {
		return err
	}
	if when == 1 {
		p.Cut()
	}
	if _, err := conn.Write(data[half:]); err != nil {
		return err
	}
	if when == 2 {
		if _, err := io.ReadFull(conn, got[:half]); err != nil {
			return err
		}
		p.Cut()
		if _, err := io.ReadFull(conn, got[half:]); err != nil {
			return err
		}
		return backend.Check(got, key, pos)
	}
	if _, err := io.ReadFull(conn, got); err != nil {
		return err
	}
	return backend.Check(got, key, pos)
}
