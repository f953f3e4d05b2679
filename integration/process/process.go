package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Process is a process by its id.
type Process int

func (p Process) path(name string) string { return fmt.Sprintf("/proc/%d/%s", int(p), name) }

// Memory is the resident memory in bytes, 0 when the process is gone.
func (p Process) Memory() int64 { return p.status("VmRSS") }

// PeakMemory is the most that Memory has been.
func (p Process) PeakMemory() int64 { return p.status("VmHWM") }

func (p Process) status(field string) int64 {
	text, _ := os.ReadFile(p.path("status"))
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			kib, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10
		}
	}
	return 0
}

// Files is the number of open descriptors, 0 when the process is gone.
func (p Process) Files() int {
	entries, _ := os.ReadDir(p.path("fd"))
	return len(entries)
}

// tick is the unit of times in /proc, the same on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// CPU is the processor time that the process has used so far, to 10 ms.
func (p Process) CPU() time.Duration {
	fields := p.stat()
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * tick
}

// stat returns the fields of /proc/PID/stat behind the name, of which state is the first.
func (p Process) stat() []string {
	text, _ := os.ReadFile(p.path("stat"))
	if end := bytes.LastIndexByte(text, ')'); end >= 0 {
		return strings.Fields(string(text[end+1:]))
	}
	return nil
}

// Stop stops all threads and returns when they have stopped.
func (p Process) Stop(t testing.TB) {
	t.Helper()
	if err := unix.Kill(int(p), unix.SIGSTOP); err != nil {
		t.Fatalf("stop process %d: %v", p, err)
	}
	for end := time.Now().Add(time.Minute); !p.stopped(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("process %d has not stopped after a minute", p)
		}
	}
}

func (p Process) stopped() bool {
	threads, err := os.ReadDir(p.path("task"))
	if err != nil {
		return false
	}
	for _, thread := range threads {
		text, _ := os.ReadFile(p.path("task/" + thread.Name() + "/stat"))
		end := bytes.LastIndexByte(text, ')')
		if end < 0 || end+2 >= len(text) || text[end+2] != 'T' {
			return false
		}
	}
	return true
}

// Continue ends Stop.
func (p Process) Continue() { _ = unix.Kill(int(p), unix.SIGCONT) }

// Signal sends a signal.
func (p Process) Signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := unix.Kill(int(p), s); err != nil {
		t.Fatalf("send %v to process %d: %v", s, p, err)
	}
}

// LimitFiles lets the process have at most n descriptors; those it has it keeps. It
// returns a function that puts the old limit back.
func (p Process) LimitFiles(t testing.TB, n int) (restore func()) {
	t.Helper()
	var old unix.Rlimit
	if err := unix.Prlimit(int(p), unix.RLIMIT_NOFILE, nil, &old); err != nil {
		t.Fatalf("limit of descriptors of process %d: %v", p, err)
	}
	limit := unix.Rlimit{Cur: uint64(n), Max: old.Max} // the hard one could not be raised again
	if err := unix.Prlimit(int(p), unix.RLIMIT_NOFILE, &limit, nil); err != nil {
		t.Fatalf("limit process %d to %d descriptors: %v", p, n, err)
	}
	return func() { _ = unix.Prlimit(int(p), unix.RLIMIT_NOFILE, &old, nil) }
}
