//go:build unix && !linux

package rawconn

import "syscall"

func writeBoth(fd int, p *[2][]byte) (int, error) { return syscall.Write(fd, p[0]) }
