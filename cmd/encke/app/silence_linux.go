package app

import (
	"errors"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// listenConfig makes listeners whose connections end when the other side has acknowledged
// nothing for so long. A response that streams hears nothing from the page; without this
// the kernel would go on sending heartbeats to one that is gone for a quarter of an hour,
// and its session would live as long. What is accepted inherits the options, so that nobody
// has to set them for each.
func listenConfig(silence time.Duration) net.ListenConfig {
	options := []struct{ level, name, value int }{
		{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(silence.Milliseconds())},
		{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1}, // the values are those of package net
		{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 15},
		{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 15},
		{unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 9},
	}
	return net.ListenConfig{KeepAlive: -1, Control: func(_, _ string, c syscall.RawConn) error {
		var set []error
		err := c.Control(func(fd uintptr) {
			for _, o := range options {
				set = append(set, unix.SetsockoptInt(int(fd), o.level, o.name, o.value))
			}
		})
		return errors.Join(append(set, err)...)
	}}
}
