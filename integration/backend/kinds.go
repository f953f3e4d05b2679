package backend

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

// Echo sends back what it reads, and FIN after FIN.
func Echo(t testing.TB) *Backend {
	return start(t, func(b *Backend, conn *net.TCPConn) error {
		_, err := io.Copy(counting{b, conn}, counting{b, conn})
		return err
	})
}

// HalfClose reads until FIN and only then answers: everything it read, and FIN.
func HalfClose(t testing.TB) *Backend {
	return start(t, func(b *Backend, conn *net.TCPConn) error {
		got, err := io.ReadAll(counting{b, conn})
		if err != nil {
			return err
		}
		_, err = counting{b, conn}.Write(got)
		return err
	})
}

// Sink reads until FIN and answers with the number of bytes and their SHA-256 in hex,
// as "COUNT HASH\n".
func Sink(t testing.TB) *Backend {
	return start(t, func(b *Backend, conn *net.TCPConn) error {
		hash := sha256.New()
		n, err := io.Copy(hash, counting{b, conn})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(conn, "%d %s\n", n, hex.EncodeToString(hash.Sum(nil)))
		return err
	})
}

// Source sends n bytes of stream key and FIN, then reads until FIN. The kernel's buffers
// are small, so Written tells about how much the proxy has taken.
func Source(t testing.TB, key uint32, n int64) *Backend {
	return startTight(t, func(b *Backend, conn *net.TCPConn) error {
		if err := b.send(conn, key, n); err != nil {
			return err
		}
		_, err := io.Copy(io.Discard, counting{b, conn})
		return err
	})
}

// Exchange sends n bytes of stream out and FIN while it reads and checks n bytes of
// stream in and FIN. Ended says whether the bytes were exact.
func Exchange(t testing.TB, out, in uint32, n int64) *Backend {
	return start(t, func(b *Backend, conn *net.TCPConn) error {
		sent := make(chan error, 1)
		b.wg.Go(func() { sent <- b.send(conn, out, n) }) // until sent, or conn is closed
		err := b.check(conn, in, n)
		if err != nil {
			_ = conn.Close() // ends send
		}
		return errors.Join(err, <-sent)
	})
}

// FirstFin sends a greeting and FIN at once, then reads and checks n bytes of stream in
// up to FIN: the backend's direction ends first.
func FirstFin(t testing.TB, greeting string, in uint32, n int64) *Backend {
	return start(t, func(b *Backend, conn *net.TCPConn) error {
		if _, err := io.WriteString(counting{b, conn}, greeting); err != nil {
			return err
		}
		if err := conn.CloseWrite(); err != nil {
			return err
		}
		return b.check(conn, in, n)
	})
}

// NeverReads accepts and reads nothing until release is closed; the kernel's buffers are
// small. Then it reads and checks everything up to FIN: n bytes of stream in.
func NeverReads(t testing.TB, in uint32, n int64, release <-chan struct{}) *Backend {
	return startTight(t, func(b *Backend, conn *net.TCPConn) error {
		select {
		case <-release:
		case <-t.Context().Done():
			return t.Context().Err()
		}
		return b.check(conn, in, n)
	})
}

// Reset sends greeting, waits for one byte and cuts the connection with a RST.
func Reset(t testing.TB, greeting string) *Backend {
	return start(t, func(b *Backend, conn *net.TCPConn) error {
		if _, err := io.WriteString(counting{b, conn}, greeting); err != nil {
			return err
		}
		if _, err := (counting{b, conn}).Read(make([]byte, 1)); err != nil {
			return err
		}
		return conn.SetLinger(0) // the close that follows is a RST
	})
}

// send writes n bytes of stream key and FIN.
func (b *Backend) send(conn *net.TCPConn, key uint32, n int64) error {
	p := make([]byte, 32<<10)
	for pos := int64(0); pos < n; pos += int64(len(p)) {
		p = p[:min(int64(len(p)), n-pos)]
		Fill(p, key, pos)
		if _, err := (counting{b, conn}).Write(p); err != nil {
			return fmt.Errorf("sent %d of %d bytes: %w", pos, n, err)
		}
	}
	return conn.CloseWrite()
}

// check reads up to FIN and compares with the first n bytes of stream key.
func (b *Backend) check(conn *net.TCPConn, key uint32, n int64) error {
	return b.checkFrom(conn, key, 0, n)
}

// checkFrom is check when the bytes before pos have been read.
func (b *Backend) checkFrom(conn *net.TCPConn, key uint32, pos, n int64) error {
	p := make([]byte, 64<<10)
	for {
		got, err := counting{b, conn}.Read(p)
		if pos+int64(got) > n {
			return fmt.Errorf("stream %d: more than %d bytes", key, n)
		}
		if err := Check(p[:got], key, pos); err != nil {
			return err
		}
		pos += int64(got)
		if err == io.EOF && pos == n {
			return nil
		}
		if err == io.EOF {
			return fmt.Errorf("stream %d: FIN after %d of %d bytes", key, pos, n)
		}
		if err != nil {
			return fmt.Errorf("stream %d: read %d of %d bytes: %w", key, pos, n, err)
		}
	}
}

// Paced reads 1 KiB every so often, so many times, and then as fast as it can. It checks
// everything up to FIN: n bytes of stream in. The kernel's buffers are small.
func Paced(t testing.TB, in uint32, n int64, times int, every time.Duration) *Backend {
	return startTight(t, func(b *Backend, conn *net.TCPConn) error {
		pace := time.NewTicker(every)
		defer pace.Stop()
		p := make([]byte, 1<<10)
		pos := int64(0)
		for range times {
			select {
			case <-pace.C:
			case <-t.Context().Done():
				return t.Context().Err()
			}
			got, err := (counting{b, conn}).Read(p)
			if err != nil {
				return fmt.Errorf("stream %d: read %d of %d bytes: %w", in, pos, n, err)
			}
			if err := Check(p[:got], in, pos); err != nil {
				return err
			}
			pos += int64(got)
		}
		return b.checkFrom(conn, in, pos, n)
	})
}
