package csp_test

import (
	"bytes"
	"runtime"
	"testing"

	"encke/csp"
)

// allocated returns how many bytes f allocates, at most, of several runs' least: what
// else runs in the process is not f's.
func allocated(f func()) uint64 {
	least := ^uint64(0)
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}

// What a parser allocates is bounded by what came, not by what was announced.
func TestParsersAllocateByInput(t *testing.T) {
	nothing := func(*csp.Record) error { return nil }
	most := []byte{0xff, 0xff, 0x3f} // 1,048,575
	for name, input := range map[string][]byte{
		"announced DATA":        append([]byte{4, 1, 5}, most...),
		"announced session id":  append([]byte{2}, most...),
		"announced text":        append([]byte{10, 0, 0}, most...),
		"largest number":        {7, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f},
		"many NOPs":             make([]byte, 100_000),
		"many empty packets":    append([]byte{4, 1}, bytes.Repeat([]byte{5, 0}, 50_000)...),
		"nested arrays as text": bytes.Repeat([]byte("["), 100_000),
		"many items as text":    append([]byte(`["ping"`), bytes.Repeat([]byte(`,["ping"]`), 10_000)...),
		"escapes as text":       append([]byte(`[[1,0,"`), bytes.Repeat([]byte(`\u00ff`), 20_000)...),
	} {
		limit := uint64(4*len(input) + 16<<10)
		for parser, parse := range map[string]func(){
			"Parse":     func() { csp.Parse(input, 1, nothing) },
			"ParseText": func() { csp.ParseText(input, nothing) },
			"Decoder": func() {
				var d csp.Decoder
				for at := 0; at < len(input) && d.Feed(input[at:min(at+1000, len(input))], nothing) == nil; at += 1000 {
				}
			},
		} {
			if got := allocated(parse); got > limit {
				t.Errorf("%s of %s, %d bytes, allocates %d; want at most %d", parser, name, len(input), got, limit)
			}
		}
	}
}
