package rawconn_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"encke/rawconn"
)

// What is written in pieces of many sizes, by a side that is faster than the other, arrives.
func TestTCPConn(t *testing.T) {
	a, b := tcpPair(t)
	a.(*net.TCPConn).SetWriteBuffer(8 << 10)
	near, far := rawconn.NewTCPConn(a.(*net.TCPConn)), rawconn.NewTCPConn(b.(*net.TCPConn))
	var want []byte
	near.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
	for err := error(nil); err == nil; { // until one has to wait
		var n int
		if n, err = near.Write(make([]byte, 4<<10)); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		want = append(want, make([]byte, n)...)
	}
	full := len(want)
	near.SetWriteDeadline(time.Time{})
	for i := range 200 {
		want = append(want, bytes.Repeat([]byte{byte(i)}, 1+i*97%9000)...)
	}
	go func() {
		for p, size := want[full:], 1; len(p) > 0; size = size*3%8191 + 1 {
			n, err := near.Write(p[:min(size, len(p))])
			if err != nil || n != min(size, len(p)) {
				t.Errorf("Write of %d bytes = %d, %v", size, n, err)
			}
			p = p[n:]
		}
		near.CloseWrite()
	}()
	var got []byte
	for size := 1; ; size = size*5%4099 + 1 {
		p := make([]byte, size)
		n, err := far.Read(p)
		got = append(got, p[:n]...)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%d bytes arrived, or in another order; want %d", len(got), len(want))
	}
	if n, err := far.Read(nil); n != 0 || err != nil {
		t.Errorf("Read of nothing = %d, %v", n, err)
	}
}

func TestTCPConnFails(t *testing.T) {
	a, b := tcpPair(t)
	near, far := rawconn.NewTCPConn(a.(*net.TCPConn)), rawconn.NewTCPConn(b.(*net.TCPConn))
	p := make([]byte, 8)
	near.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	var op *net.OpError
	if _, err := near.Read(p); !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &op) || op.Op != "read" {
		t.Errorf("%v, want that the deadline has passed", err)
	}
	near.SetReadDeadline(time.Time{})

	far.SetLinger(0)
	far.Close() // resets
	if _, err := near.Read(p); !errors.Is(err, syscall.ECONNRESET) || !errors.As(err, &op) || op.Op != "read" {
		t.Errorf("%#v, want a *net.OpError: reset", err)
	}
	if _, err := near.Write(p); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("%v, want a broken pipe", err)
	}
	if _, err := far.Read(p); !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v, want that it is closed", err)
	}
	c, _ := tcpPair(t)
	waiting := rawconn.NewTCPConn(c.(*net.TCPConn))
	time.AfterFunc(10*time.Millisecond, func() { waiting.Close() })
	if _, err := waiting.Read(p); !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v, want that it was closed meanwhile", err)
	}
}

// The race detector must see that what was done before a byte was sent is done when it came.
func TestTCPConnOrders(t *testing.T) {
	a, b := tcpPair(t)
	near, far := rawconn.NewTCPConn(a.(*net.TCPConn)), rawconn.NewTCPConn(b.(*net.TCPConn))
	for _, write := range []func([]byte) (int, error){near.Write, a.Write} {
		for _, read := range []func([]byte) (int, error){far.Read, b.Read} {
			done := 0
			go func() {
				done = 1
				write([]byte("x"))
			}()
			if read(make([]byte, 1)); done != 1 {
				t.Error("a byte came before it was sent")
			}
		}
	}
}
