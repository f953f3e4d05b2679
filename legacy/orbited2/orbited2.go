package orbited2

import (
	"context"
	"net/http"
	"sync"
	"unicode/utf8"

	"encke/cause"
	"encke/csp"
	"encke/legacy"
	"encke/tcpsocket"
)

// New returns the protocol: a framing for CSP sessions, and a WebSocket at /ws.
func New(p *legacy.Proxy) legacy.Protocol {
	return legacy.Protocol{
		Routes:  map[string]http.Handler{"/ws": webSocket(p)},
		Over:    "csp",
		Framing: &legacy.Framing{Mark: ',', Open: open},
	}
}

// maxWaiting is how many sockets of one client may be open without a handshake.
const maxWaiting = 128

// stream is the sockets of one client.
type stream struct {
	sockets *legacy.Sockets
	frames  legacy.Frames
	waiting int    // sockets without a handshake
	whole   []byte // the frame under way, as far as it came, if it is of use as a whole only

	mu sync.Mutex // held while something is said about a socket, so that nothing is behind its end
	by map[uint64]*socket
}

func open(s *legacy.Sockets) legacy.Stream {
	return &stream{sockets: s, frames: legacy.Frames{Mark: ',', Comma: true}, by: make(map[uint64]*socket)}
}

// Receive is as in legacy.Stream.
func (s *stream) Receive(p []byte) error { return s.frames.Feed(p, s.frame) }

func (s *stream) frame(f legacy.Frame) error {
	if f.Last {
		defer s.forgetWhole()
	}
	s.mu.Lock()
	k := s.by[f.ID]
	s.mu.Unlock()
	switch {
	case f.Type == legacy.FrameData && k != nil:
		s.data(k, f)
	case !f.Last: // the rest of it does not matter
	case f.Type == legacy.FrameOpen && k == nil && s.waiting == maxWaiting:
		s.answer(f.ID, legacy.FrameClose, "too many sockets without a handshake")
	case f.Type == legacy.FrameOpen && k == nil:
		s.waiting++
		s.mu.Lock()
		s.by[f.ID] = &socket{stream: s, id: f.ID}
		s.mu.Unlock()
		s.answer(f.ID, legacy.FrameOpen, "")
	case f.Type == legacy.FrameClose && k == nil: // it crossed the end of the socket
	case f.Type == legacy.FrameClose:
		s.close(k, "")
	case f.Type == legacy.FrameOpen:
		s.close(k, "id in use")
	case k != nil:
		s.close(k, "unknown type of frame")
	default:
		s.answer(f.ID, legacy.FrameClose, "unknown id")
	}
	return nil
}

// data takes a data frame, or a piece of one: of the handshake, or for the backend.
func (s *stream) data(k *socket, f legacy.Frame) {
	most := maxHandshake
	switch {
	case k.Socket != nil && !k.messages:
		k.Write(f.Data)
		return
	case k.Socket != nil:
		most = csp.MaxBody
	}
	if len(s.whole)+len(f.Data) > most {
		s.forgetWhole()
		s.close(k, "frame too long")
		return
	}
	s.whole = append(s.whole, f.Data...)
	s.sockets.Hold(len(f.Data))
	switch {
	case !f.Last:
	case k.Socket != nil:
		k.Write(s.whole)
	default:
		s.handshake(k)
	}
}

// forgetWhole gives back what there is of a frame.
func (s *stream) forgetWhole() {
	if len(s.whole) > 0 {
		s.sockets.Hold(-len(s.whole))
		s.whole = nil
	}
}

// handshake takes the first frame of a socket and connects it.
func (s *stream) handshake(k *socket) {
	h, wrong := parseHandshake(s.whole)
	if h == nil {
		s.close(k, wrong)
		return
	}
	s.waiting--
	var upgrade legacy.Upgrade
	if h.path != "" {
		k.messages = true
		upgrade = func(ctx context.Context, b *tcpsocket.Backend, floor *legacy.Floor) (legacy.Backend, error) {
			return dialWebSocket(ctx, b, floor, h, s.sockets.Origin())
		}
	}
	k.Socket = s.sockets.Open(h.dest, upgrade, k)
}

// close closes a socket because of something that the client has sent, and says so.
func (s *stream) close(k *socket, why string) {
	if !s.forget(k, why) {
		return
	}
	if k.Socket != nil {
		k.Close()
	} else {
		s.waiting--
	}
}

// answer sends a frame without waiting.
func (s *stream) answer(id uint64, typ byte, data string) {
	s.sockets.Answer(s.frames.NewFrame(id, typ, []byte(data)...))
}

// forget says that a socket is closed, and reports whether that was news.
func (s *stream) forget(k *socket, why string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by[k.id] != k {
		return false
	}
	delete(s.by, k.id)
	s.answer(k.id, legacy.FrameClose, why)
	return true
}

// socket is one socket of the stream.
type socket struct {
	stream *stream
	id     uint64

	// Used by Receive only, but messages, which is set before the socket is opened.
	*legacy.Socket      // nil: there was no handshake yet
	messages       bool // each frame is a message

	text text // used by its goroutine only
}

// Opened answers the handshake, unless the socket is closed.
func (k *socket) Opened() {
	k.stream.mu.Lock()
	defer k.stream.mu.Unlock()
	if k.stream.by[k.id] == k {
		k.stream.answer(k.id, legacy.FrameData, "1")
	}
}

// Data sends what the backend says: a message, or a piece of which a part may be a character
// that is not yet whole.
func (k *socket) Data(p []byte) error {
	b := make([]byte, legacy.MaxHead, legacy.MaxHead+len(p)+utf8.UTFMax)
	if k.messages {
		return k.send(append(b, p...))
	}
	if b = k.text.append(b, p); len(b) == legacy.MaxHead {
		return nil
	}
	return k.send(b)
}

// send sends what stands in b behind the place for a head.
func (k *socket) send(b []byte) error {
	return k.stream.sockets.Send(k.stream.frames.Frame(b, k.id, legacy.FrameData))
}

// Ended says why the socket has ended, behind all that its backend said.
func (k *socket) Ended(why *cause.Error) {
	b := make([]byte, legacy.MaxHead)
	if b = k.text.end(b); len(b) == legacy.MaxHead || k.send(b) == nil {
		k.stream.forget(k, reason(why))
	}
}
