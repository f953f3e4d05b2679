//go:build unix && !linux

package rawconn

import "syscall"

func read(fd int, p []byte) (int, error) { return syscall.Read(fd, p) }

func writeOne(fd int, p []byte) (int, error) { return syscall.Write(fd, p) }

func writeMany(fd int, p [][]byte) (int, error) { return writeOne(fd, p[0]) }
