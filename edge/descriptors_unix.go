//go:build unix

package edge

import (
	"math"
	"os"
	"syscall"
)

func softLimit() int {
	var r syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r) != nil {
		return 1024
	}
	return int(min(uint64(r.Cur), math.MaxInt32))
}

// openNow counts the open descriptors; where they cannot be counted, those every
// process has.
func openNow() int {
	for _, dir := range []string{"/proc/self/fd", "/dev/fd"} {
		if names, err := os.ReadDir(dir); err == nil {
			return len(names)
		}
	}
	return 3
}
