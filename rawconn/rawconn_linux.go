package rawconn

import "golang.org/x/sys/unix"

func writeBoth(fd int, p *[2][]byte) (int, error) { return unix.Writev(fd, p[:]) }
