package main

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"encke/rawconn"
)

// role is what a connection to the backend does. The first 8 bytes of each connection
// say it, so that a proxy with one fixed destination can run every scenario.
type role byte

const (
	roleEcho  role = 'E' // echo everything behind the header
	roleBulk  role = 'D' // send writes of 64 KiB until closed
	roleSink  role = 'U' // swallow everything and count it
	roleFlood role = 'M' // send 64-byte messages, a write each, as fast as one thread can
	rolePaced role = 'P' // send one 64-byte message each arg microseconds
)

// header returns the 8 bytes that a connection begins with.
func header(r role, arg uint32) []byte {
	h := make([]byte, 8)
	h[0] = byte(r)
	binary.BigEndian.PutUint32(h[4:], arg)
	return h
}

// echoing is what a connection begins with whose first echoed byte is awaited.
func echoing() []byte { return append(header(roleEcho, 0), 'x') }

// backend is the TCP server behind all proxies, in this process.
type backend struct {
	addr  string
	sunk  atomic.Int64 // bytes that roleSink connections took
	open  atomic.Int64 // connections that are open now
	flood flooder

	mu   sync.Mutex
	live map[net.Conn]struct{}
}

// startBackend listens on addr and serves until the process ends.
func startBackend(addr string) (*backend, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	b := &backend{addr: ln.Addr().String(), live: map[net.Conn]struct{}{}}
	go b.flood.run()
	go b.accept(ln)
	return b, nil
}

func (b *backend) accept(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			time.Sleep(time.Millisecond) // out of descriptors: some are being closed
			continue
		}
		c := rawconn.NewTCPConn(conn.(*net.TCPConn))
		b.open.Add(1)
		b.mu.Lock()
		b.live[c] = struct{}{}
		b.mu.Unlock()
		go func() { // until c is closed
			b.serve(c)
			c.Close()
			b.mu.Lock()
			delete(b.live, c)
			b.mu.Unlock()
			b.open.Add(-1)
		}()
	}
}

// settle waits until the proxies have closed their connections and closes whatever is
// left, so that one cell does not run into the next.
func (b *backend) settle() {
	for i := 0; i < 80 && b.open.Load() > 0; i++ {
		time.Sleep(10 * time.Millisecond)
	}
	b.mu.Lock()
	for c := range b.live {
		c.Close()
	}
	b.mu.Unlock()
	time.Sleep(50 * time.Millisecond)
}

func (b *backend) serve(c rawconn.TCPConn) {
	var h [8]byte
	if _, err := io.ReadFull(c, h[:]); err != nil {
		return
	}
	switch role(h[0]) {
	case roleEcho:
		echo(c)
	case roleBulk:
		for {
			if _, err := c.Write(payload); err != nil {
				return
			}
		}
	case roleSink:
		buf := make([]byte, 64<<10)
		for {
			n, err := c.Read(buf)
			b.sunk.Add(int64(n))
			if err != nil {
				return
			}
		}
	case roleFlood:
		b.flood.serve(c.TCPConn)
	case rolePaced:
		pace(c, time.Duration(binary.BigEndian.Uint32(h[4:]))*time.Microsecond)
	}
}

func echo(c net.Conn) {
	buf := make([]byte, 1024) // small: thousands of them are open at a time
	for {
		n, err := c.Read(buf)
		if n > 0 {
			if _, err := c.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// pace writes a message each step, beginning anywhere within the first one, so that
// connections opened together do not write together.
func pace(c net.Conn, step time.Duration) {
	next := time.Now().Add(time.Duration(random() % uint64(step)))
	go func() { // until c is closed
		io.Copy(io.Discard, c)
		c.Close()
	}()
	for {
		time.Sleep(time.Until(next))
		next = next.Add(step)
		if _, err := c.Write(payload[:messageSize]); err != nil {
			return
		}
	}
}
