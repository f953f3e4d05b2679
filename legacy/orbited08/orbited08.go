package orbited08

import (
	"bytes"
	"strconv"
	"sync"

	"encke/cause"
	"encke/legacy"
	"encke/whitelist"
)

// New returns the protocol, which has no resources of its own.
func New(*legacy.Proxy) legacy.Protocol {
	return legacy.Protocol{Over: "csp", Framing: &legacy.Framing{Mark: ':', Apart: true, Open: open}}
}

// maxTarget is the longest HOST,PORT.
const maxTarget = 300

// stream is the sockets of one client.
type stream struct {
	sockets *legacy.Sockets
	frames  legacy.Frames
	target  []byte // of the open frame that is under way

	mu sync.Mutex // held while something is said about a socket, so that nothing is behind its end
	by map[uint64]*socket
}

func open(s *legacy.Sockets) legacy.Stream {
	return &stream{sockets: s, frames: legacy.Frames{Mark: ':'}, by: make(map[uint64]*socket)}
}

// Receive is as in legacy.Stream.
func (s *stream) Receive(p []byte) error { return s.frames.Feed(p, s.frame) }

func (s *stream) frame(f legacy.Frame) error {
	s.mu.Lock()
	k := s.by[f.ID]
	s.mu.Unlock()
	switch {
	case f.Type == legacy.FrameOpen && len(s.target)+len(f.Data) <= maxTarget:
		s.target = append(s.target, f.Data...)
		if f.Last {
			s.open(f.ID, k)
			s.target = s.target[:0]
		}
	case f.Type == legacy.FrameOpen:
		return cause.ProtocolError.With("a target of more than %d bytes", maxTarget)
	case f.Type == legacy.FrameData && k != nil:
		k.Write(f.Data)
	case f.Type == legacy.FrameClose && k != nil:
		if f.Last {
			s.fail(f.ID, k, legacy.UserConnectionReset)
		}
	case f.Last: // for an id that is not open, or of a type that does not exist
		s.fail(f.ID, k, legacy.ProtocolError)
	}
	return nil
}

// open opens a socket, or says why not.
func (s *stream) open(id uint64, k *socket) {
	i := bytes.LastIndexByte(s.target, ',')
	if k != nil {
		s.fail(id, k, legacy.ProtocolError)
		return
	}
	if i < 0 {
		s.closed(id, legacy.InvalidHandshake)
		return
	}
	port, err := strconv.ParseUint(string(s.target[i+1:]), 10, 16)
	dest, bad := whitelist.ParseDest(string(s.target[:i]), port)
	if err != nil || bad != nil {
		s.closed(id, legacy.InvalidHandshake)
		return
	}
	k = &socket{stream: s, id: id}
	s.mu.Lock()
	s.by[id] = k
	k.Socket = s.sockets.Open(dest, nil, k)
	s.mu.Unlock()
}

// fail closes a socket, if there is one, and says why.
func (s *stream) fail(id uint64, k *socket, code int) {
	if k == nil {
		s.closed(id, code)
	} else if s.forget(k, code) {
		k.Close()
	}
}

// closed says that an id is closed.
func (s *stream) closed(id uint64, code int) {
	s.sockets.Answer(s.frames.NewFrame(id, legacy.FrameClose, strconv.AppendInt(nil, int64(code), 10)...))
}

// forget says that a socket is closed, and reports whether that was news.
func (s *stream) forget(k *socket, code int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by[k.id] != k {
		return false
	}
	delete(s.by, k.id)
	s.closed(k.id, code)
	return true
}

// socket is one socket of the stream.
type socket struct {
	*legacy.Socket
	stream *stream
	id     uint64
}

// Opened says that the socket is connected, unless it is closed.
func (k *socket) Opened() {
	k.stream.mu.Lock()
	defer k.stream.mu.Unlock()
	if k.stream.by[k.id] == k {
		k.stream.sockets.Answer(k.stream.frames.NewFrame(k.id, legacy.FrameOpen))
	}
}

// Data sends what the backend says.
func (k *socket) Data(p []byte) error {
	return k.stream.sockets.Send(k.stream.frames.NewFrame(k.id, legacy.FrameData, p...))
}

// Ended says why the socket has ended.
func (k *socket) Ended(why *cause.Error) {
	k.stream.forget(k, legacy.OrbitedCode(why.Code))
}
