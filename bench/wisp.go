package main

import (
	"encoding/binary"
	"errors"
	"io"
	"net/url"
	"sync"
)

// Wisp v1: one WebSocket carries many streams.

// dialWisp opens a WebSocket for each stream.
func dialWisp(n *network, u *url.URL) dialer {
	return func() (stream, error) {
		s, err := openWisp(n, u)
		if err != nil {
			return nil, err
		}
		return s.open(true)
	}
}

// dialWispMux puts every stream on one WebSocket.
func dialWispMux(n *network, u *url.URL) dialer {
	var mu sync.Mutex
	var s *wispSession
	return func() (stream, error) {
		mu.Lock()
		defer mu.Unlock()
		if s == nil || s.dead() {
			var err error
			if s, err = openWisp(n, u); err != nil {
				return nil, err
			}
		}
		return s.open(false)
	}
}

const (
	wispConnect  = 1
	wispData     = 2
	wispContinue = 3 // credit
	wispClose    = 4
)

type wispSession struct {
	network *network
	ws      *wsConn
	mu      sync.Mutex
	streams map[uint32]*wispStream
	lastID  uint32
	credit  int // initial credit, from CONTINUE on stream 0
	err     error
}

type wispStream struct {
	*inbox
	s    *wispSession
	id   uint32
	solo bool // alone on its WebSocket
	out  []byte

	cmu    sync.Mutex
	ccond  *sync.Cond
	credit int // messages that may be sent
	closed bool
}

func openWisp(n *network, u *url.URL) (*wispSession, error) {
	ws, err := openWS(n, u, "")
	if err != nil {
		return nil, err
	}
	s := &wispSession{network: n, ws: ws, streams: map[uint32]*wispStream{}}
	m, _, err := ws.readMessage(nil)
	if err == nil && (len(m) < 9 || m[0] != wispContinue) {
		err = errors.New("wisp: no initial CONTINUE")
	}
	if err != nil {
		ws.Close()
		return nil, err
	}
	s.credit = int(binary.LittleEndian.Uint32(m[5:]))
	go s.read()
	return s, nil
}

func (s *wispSession) dead() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err != nil
}

func (s *wispSession) read() {
	var buf []byte
	var err error
	for {
		if buf, _, err = s.ws.readMessage(buf[:0]); err != nil {
			break
		}
		if len(buf) < 5 {
			continue
		}
		id := binary.LittleEndian.Uint32(buf[1:])
		s.mu.Lock()
		st := s.streams[id]
		s.mu.Unlock()
		if st == nil {
			continue
		}
		switch buf[0] {
		case wispData:
			st.Put(buf[5:])
		case wispContinue:
			st.cmu.Lock()
			st.credit = int(binary.LittleEndian.Uint32(buf[5:]))
			st.ccond.Broadcast()
			st.cmu.Unlock()
		case wispClose:
			st.end(io.EOF)
		}
	}
	s.mu.Lock()
	s.err = err
	for _, st := range s.streams {
		st.end(err)
	}
	s.mu.Unlock()
}

func (s *wispSession) open(solo bool) (stream, error) {
	s.mu.Lock()
	s.lastID++
	st := &wispStream{inbox: newInbox(), s: s, id: s.lastID, solo: solo, credit: s.credit}
	st.ccond = sync.NewCond(&st.cmu)
	s.streams[st.id] = st
	s.mu.Unlock()
	p := append(st.head(nil, wispConnect), 1)
	p = binary.LittleEndian.AppendUint16(p, s.network.backendPort)
	p = append(p, s.network.backendHost...)
	return st, s.ws.writeFrame(opBinary, p)
}

func (st *wispStream) head(b []byte, typ byte) []byte {
	return binary.LittleEndian.AppendUint32(append(b, typ), st.id)
}

func (st *wispStream) end(err error) {
	st.Fail(err)
	st.cmu.Lock()
	st.closed = true
	st.ccond.Broadcast()
	st.cmu.Unlock()
}

// take waits for credit and returns at most n of it.
func (st *wispStream) take(n int) (int, error) {
	st.cmu.Lock()
	defer st.cmu.Unlock()
	for st.credit <= 0 && !st.closed {
		st.ccond.Wait()
	}
	if st.closed {
		return 0, io.ErrClosedPipe
	}
	n = min(n, st.credit)
	st.credit -= n
	return n, nil
}

func (st *wispStream) Write(p []byte) (int, error) {
	if _, err := st.take(1); err != nil {
		return 0, err
	}
	st.out = append(st.head(st.out[:0], wispData), p...)
	return len(p), st.s.ws.writeFrame(opBinary, st.out)
}

// Repeat implements repeater.
func (st *wispStream) Repeat(p []byte, n int) error {
	frame := appendFrame(nil, opBinary, append(st.head(nil, wispData), p...))
	for n > 0 {
		k, err := st.take(n)
		if err != nil {
			return err
		}
		st.out = st.out[:0]
		for range k {
			st.out = append(st.out, frame...)
		}
		if err := st.s.ws.writeRaw(st.out); err != nil {
			return err
		}
		n -= k
	}
	return nil
}

func (st *wispStream) Close() error {
	st.end(io.ErrClosedPipe)
	if st.solo {
		return st.s.ws.Close()
	}
	st.s.mu.Lock()
	delete(st.s.streams, st.id)
	st.s.mu.Unlock()
	return st.s.ws.writeFrame(opBinary, append(st.head(nil, wispClose), 2))
}
