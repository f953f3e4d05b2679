package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"encke/integration/backend"
	"encke/integration/browser"
	"encke/integration/proxy"
)

// TestLatency measures how long an echo of 64 bytes takes on each transport and logs a
// Markdown table. It judges nothing:
//
//	go test ./integration -run TestLatency -v
func TestLatency(t *testing.T) {
	const count, size = 200, 64
	var table strings.Builder
	fmt.Fprintf(&table, "Echo of %d bytes, one after the other, %d times; milliseconds.\n\n", size, count)
	for _, kind := range []browser.Kind{browser.Chromium, browser.Firefox} {
		fmt.Fprintf(&table, "| %s | p50 | p90 | p99 |\n|---|---|---|---|\n", launched(t, kind).Version)
		for _, transport := range proxy.Transports {
			t.Run(string(kind)+"/"+transport, func(t *testing.T) {
				b := backend.Echo(t)
				r := cell{kind, transport}.rig(t, list(b))
				var got struct {
					Took      []float64
					Transport string
				}
				r.run(&got, "latency", args{"port": b.Port(), "count": count, "size": size})
				if got.Transport != transport || len(got.Took) != count {
					t.Fatalf("%d echoes over %q, want %d over %q", len(got.Took), got.Transport, count, transport)
				}
				slices.Sort(got.Took)
				at := func(percent int) float64 { return got.Took[(count-1)*percent/100] }
				fmt.Fprintf(&table, "| %s | %.1f | %.1f | %.1f |\n", transport, at(50), at(90), at(99))
			})
		}
		table.WriteString("\n")
	}
	t.Logf("\n%s", &table)
}
