package memory

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// sample is what the proxy was at a time.
type sample struct {
	at     time.Duration // since the load was complete
	memory int64         // resident, bytes
	files  int
	cpu    time.Duration // used since the process began
}

// curve is a series of samples.
type curve []sample

// write puts the curve into a file as comma-separated values.
func (c curve) write(path string) error {
	var out strings.Builder
	out.WriteString("seconds,resident_bytes,descriptors,cpu_seconds\n")
	for _, s := range c {
		fmt.Fprintf(&out, "%.0f,%d,%d,%.2f\n", s.at.Seconds(), s.memory, s.files, s.cpu.Seconds())
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(out.String()), 0o644)
}

// most is the largest memory of all samples.
func (c curve) most() int64 {
	var most int64
	for _, s := range c {
		most = max(most, s.memory)
	}
	return most
}

// median is the memory of the middle sample by size.
func (c curve) median() int64 {
	if len(c) == 0 {
		return 0
	}
	all := make([]int64, len(c))
	for i, s := range c {
		all[i] = s.memory
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// parts cuts the curve into n pieces of the same length.
func (c curve) parts(n int) []curve {
	var all []curve
	for i := range n {
		all = append(all, c[len(c)*i/n:len(c)*(i+1)/n])
	}
	return all
}
