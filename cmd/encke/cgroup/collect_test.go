package cgroup_test

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"

	"encke/cmd/encke/cgroup"
)

// With little in use garbage is collected rarely, and what it takes to have it so is no
// large part of a small memory.
func TestCollect(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	t.Setenv("GOGC", "")
	ballast := cgroup.Collect(0)
	runtime.GC()
	s := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}, {Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	if room := int64(s[0].Value.Uint64()) - int64(s[1].Value.Uint64()); room < 16<<20 || room > 32<<20 {
		t.Errorf("%d bytes of garbage may lie about, want 16 MiB and a little", room)
	}
	runtime.KeepAlive(ballast)
	if n := len(cgroup.Collect(64 << 20)); n != 4<<20 {
		t.Errorf("a ballast of %d bytes for a limit of 64 MiB, want 4 MiB", n)
	}
	t.Setenv("GOGC", "100")
	if n := len(cgroup.Collect(0)); n != 0 {
		t.Errorf("a ballast of %d bytes though GOGC is set", n)
	}
}
