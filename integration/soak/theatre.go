package soak

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	"encke/integration/netns"
)

// theatre is the backend: it plays its part of each script.
type theatre struct {
	ln   net.Listener
	wg   sync.WaitGroup
	note func(int) // counts bytes checked

	mu    sync.Mutex
	ended map[uint64]chan error
	conns map[net.Conn]bool
}

// newTheatre listens on the loopback of a namespace, or of this machine's if it is nil.
func newTheatre(in *netns.Namespace, note func(int)) (*theatre, error) {
	h := &theatre{note: note, ended: make(map[uint64]chan error), conns: make(map[net.Conn]bool)}
	var err error
	listen := func() { h.ln, err = net.Listen("tcp4", "127.0.0.1:0") }
	if in == nil {
		listen()
	} else {
		in.Do(listen)
	}
	if err != nil {
		return nil, err
	}
	h.wg.Go(h.accept) // until close
	return h, nil
}

func (h *theatre) port() int { return h.ln.Addr().(*net.TCPAddr).Port }

func (h *theatre) accept() {
	for {
		conn, err := h.ln.Accept()
		if err != nil {
			return
		}
		h.mu.Lock()
		h.conns[conn] = true
		h.mu.Unlock()
		h.wg.Go(func() { // until its script is over or close closes conn
			defer func() {
				_ = conn.Close()
				h.mu.Lock()
				delete(h.conns, conn)
				h.mu.Unlock()
			}()
			_ = conn.SetDeadline(time.Now().Add(patience))
			s, err := readScript(conn)
			if err != nil {
				return // the page reset before it said what
			}
			h.end(s.id) <- h.play(conn.(*net.TCPConn), s)
		})
	}
}

// end is where the backend's end of a script is told.
func (h *theatre) end(id uint64) chan error {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.ended[id]
	if c == nil {
		c = make(chan error, 1)
		h.ended[id] = c
	}
	return c
}

func (h *theatre) forget(id uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.ended, id)
}

// open is the number of sockets that are open.
func (h *theatre) open() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.conns)
}

func (h *theatre) close() {
	_ = h.ln.Close()
	h.mu.Lock()
	for conn := range h.conns {
		_ = conn.Close()
	}
	h.mu.Unlock()
	h.wg.Wait()
}

// play plays the backend's part. nil: all went as it must.
func (h *theatre) play(conn *net.TCPConn, s script) error {
	free := func() {} // the page's side sets the pace
	sendAll := func() error {
		if err := send(conn, s.down, s.downLen, free); err != nil {
			return err
		}
		return conn.CloseWrite()
	}
	readAll := func() error {
		_, err := receive(conn, s.up, s.upLen, true, h.note)
		return err
	}
	switch s.act {
	case exchange:
		return both(conn, sendAll, readAll)
	case answer:
		if err := readAll(); err != nil {
			return err
		}
		return sendAll()
	case greet:
		if err := sendAll(); err != nil {
			return err
		}
		return readAll()
	case reset:
		if err := send(conn, s.down, s.downLen, free); err != nil {
			return err
		}
		if _, err := conn.Read(make([]byte, 1)); err != nil {
			return err
		}
		return conn.SetLinger(0)
	case leave:
		return readAll()
	case abort:
		// It must end, by a reset, and what came is right as far as it came.
		err := both(conn, sendAll, readAll)
		if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed) && !isTimeout(err) {
			return nil
		}
		return fmt.Errorf("an aborted socket ended otherwise: %w", err)
	}
	return fmt.Errorf("no act %d", s.act)
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}
