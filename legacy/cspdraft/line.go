package cspdraft

import (
	"bytes"
	"errors"
	"strconv"

	"encke/cause"
	"encke/legacy"
	"encke/whitelist"
)

// maxLine is the longest line that names a target.
const maxLine = 300

// line is the draft's own framing: a line HOST:PORT, which is answered by "1", or by "0"
// and a code, and behind it the bytes of one socket. Where the operator names the target there
// are those bytes only.
type line struct {
	bare    bool // there is neither line nor answer
	sockets *legacy.Sockets
	target  []byte
	socket  *legacy.Socket // nil: the line is not complete, or refused
	refused bool
	opened  bool // used by the socket's goroutine
}

func (a *adapter) open(s *legacy.Sockets) legacy.Stream {
	l := &line{sockets: s, bare: a.target != nil}
	if l.bare {
		l.socket = s.Open(*a.target, nil, l)
	}
	return l
}

// Receive is as in legacy.Stream.
func (l *line) Receive(p []byte) error {
	if l.refused {
		return nil
	}
	if l.socket == nil {
		dest, rest, done, err := l.read(p)
		if err != nil {
			l.refuse(cause.BadTarget.Err())
			return nil
		}
		if !done {
			return nil
		}
		l.socket = l.sockets.Open(dest, nil, l)
		p = rest
	}
	l.socket.Write(p)
	return nil
}

// read reads the line. done says that it is complete; then rest is behind it.
func (l *line) read(p []byte) (dest whitelist.Dest, rest []byte, done bool, err error) {
	line, rest, done := bytes.Cut(p, []byte{'\n'})
	if len(l.target)+len(line) > maxLine {
		return dest, nil, true, errLine
	}
	l.target = append(l.target, line...)
	if done {
		dest, err = whitelist.ParseHostPort(string(l.target))
	}
	return dest, rest, done, err
}

var errLine = errors.New("a target of more than 300 bytes")

func (l *line) refuse(why *cause.Error) {
	l.refused = true
	l.Ended(why)
}

// Opened tells the client that its socket is connected.
func (l *line) Opened() {
	l.opened = true
	if !l.bare {
		l.sockets.Answer([]byte("1"))
	}
}

// Data sends what the backend says, as it is; that is counted where it was read.
func (l *line) Data(p []byte) error { return l.sockets.Carrier.Send(p) }

// Ended ends the stream, after the code of a socket that was never connected.
func (l *line) Ended(why *cause.Error) {
	if !l.opened && !l.bare {
		code := legacy.OrbitedCode(why.Code)
		l.sockets.Answer(strconv.AppendInt([]byte("0"), int64(code), 10))
	}
	l.sockets.End()
}
