package tcpsocket

import (
	"bytes"
	"context"
	"net"
	"runtime"
	"testing"

	"encke/cause"
	"encke/whitelist"
)

// What the parser allocates is bounded by what came, not by what was announced.
func TestParserAllocatesByInput(t *testing.T) {
	most := []byte{0xff, 0xff, 0x3f} // 1,048,575
	for name, input := range map[string][]byte{
		"announced DATA":    append([]byte{3, 1}, most...),
		"announced host":    append([]byte{1, 1, 0, 80}, most...),
		"announced options": append([]byte{1, 1, 0, 80, 1, 'a'}, most...),
		"announced option":  append([]byte{1, 1, 0, 80, 1, 'a', 1, 1}, most...),
		"announced text":    append([]byte{7, 1, 0}, most...),
		"many frames":       bytes.Repeat([]byte{5, 1}, 50_000),
		"many windows":      bytes.Repeat([]byte{4, 1, 1}, 50_000),
		"DATA in bytes":     bytes.Repeat([]byte{3, 1, 1, 'x'}, 20_000),
	} {
		least := ^uint64(0)
		for range 5 { // what else runs in the process is not the parser's
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var p parser
			var f Frame
			for at := 0; at < len(input) && p.feed(input[at:min(at+1000, len(input))], &f, func(*Frame) error { return nil }) == nil; at += 1000 {
			}
			runtime.ReadMemStats(&after)
			least = min(least, after.TotalAlloc-before.TotalAlloc)
		}
		if limit := uint64(4*len(input) + 16<<10); least > limit {
			t.Errorf("%s, %d bytes, allocates %d; want at most %d", name, len(input), least, limit)
		}
	}
}

// A page that sends its window in frames of one byte costs the space for so many pieces
// while they are handled, not as long as its socket lives.
func TestSmallFramesAreForgotten(t *testing.T) {
	down := newWire(1 << 20)
	v := NewServer(dialFunc(func(ctx context.Context, _ whitelist.Dest, _ OpenOptions) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}), Options{})
	m := v.Mux(down, Caller{})
	defer v.Wait()
	defer m.Closed(cause.SessionLost.Err())
	open := (&Frame{Type: Open, Socket: 1, N: 1 << 16, Host: []byte("example.org"), Port: 80}).buffer()
	defer open.Release()
	if err := m.Receive([][]byte{open.Bytes(), bytes.Repeat([]byte{3, 1, 1, 'x'}, firstWindow)}); err != nil {
		t.Fatal(err)
	}
	m.mu.Lock()
	s := m.sockets[1]
	m.mu.Unlock()
	if s.queued != firstWindow {
		t.Fatalf("%d bytes wait for the backend, want %d", s.queued, firstWindow)
	}
	if s.batch != nil {
		t.Errorf("space for %d pieces is kept", cap(*s.batch))
	}
}
