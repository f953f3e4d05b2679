//go:build unix && (!linux || race)

package rawconn

import "syscall"

// Ordinary calls, which the race detector knows; the descriptor does not block.

func read(fd int, p []byte) (int, error) { return syscall.Read(fd, p) }

func writeOne(fd int, p []byte) (int, error) { return syscall.Write(fd, p) }
