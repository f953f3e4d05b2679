package app

import (
	"bufio"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// leastBudget is a budget with which the proxy can work at all.
const leastBudget = 16 << 20

// bufferBudget returns how many bytes all sessions together may queue and keep,
// when the operator does not say: a quarter of the memory limit. The rest is for
// what is not counted (sessions and sockets themselves, TLS, the collector).
func bufferBudget() int64 { return max(memoryLimit()/4, leastBudget) }

// memoryLimit returns the bytes that the process may use: the limit of the Go
// runtime (GOMEMLIMIT), or the memory of the machine, or 1 GiB if that is not known.
func memoryLimit() int64 {
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		return limit
	}
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 1 << 30
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "MemTotal:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(rest, "kB")), 10, 64)
			if err == nil {
				return kib << 10
			}
		}
	}
	return 1 << 30
}
