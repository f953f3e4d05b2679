package wisp

import (
	"context"
	"io"
	"time"

	"encke/buffer"
	"encke/cause"
)

// greetingTime is how long a client may take to introduce itself.
const greetingTime = 15 * time.Second

// greet lets a client in, or returns why not.
func (s *session) greet(second bool) *cause.Error {
	if !second {
		if s.server.passwords != nil {
			return s.reject(reasonNoPassword, cause.NotAuthenticated.With("a password is required, which version 1 does not have"))
		}
		s.Write(continuePacket(0, firstCredit))
		return nil
	}
	s.Write(s.server.info())
	got, why := s.introduction()
	switch {
	case why != nil:
		return why
	case got.major < 2:
		return s.reject(reasonIncompatible, cause.ProtocolError.With("version %d in INFO", got.major))
	case s.server.passwords == nil:
	case len(got.credentials) == 0:
		return s.reject(reasonNoPassword, cause.NotAuthenticated.With("a password is required"))
	case !s.server.passwords.Value(s.server.proxy.Log).accept(got.credentials):
		return s.reject(reasonBadPassword, cause.NotAuthenticated.With("wrong name or password"))
	}
	s.confirm = got.confirm
	s.Write(continuePacket(0, firstCredit))
	return nil
}

// reject tells the client that it is not let in.
func (s *session) reject(reason byte, why *cause.Error) *cause.Error {
	s.server.proxy.Log.Warn("refused", "reason", "Wisp: "+why.Text, "remote", s.remote)
	s.Write(closePacket(0, reason))
	return why
}

// info is the packet in which a server of version 2 introduces itself.
func (v *server) info() []byte {
	p := append(appendHead(nil, typeInfo, 0), 2, 0)
	if v.passwords != nil {
		p = appendExtension(p, extPassword, "\x01")
	}
	if v.motd != "" {
		p = appendExtension(p, extMOTD, v.motd)
	}
	return appendExtension(p, extConfirm, "")
}

// introduction reads the client's INFO.
func (s *session) introduction() (info, *cause.Error) {
	ctx, cancel := context.WithTimeout(context.Background(), greetingTime)
	defer cancel()
	r, ok := s.Next(ctx)
	if !ok {
		return info{}, s.Why()
	}
	b := buffer.Get(buffer.Max)
	defer b.Release()
	switch whole, ok := s.fill(b, r); {
	case !ok:
		return info{}, s.Why()
	case !whole:
		return info{}, tooLong
	}
	kind, id, payload, err := parseHead(b.Bytes())
	switch {
	case err != nil:
	case id == 0 && kind == typeClose: // it does not like what it got
		return info{}, cause.Closed.Err()
	case id != 0 || kind != typeInfo:
		return info{}, cause.ProtocolError.With("the first packet is not INFO")
	}
	var got info
	if err == nil {
		got, err = parseInfo(payload)
	}
	if err != nil {
		return info{}, cause.ProtocolError.With("%v", err)
	}
	got.credentials = append([]byte(nil), got.credentials...)
	return got, nil
}

// fill reads a message until b is full. whole says that it came to its end; ok is false when
// the link has ended.
func (s *session) fill(b *buffer.Buffer, r io.Reader) (whole, ok bool) {
	s.Buffers.Hold(buffer.Max) // the client may take its time
	defer s.Buffers.Hold(-buffer.Max)
	for len(b.Room()) > 0 {
		n, err := r.Read(b.Room())
		b.Extend(n)
		if err != nil {
			return err == io.EOF, err == io.EOF
		}
	}
	return false, true
}
