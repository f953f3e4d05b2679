package transports

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"
)

// readAsTheLibrary reads a frame from c as the WebSocket library does, its payload where
// it is when that is possible, and reports whether it was.
func readAsTheLibrary(t *testing.T, c *wsConn) (first byte, payload []byte, inPlace bool) {
	t.Helper()
	var buf [16]byte
	n, err := c.Read(buf[:])
	if err != nil {
		t.Fatal(err)
	}
	f, ok := parseFrame(buf[:n])
	if !ok || n != f.head {
		t.Fatalf("reading a header gave % x", buf[:n])
	}
	payload, in := c.arrived()
	if inPlace = in != nil; inPlace {
		defer in.Release()
	} else {
		payload = make([]byte, f.size)
	}
	if len(payload) != int(f.size) {
		t.Fatalf("%d bytes have arrived whole of a frame of %d", len(payload), f.size)
	}
	if _, err := io.ReadFull(c, payload); err != nil {
		t.Fatal(err)
	}
	payload = bytes.Clone(payload)
	unmask(payload, payload, f.mask)
	return buf[0], payload, inPlace
}

// Frames come out as they went in, whatever the pieces they arrive in. Messages in one
// frame that have arrived whole are read where they are.
func TestReadingInPlace(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 2))
		var wire []byte
		var want [][]byte
		var firsts []byte
		for range 30 {
			body := make([]byte, []int{0, 1, 64, 125, 126, 3000, 5000, 70_000}[r.IntN(8)])
			for i := range body {
				body[i] = byte(r.Uint32())
			}
			first := []byte{binaryFrame, 0x02, 0x80, 0x89}[r.IntN(4)]
			wire = append(wire, wireFrame(first, r.Uint32(), body)...)
			want, firsts = append(want, body), append(firsts, first)
		}
		ahead := r.IntN(10_000)
		near, far := net.Pipe()
		go func() { // ends when all is read
			for rest := wire[ahead:]; len(rest) > 0; {
				n := min(1+r.IntN(1<<r.IntN(16)), len(rest))
				far.Write(rest[:n])
				rest = rest[n:]
			}
		}()
		c := newWSConn(near, wire[:ahead], time.Hour, func() bool { return true })
		for i, body := range want {
			first, got, inPlace := readAsTheLibrary(t, c)
			if first != firsts[i] || !bytes.Equal(got, body) {
				t.Fatalf("seed %d, frame %d: 0x%02x of %d bytes came out, want 0x%02x of %d", seed, i, first, len(got), firsts[i], len(body))
			}
			if inPlace && first != binaryFrame {
				t.Fatalf("seed %d, frame %d: 0x%02x was read in place", seed, i, first)
			}
		}
		near.Close()
		far.Close()
	}
}

func TestReadingInPlaceHappens(t *testing.T) {
	body := bytes.Repeat([]byte("x"), 32<<10)
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	c := newWSConn(near, wireFrame(binaryFrame, 7, body), time.Hour, func() bool { return true })
	if _, got, inPlace := readAsTheLibrary(t, c); !inPlace || !bytes.Equal(got, body) {
		t.Errorf("a whole message was read in place: %v", inPlace)
	}
}

// Whoever reads may wait for the client, which is asked nothing then.
func TestLeftDoesNotWaitForAReader(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	c := newWSConn(near, nil, time.Hour, func() bool { return true })
	c.reading.Lock()
	defer c.reading.Unlock()
	left := make(chan bool, 1)
	go func() { left <- c.left() }() // until it has the lock
	select {
	case is := <-left:
		if is {
			t.Error("the client has not left")
		}
	case <-time.After(20 * time.Second):
		t.Error("left waits")
	}
}
