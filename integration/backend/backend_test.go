package backend_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"encke/integration/backend"
)

func dial(t *testing.T, b *backend.Backend) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn.(*net.TCPConn)
}

// stream returns n bytes of stream key.
func stream(key uint32, n int) []byte {
	p := make([]byte, n)
	backend.Fill(p, key, 0)
	return p
}

func TestStream(t *testing.T) {
	whole := stream(3, 100_003)
	for _, at := range []int{0, 1, 3, 4, 5, 4095, 99_990} {
		part := make([]byte, 13)
		backend.Fill(part, 3, int64(at))
		if !bytes.Equal(part, whole[at:at+13]) {
			t.Errorf("Fill at %d differs from the stream filled at once", at)
		}
	}
	// pages/stream.js computes the same; the scenarios compare the two.
	if got, want := stream(3, 8), []byte{0x10, 0x2e, 0x36, 0xaf, 0xfd, 0xa1, 0x0e, 0xd2}; !bytes.Equal(got, want) {
		t.Errorf("stream 3 begins with % x, want % x", got, want)
	}
	if err := backend.Check(whole[1000:], 3, 1000); err != nil {
		t.Errorf("Check of exact bytes: %v", err)
	}
	moved := append(append([]byte{}, whole[:5000]...), whole[5100:]...)
	err := backend.Check(moved, 3, 0)
	if err == nil || !strings.Contains(err.Error(), "byte 500") || !strings.Contains(err.Error(), "of position 5") {
		t.Errorf("100 lost bytes at 5000 were reported as %v", err)
	}
}

func TestHalfCloseAndSink(t *testing.T) {
	for name, b := range map[string]*backend.Backend{"half-close": backend.HalfClose(t), "sink": backend.Sink(t)} {
		conn := dial(t, b)
		if _, err := conn.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		if err := conn.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(conn)
		want := map[string]string{
			"half-close": "hello",
			"sink":       "5 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\n",
		}[name]
		if err != nil || string(got) != want {
			t.Errorf("%s answered %q, %v; want %q", name, got, err, want)
		}
		if err := <-b.Ended(); err != nil {
			t.Errorf("%s ended with %v", name, err)
		}
	}
}

func TestExchange(t *testing.T) {
	const n = 1 << 20
	for _, test := range []struct {
		name string
		send []byte
		want string // in the error; empty: none
	}{
		{"exact", stream(2, n), ""},
		{"one short", stream(2, n-1), "FIN after 1048575 of 1048576"},
		{"one changed", append(stream(2, n-1), 1+stream(2, n)[n-1]), "byte 1048575 is"},
		{"one more", append(stream(2, n), 0), "more than"},
	} {
		b := backend.Exchange(t, 1, 2, n)
		conn := dial(t, b)
		read := make(chan []byte)
		go func() { // until the backend's FIN or RST
			got, _ := io.ReadAll(conn)
			read <- got
		}()
		if _, err := conn.Write(test.send); err != nil {
			t.Fatal(err)
		}
		_ = conn.CloseWrite()
		err := <-b.Ended()
		switch got := <-read; {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want == "" && !bytes.Equal(got, stream(1, n)):
			t.Errorf("%s: the backend sent something else than stream 1", test.name)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: ended with %v, want %q", test.name, err, test.want)
		}
	}
}

// stuck waits until a count no longer changes and returns it.
func stuck(count func() int64) int64 {
	for was := int64(-1); ; time.Sleep(200 * time.Millisecond) {
		is := count()
		if is == was {
			return is
		}
		was = is
	}
}

// Source and NeverReads are what the tests of back-pressure rest on: a peer that does not
// read, or is not read, must be stopped after little more than nothing.
func TestHeld(t *testing.T) {
	const n, little = 32 << 20, 1 << 20
	source := backend.Source(t, 5, n)
	conn := dial(t, source)
	if written := stuck(source.Written); written > little {
		t.Errorf("%d bytes were written to a client that reads none", written)
	}
	for pos := 0; pos < n; {
		p := make([]byte, 1<<20)
		got, err := io.ReadFull(conn, p)
		if err != nil {
			t.Fatal(err)
		}
		if err := backend.Check(p[:got], 5, int64(pos)); err != nil {
			t.Fatal(err)
		}
		pos += got
	}
	_ = conn.CloseWrite()
	if err := <-source.Ended(); err != nil || source.Written() != n {
		t.Errorf("ended with %v after %d bytes, want %d", err, source.Written(), n)
	}

	release := make(chan struct{})
	deaf := backend.NeverReads(t, 9, n, release)
	conn = dial(t, deaf)
	var sent atomic.Int64
	done := make(chan error)
	go func() { // until everything is written
		var err error
		data := stream(9, n)
		for pos := 0; pos < n && err == nil; pos += 1 << 14 {
			_, err = conn.Write(data[pos : pos+1<<14])
			sent.Add(1 << 14)
		}
		_ = conn.CloseWrite()
		done <- err
	}()
	if sent := stuck(sent.Load); sent > little || deaf.Read() != 0 {
		t.Errorf("%d bytes were sent to a backend that has read %d", sent, deaf.Read())
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := <-deaf.Ended(); err != nil || deaf.Read() != n {
		t.Errorf("ended with %v after %d bytes, want %d", err, deaf.Read(), n)
	}
}

func TestRefuseAndReset(t *testing.T) {
	port := backend.Refuse(t)
	_, err := net.DialTCP("tcp", nil, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial of the refusing port: %v", err)
	}

	conn := dial(t, backend.Reset(t, "hi"))
	if _, err := io.ReadFull(conn, make([]byte, 2)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read from the resetting backend: %v", err)
	}
}
