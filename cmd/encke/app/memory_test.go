package app

import (
	"runtime/debug"
	"testing"
)

func TestBufferBudgetFollowsTheMemoryLimit(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	if n := bufferBudget(); n < 64<<20 {
		t.Errorf("%d bytes, by the memory of this machine", n)
	}
	debug.SetMemoryLimit(8 << 30)
	if n := bufferBudget(); n != 2<<30 {
		t.Errorf("%d bytes of a limit of 8 GiB, want a quarter", n)
	}
	debug.SetMemoryLimit(32 << 20)
	if n := bufferBudget(); n != leastBudget {
		t.Errorf("%d bytes of a limit of 32 MiB, want %d", n, leastBudget)
	}
}
