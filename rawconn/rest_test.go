package rawconn_test

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"encke/rawconn"
)

// A reader is told when nothing more comes, once, and then waits on.
func TestReaderRests(t *testing.T) {
	a, b := tcpPair(t)
	r := rawconn.NewReader(b, func() []byte { return make([]byte, 8) }, func() {})
	read := func(want int, wantErr error) {
		t.Helper()
		if n, err := r.ReadOrRest(); n != want || !errors.Is(err, wantErr) {
			t.Fatalf("read %d, %v; want %d, %v", n, err, want, wantErr)
		}
	}
	for range 2 {
		a.Write([]byte("abc"))
		read(3, nil)
		read(0, rawconn.ErrQuiet)
	}
	late := time.AfterFunc(quiet, func() { a.Write([]byte("d")) })
	defer late.Stop()
	read(1, nil) // it was told already
	a.Write([]byte("e"))
	read(1, nil)
	a.Close()
	if _, err := r.ReadOrRest(); err == nil {
		t.Fatal("the end was not seen")
	}
}

// The first goroutine rests whether or not something comes all the time.
func TestFirstReaderRests(t *testing.T) {
	for _, busy := range []bool{false, true} {
		a, b := tcpPair(t)
		if busy {
			go func() { // until b is closed
				for {
					if _, err := a.Write([]byte("abc")); err != nil {
						return
					}
				}
			}()
		}
		r := rawconn.NewReader(b, func() []byte { return make([]byte, 8) }, func() {})
		var err error
		for err == nil {
			_, err = r.ReadOrRest()
		}
		if !errors.Is(err, rawconn.ErrQuiet) {
			t.Errorf("busy %v: %v, want that it is to rest", busy, err)
		}
		late := time.AfterFunc(quiet, func() { a.Write([]byte("abc")) })
		if n, err := r.ReadOrRest(); n == 0 || err != nil {
			t.Errorf("busy %v: read %d, %v afterwards", busy, n, err)
		}
		late.Stop()
		b.Close()
	}
}

// quiet is longer than a reader waits before it is told.
const quiet = 1500 * time.Millisecond

// In the middle of a message Read goes on when nothing comes for a while.
func TestReadDoesNotRest(t *testing.T) {
	a, b := tcpPair(t)
	r := rawconn.NewReader(b, func() []byte { return make([]byte, 8) }, func() {})
	a.Write([]byte("abc"))
	if n, err := r.ReadOrRest(); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	late := time.AfterFunc(quiet, func() { a.Write([]byte("d")) })
	defer late.Stop()
	if n, err := r.Read(); n != 1 || err != nil {
		t.Errorf("read %d, %v; want what came late", n, err)
	}
}

// The deadline that Until sets holds, whether or not the reader watches for quiet.
func TestUntil(t *testing.T) {
	for _, busy := range []bool{false, true} {
		a, b := tcpPair(t)
		r := rawconn.NewReader(b, func() []byte { return make([]byte, 8) }, func() {})
		if busy {
			a.Write([]byte("abc"))
			if n, err := r.ReadOrRest(); n != 3 || err != nil {
				t.Fatal(n, err)
			}
		}
		r.Until(time.Unix(1, 0))
		for range 2 {
			if _, err := r.ReadOrRest(); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("busy %v: %v, want that the deadline has passed", busy, err)
			}
		}
	}
}

// BenchmarkReadOrRest is a message that comes to a reader that watches for quiet.
func BenchmarkReadOrRest(b *testing.B) {
	near, far := tcpPair(b)
	buf := make([]byte, 64)
	r := rawconn.NewReader(far, func() []byte { return buf }, func() {})
	b.ReportAllocs()
	for b.Loop() {
		near.Write(buf)
		n, err := r.ReadOrRest()
		if err == rawconn.ErrQuiet { // the first goroutine is told once, whatever comes
			n, err = r.ReadOrRest()
		}
		if n != len(buf) || err != nil {
			b.Fatal(n, err)
		}
	}
}

// Where it cannot be found out that nothing comes, the first goroutine is told at once, and
// no other.
func TestFirstReaderRestsWithoutASocket(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	r := rawconn.NewReader(b, func() []byte { return make([]byte, 8) }, func() {})
	if _, err := r.ReadOrRest(); !errors.Is(err, rawconn.ErrQuiet) {
		t.Fatalf("%v, want that it is to rest", err)
	}
	go a.Write([]byte("abc"))
	if n, err := r.ReadOrRest(); n != 3 || err != nil {
		t.Errorf("read %d, %v", n, err)
	}
}
