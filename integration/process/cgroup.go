package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Where the memory controller of cgroups is mounted: the first version of them and the
// second.
const (
	v1 = "/sys/fs/cgroup/memory"
	v2 = "/sys/fs/cgroup"
)

// Cgroup bounds the memory of its processes: what goes beyond it is killed.
type Cgroup struct {
	dir   string
	first bool // of the first version
}

// NewCgroup makes a group that may have so many bytes. It goes with t, after the
// processes in it have. It skips t, and says why, where there can be none.
func NewCgroup(t testing.TB, bytes int64) *Cgroup {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: a memory limit for a process needs root")
	}
	g := &Cgroup{first: exists(v1)}
	base := v2
	switch {
	case g.first:
		base = v1
	case !exists(v2 + "/cgroup.controllers"):
		t.Skip("SKIPPED: there are no cgroups here")
	}
	g.dir = filepath.Join(base, fmt.Sprintf("encke-test-%d-%d", os.Getpid(), time.Now().UnixNano()))
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		t.Skipf("SKIPPED: no cgroup can be made: %v", err)
	}
	t.Cleanup(func() { g.remove(t) })
	limit, text := "memory.max", strconv.FormatInt(bytes, 10)
	if g.first {
		limit = "memory.limit_in_bytes"
	}
	if !exists(filepath.Join(g.dir, limit)) {
		t.Skip("SKIPPED: the memory controller is not on here")
	}
	g.write(t, limit, text)
	return g
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (g *Cgroup) write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(g.dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Path is the group's folder. A shell that writes its id to cgroup.procs in it is in the
// group, with all that it becomes.
func (g *Cgroup) Path() string { return g.dir }

// Add puts a process into the group. What it has already does not count.
func (g *Cgroup) Add(t testing.TB, p Process) {
	t.Helper()
	g.write(t, "cgroup.procs", strconv.Itoa(int(p)))
}

// Used is what counts towards the bound now, in bytes: resident memory, and what the
// kernel holds for the processes.
func (g *Cgroup) Used() int64 {
	name := "memory.current"
	if g.first {
		name = "memory.usage_in_bytes"
	}
	text, _ := os.ReadFile(filepath.Join(g.dir, name))
	n, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n
}

// remove waits for the kernel to let go of the processes that ended.
func (g *Cgroup) remove(t testing.TB) {
	var err error
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if err = os.Remove(g.dir); err == nil {
			return
		}
	}
	t.Errorf("a cgroup is left over: %v", err)
}
