package main

import (
	"bytes"
	"net"
	"net/url"
	"sync/atomic"
	"syscall"

	"encke/rawconn"
)

// network gives the clients of one peer their TCP connections and counts the bytes on
// them.
type network struct {
	backendHost     string // what clients that name their destination ask for
	backendPort     uint16
	wireIn, wireOut atomic.Int64

	source atomic.Uint32
}

// sources is how many loopback addresses clients have in turn, so that ports do not run out.
const sources = 64

// client returns the address of one more client.
func (n *network) client() *net.TCPAddr {
	return &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(2+n.source.Add(1)%sources))}
}

// dial connects a client to addr.
func (n *network) dial(client *net.TCPAddr, addr string) (*countedConn, error) {
	d := net.Dialer{
		LocalAddr: client,
		Control: func(_, _ string, raw syscall.RawConn) error {
			const ipBindAddressNoPort = 24 // choose the port at connect
			return raw.Control(func(fd uintptr) {
				syscall.SetsockoptInt(int(fd), syscall.SOL_IP, ipBindAddressNoPort, 1)
			})
		},
	}
	c, err := d.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &countedConn{Conn: rawconn.NewTCPConn(c.(*net.TCPConn)), network: n}, nil
}

// dialTCP speaks nothing: a proxy in TCP mode, or the backend itself.
func dialTCP(n *network, u *url.URL) dialer {
	return func() (stream, error) { return n.dial(n.client(), u.Host) }
}

// countedConn is a connection of a network.
type countedConn struct {
	net.Conn
	network  *network
	repeated []byte
}

// Repeat implements repeater.
func (c *countedConn) Repeat(p []byte, n int) error {
	if len(c.repeated) != n*len(p) {
		c.repeated = bytes.Repeat(p, n)
	}
	_, err := c.Write(c.repeated)
	return err
}

func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.network.wireIn.Add(int64(n))
	return n, err
}

// last sends p together with the end, which Close then must bring about: both go in one
// segment. An error does not matter to who leaves.
func (c *countedConn) last(p []byte) {
	raw, err := c.Conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return
	}
	raw.Write(func(fd uintptr) bool {
		syscall.SendmsgN(int(fd), p, nil, nil, syscall.MSG_MORE)
		return true
	})
	c.network.wireOut.Add(int64(len(p)))
}

func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.network.wireOut.Add(int64(n))
	return n, err
}
