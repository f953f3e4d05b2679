package rawconn_test

import (
	"bytes"
	"io"
	"net"
	"testing"

	"encke/rawconn"
)

func tcpPair(t *testing.T) (a, b net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	a, err = net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err = ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func TestReader(t *testing.T) {
	pipeA, pipeB := net.Pipe()
	t.Cleanup(func() { pipeA.Close(); pipeB.Close() })
	tcpA, tcpB := tcpPair(t)
	for name, pair := range map[string][2]net.Conn{"tcp": {tcpA, tcpB}, "pipe": {pipeA, pipeB}} {
		t.Run(name, func(t *testing.T) {
			want := bytes.Repeat([]byte("0123456789"), 5000)
			go func() {
				pair[0].Write(want)
				pair[0].Close()
			}()
			held, refused := 0, false
			place := func() []byte {
				if refused = !refused; refused {
					return nil // not now; the next call gets a slice
				}
				held++
				return make([]byte, 777)
			}
			var buf []byte
			keep := func() []byte { buf = place(); return buf }
			r := rawconn.NewReader(pair[1], keep, func() { held-- })
			var got []byte
			for {
				n, err := r.Read()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if n > 0 {
					got = append(got, buf[:n]...)
					held--
				}
			}
			if !bytes.Equal(got, want) {
				t.Errorf("got %d bytes, want the %d sent", len(got), len(want))
			}
			if held != 0 {
				t.Errorf("%d slices were not given back", held)
			}
		})
	}
}

func TestTryWriteStopsWhenFull(t *testing.T) {
	a, b := tcpPair(t)
	w := rawconn.NewWriter(a)
	chunk := bytes.Repeat([]byte{7}, 1<<20)
	total := 0
	for {
		n, err := w.TryWrite(chunk)
		if err != nil {
			t.Fatal(err)
		}
		total += n
		if n < len(chunk) {
			break
		}
	}
	a.Close()
	got, err := io.Copy(io.Discard, b)
	if err != nil || got != int64(total) {
		t.Errorf("%d bytes arrived (%v), want the %d that TryWrite took", got, err, total)
	}
}

func TestTryWriteOnAPipeTakesNothing(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if n, err := rawconn.NewWriter(a).TryWrite([]byte("x")); n != 0 || err != nil {
		t.Errorf("TryWrite on a pipe = %d, %v; want 0, nil", n, err)
	}
}
