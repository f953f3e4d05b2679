// Package cgroup says how much memory the process may use, so that it collects garbage
// in time instead of being killed, and gives back what it no longer uses. It imports
// nothing of ours.
package cgroup

import (
	"io/fs"
	"math"
	"os"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
)

// LimitMemory makes the Go runtime keep within 90 % of the memory limit of the
// control group, unless GOMEMLIMIT says something else. It returns the limit that
// holds now in bytes, or 0 if there is none.
func LimitMemory() int64 {
	if os.Getenv("GOMEMLIMIT") == "" {
		if limit := Memory(os.DirFS("/")); limit > 0 {
			debug.SetMemoryLimit(limit / 10 * 9)
		}
	}
	if limit := debug.SetMemoryLimit(-1); limit < math.MaxInt64 {
		return limit
	}
	return 0
}

// Memory returns the smallest memory limit of the process's control group and those
// above it in bytes, as the files below root tell, or 0 if there is none. Both
// versions of control groups are understood.
func Memory(root fs.FS) int64 {
	own, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return 0
	}
	var smallest int64
	for line := range strings.Lines(string(own)) { // ID:CONTROLLERS:PATH
		part := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(part) != 3 {
			continue
		}
		mount, file := "", ""
		switch {
		case part[1] == "":
			mount, file = "sys/fs/cgroup", "memory.max"
		case strings.Contains(","+part[1]+",", ",memory,"):
			mount, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		default:
			continue
		}
		// In a container the path may name what only the host sees; the
		// container's own group is then at the mount itself.
		for dir := path.Clean("/" + part[2]); ; dir = path.Dir(dir) {
			if n := read(root, path.Join(mount, dir, file)); n > 0 && (smallest == 0 || n < smallest) {
				smallest = n
			}
			if dir == "/" {
				break
			}
		}
	}
	return smallest
}

// unlimited is what version 1 says at least when there is no limit.
const unlimited = 1 << 62

func read(root fs.FS, name string) int64 {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64) // "max" is no number
	if err != nil || n >= unlimited {
		return 0
	}
	return n
}
