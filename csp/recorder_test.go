package csp_test

import (
	"bytes"
	"testing"

	"encke/buffer"
	"encke/cause"
	"encke/csp"
)

// recorder is a Handler that keeps what it gets.
type recorder struct {
	got      bytes.Buffer
	writable int
	closed   []*cause.Error
	answer   func() // called by Receive, or nil
	refuse   error  // returned by Receive
}

func (h *recorder) Receive(data [][]byte) error {
	for _, p := range data {
		h.got.Write(p)
	}
	if h.answer != nil {
		h.answer()
	}
	return h.refuse
}
func (h *recorder) Writable()               { h.writable++ }
func (h *recorder) Closed(why *cause.Error) { h.closed = append(h.closed, why) }

// open returns a server with one session and its handler.
func open(t *testing.T, opts csp.Options) (*csp.Server, *csp.Session, *recorder) {
	t.Helper()
	h := &recorder{}
	opts.Accept = func(*csp.Session) csp.Handler { return h }
	server := csp.NewServer(opts)
	s, err := server.Open(csp.Peer{}, csp.Key{1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close(cause.Closed.Err()) })
	return server, s, h
}

func attach(t *testing.T, s *csp.Session, ack uint64) *csp.Link {
	t.Helper()
	l, err := s.Attach(ack, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// taken returns all a link has to send now, as text.
func taken(t *testing.T, l *csp.Link) string {
	t.Helper()
	var out []byte
	for {
		var b csp.Batch
		ok, err := l.Take(&b, 1<<20)
		if err != nil {
			return string(out) + "(" + err.Error() + ")"
		}
		if !ok {
			return string(out)
		}
		out = csp.Text.Append(out, &b)
		b.Release()
	}
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

func send(s *csp.Session, text string) { s.Send(buffer.Copy([]byte(text)), 0) }

func data(id uint64, text string) csp.Packet { return csp.Packet{ID: id, Data: []byte(text)} }

func deliver(t *testing.T, s *csp.Session, packets ...csp.Packet) uint64 {
	t.Helper()
	got, err := s.Deliver(packets, true)
	if err != nil {
		t.Fatal(err)
	}
	return got
}
