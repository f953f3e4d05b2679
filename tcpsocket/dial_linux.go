package tcpsocket

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// connectWithData has the handshake of a connection end with the first data, which is at
// hand, instead of a segment of its own: the backend has them when it accepts. HAProxy calls
// it tcp-smart-connect. Until acknowledgeAtOnce is called, the kernel keeps acknowledgements
// back where nothing is sent that they could go with: 40 ms, that of the handshake 200 ms.
func connectWithData(c syscall.RawConn) { quickAck(c, 0) }

// acknowledgeAtOnce is for when the first data were written: a backend that writes its answer
// in pieces, with Nagle's algorithm, waits for the first to be acknowledged.
func acknowledgeAtOnce(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		if c, err := tcp.SyscallConn(); err == nil {
			quickAck(c, 1)
		}
	}
}

func quickAck(c syscall.RawConn, on int) {
	c.Control(func(fd uintptr) { unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, on) })
}
