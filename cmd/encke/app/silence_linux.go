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
// and its session would live as long.
func listenConfig(silence time.Duration) net.ListenConfig {
	return net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var set error
		err := c.Control(func(fd uintptr) { // what is accepted inherits it
			set = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(silence.Milliseconds()))
		})
		return errors.Join(err, set)
	}}
}
