package faults

import (
	"errors"
	"fmt"
	"io"
	"time"

	"encke/integration/backend"
	"encke/integration/peer"
	"encke/tcpsocket"
)

// echo is a socket to a backend that sends back what it gets: a keyed stream of which
// each byte is checked when it returns (I1).
type echo struct {
	*tcpsocket.Conn
	key uint32
	pos int64
}

func (f *fault) echo(p *peer.Peer, b *backend.Backend, key uint32) *echo {
	f.Helper()
	conn, err := p.Open(f.Context(), b.Host(), b.Port())
	if err != nil {
		f.Fatalf("open an echo: %v; the session: %v", err, p.Err())
	}
	return &echo{Conn: conn, key: key}
}

// say sends the next n bytes and reads them back.
func (e *echo) say(n int) error {
	p := make([]byte, n)
	backend.Fill(p, e.key, e.pos)
	if err := e.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := e.Write(p); err != nil {
		return fmt.Errorf("write at %d: %w", e.pos, err)
	}
	clear(p)
	if _, err := io.ReadFull(e, p); err != nil {
		return fmt.Errorf("read at %d: %w", e.pos, err)
	}
	if err := backend.Check(p, e.key, e.pos); err != nil {
		return err
	}
	e.pos += int64(n)
	return nil
}

// end closes our direction and expects nothing more but the end of the other.
func (e *echo) end() error {
	if err := e.CloseWrite(); err != nil {
		return err
	}
	if n, err := io.Copy(io.Discard, e); n != 0 || err != nil {
		return fmt.Errorf("after the end: %d bytes more, %v", n, err)
	}
	return e.Close()
}

// exchange sends n bytes of stream up and FIN over a new socket to b, an Exchange, while
// it reads and checks n bytes of stream down. The channel gets what went wrong, or nil.
func (f *fault) exchange(p *peer.Peer, b *backend.Backend, down, up uint32, n int64) <-chan error {
	f.Helper()
	conn, err := p.Open(f.Context(), b.Host(), b.Port())
	if err != nil {
		f.Fatalf("open: %v; the session: %v", err, p.Err())
	}
	done := make(chan error, 1)
	go func() { // until both ends are through, or the session ends
		sent := make(chan error, 1)
		go func() {
			err := pour(conn, up, n)
			if err == nil {
				err = conn.CloseWrite()
			}
			sent <- err
		}()
		err := drain(conn, down, n)
		if err != nil {
			_ = conn.Abort()
		}
		done <- errors.Join(err, <-sent, <-b.Ended(), conn.Close())
	}()
	return done
}

// pour writes the first n bytes of stream key.
func pour(w io.Writer, key uint32, n int64) error {
	p := make([]byte, 32<<10)
	for pos := int64(0); pos < n; pos += int64(len(p)) {
		p = p[:min(int64(len(p)), n-pos)]
		backend.Fill(p, key, pos)
		if _, err := w.Write(p); err != nil {
			return fmt.Errorf("write at %d of %d: %w", pos, n, err)
		}
	}
	return nil
}

// drain reads up to the end and checks that it was the first n bytes of stream key.
func drain(r io.Reader, key uint32, n int64) error {
	p := make([]byte, 32<<10)
	for pos := int64(0); ; {
		got, err := r.Read(p)
		if wrong := backend.Check(p[:got], key, pos); wrong != nil {
			return wrong
		}
		pos += int64(got)
		switch {
		case err == io.EOF && pos == n:
			return nil
		case err == io.EOF, pos > n:
			return fmt.Errorf("the stream ended after %d bytes, want %d", pos, n)
		case err != nil:
			return fmt.Errorf("read at %d of %d: %w", pos, n, err)
		}
	}
}
