package main

import (
	"io"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"
)

// flooder sends each of its connections a message in turn, each with a write of its own,
// skipping those that are full. It is one goroutine, so that a hundred busy writers do
// not take the processors from the proxy and the clients.
type flooder struct {
	mu    sync.Mutex
	conns []syscall.RawConn // replaced, never changed
}

// serve floods c until it is closed.
func (f *flooder) serve(c *net.TCPConn) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	c.SetWriteBuffer(64 << 10)
	f.mu.Lock()
	f.conns = append(slices.Clip(f.conns), raw)
	f.mu.Unlock()
	io.Copy(io.Discard, c)
	f.mu.Lock()
	if i := slices.Index(f.conns, raw); i >= 0 {
		f.conns = slices.Delete(slices.Clone(f.conns), i, i+1)
	}
	f.mu.Unlock()
}

// run writes for ever.
func (f *flooder) run() {
	for {
		f.mu.Lock()
		conns := f.conns
		f.mu.Unlock()
		if len(conns) == 0 {
			time.Sleep(time.Millisecond)
			continue
		}
		wrote := false
		for range 64 {
			for _, raw := range conns {
				raw.Write(func(fd uintptr) bool {
					n, _ := syscall.Write(int(fd), payload[:messageSize])
					wrote = wrote || n > 0
					return true
				})
			}
		}
		if !wrote {
			time.Sleep(50 * time.Microsecond)
		}
	}
}
