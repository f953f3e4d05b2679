package wisp

import (
	"context"
	"io"
	"sync"

	"encke/buffer"
	"encke/cause"
	"encke/legacy"
	"encke/whitelist"
)

// maxDialing is how many streams may wait for their connection. Without a bound a client
// that asks and does not read would leave us with any number of them.
const maxDialing = 128

var tooLong = cause.ProtocolError.With("a packet other than DATA of more than 64 KiB")

// session is one WebSocket and its streams.
type session struct {
	*legacy.Link
	server  *server
	remote  string
	confirm bool // the client wants to know when a stream is open

	mu      sync.Mutex
	streams map[uint32]*stream // those the client knows
	dialing int
}

// run takes packets until the link ends.
func (s *session) run() *cause.Error {
	for {
		r, ok := s.Next(context.Background())
		why := s.Why()
		if ok {
			why = s.take(r)
		}
		if why != nil {
			if why.Code == cause.Closed {
				s.closeAll()
			}
			return why
		}
	}
}

// take takes one packet.
func (s *session) take(r io.Reader) *cause.Error {
	b := buffer.Get(buffer.Max)
	whole, ok := s.fill(b, r)
	if !ok {
		b.Release()
		return s.Why()
	}
	kind, id, payload, err := parseHead(b.Bytes())
	if err != nil {
		b.Release()
		return cause.ProtocolError.With("%v", err)
	}
	if kind == typeData && id != 0 {
		return s.data(id, b, whole, r)
	}
	defer b.Release()
	switch {
	case !whole:
		return tooLong
	case kind == typeClose && len(payload) > 0 && id == 0:
		return cause.Closed.Err()
	case kind == typeClose && len(payload) > 0:
		if st := s.forget(id, nil); st != nil {
			st.backlog.End()
		}
		return nil
	case kind == typeConnect && id != 0:
		s.connect(id, payload)
		return nil
	}
	return cause.ProtocolError.With("a packet of type 0x%02x that is not well formed, or not for clients to send", kind)
}

// data takes a DATA packet, of which b is the first piece, or all.
func (s *session) data(id uint32, b *buffer.Buffer, whole bool, r io.Reader) *cause.Error {
	s.mu.Lock()
	st := s.streams[id]
	s.mu.Unlock()
	b.Trim(headSize)
	size := 0
	for {
		size += b.Len()
		switch {
		case st == nil:
			b.Release() // it crossed a CLOSE
		case st.backlog.Takes(b.Len(), streamBytes):
			st.backlog.Put(b)
		default:
			b.Release()
			st.fail(cause.Limit.With("more waits for the backend than a stream may have"))
			st = nil
		}
		if whole {
			break
		}
		var ok bool
		b = buffer.Get(buffer.Max)
		if whole, ok = s.fill(b, r); !ok {
			b.Release()
			return s.Why()
		}
	}
	if st != nil {
		st.received(size)
	}
	return nil
}

// connect opens a stream.
func (s *session) connect(id uint32, payload []byte) {
	kind, host, port, err := parseConnect(payload)
	var dest whitelist.Dest
	if err == nil {
		dest, err = whitelist.ParseDest(host, uint64(port))
	}
	s.mu.Lock()
	other, full := s.streams[id], s.dialing >= maxDialing
	s.mu.Unlock()
	switch {
	case other != nil:
		other.fail(cause.ProtocolError.With("stream %d is opened twice", id))
	case err == nil && kind == streamUDP:
		s.Write(closePacket(id, reasonBlocked))
	case err != nil || kind != streamTCP:
		s.Write(closePacket(id, reasonInvalid))
	case full:
		s.Write(closePacket(id, reasonThrottled))
	default:
		st := newStream(s, id)
		s.mu.Lock()
		s.streams[id] = st
		s.dialing++
		s.mu.Unlock()
		s.Go(func() { st.run(dest) }) // ends when the backend does
	}
}

// forget makes a stream unknown and returns it; with st, only if it is that.
func (s *session) forget(id uint32, st *stream) *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.streams[id]
	if st != nil && now != st {
		return nil
	}
	delete(s.streams, id)
	return now
}

// dialed says that a stream waits for its connection no longer.
func (s *session) dialed() {
	s.mu.Lock()
	s.dialing--
	s.mu.Unlock()
}

// closeAll closes the streams, as the client did with the link.
func (s *session) closeAll() {
	s.mu.Lock()
	all := s.streams
	s.streams = nil
	s.mu.Unlock()
	for _, st := range all {
		st.backlog.End()
	}
}
