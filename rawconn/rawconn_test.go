package rawconn_test

import (
	"bytes"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"encke/rawconn"
)

func tcpPair(t testing.TB) (a, b net.Conn) {
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

// Who has something to do before waiting is called before each read that may wait, and not
// while there is more to read.
func TestOnWait(t *testing.T) {
	pipeA, pipeB := net.Pipe()
	t.Cleanup(func() { pipeA.Close(); pipeB.Close() })
	tcpA, tcpB := tcpPair(t)
	for name, pair := range map[string][2]net.Conn{"tcp": {tcpA, tcpB}, "pipe": {pipeA, pipeB}} {
		t.Run(name, func(t *testing.T) {
			var buf [10]byte
			r := rawconn.NewReader(pair[1], func() []byte { return buf[:] }, func() {})
			asked, due := 0, true
			r.OnWait(func() bool { return due }, func() {
				asked, due = asked+1, false
				if asked <= 3 {
					go pair[0].Write(make([]byte, 30)) // what is waited for is the answer
				}
			})
			got := 0
			for got < 90 {
				n, err := r.Read()
				if err != nil {
					t.Fatal(err)
				}
				due = true
				if got += n; asked != (got+29)/30 {
					t.Fatalf("called %d times for %d bytes in pieces of 30", asked, got)
				}
			}
		})
	}
}

// What is called before waiting may close the connection.
func TestOnWaitMayClose(t *testing.T) {
	_, conn := tcpPair(t)
	var buf [10]byte
	r := rawconn.NewReader(conn, func() []byte { return buf[:] }, func() {})
	r.OnWait(func() bool { return true }, func() { conn.Close() })
	if n, err := r.Read(); err == nil {
		t.Errorf("read %d bytes of a closed connection", n)
	}
}

func TestEnded(t *testing.T) {
	a, b := tcpPair(t)
	p := make([]byte, 8)
	r := rawconn.NewReader(b, func() []byte { return p }, func() {})
	if r.Ended() {
		t.Error("nothing was sent yet")
	}
	a.Write([]byte("last"))
	a.Close()
	time.Sleep(10 * time.Millisecond) // for the end to arrive, which must not hide what is unread
	if r.Ended() {
		t.Error("not all was read")
	}
	if n, err := r.Read(); n != 4 || err != nil {
		t.Fatalf("Read = %d, %v", n, err)
	}
	for until := time.Now().Add(20 * time.Second); !r.Ended(); {
		if time.Now().After(until) {
			t.Fatal("the end is not seen")
		}
	}
	pipe, _ := net.Pipe()
	if rawconn.NewReader(pipe, nil, nil).Ended() {
		t.Error("a pipe cannot know")
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

// All pieces arrive in order, whatever the socket takes of them at a time.
func TestTryWriteAll(t *testing.T) {
	a, b := tcpPair(t)
	a.(*net.TCPConn).SetWriteBuffer(8 << 10)
	w := rawconn.NewWriter(a)
	var want []byte
	got := make(chan []byte)
	go func() {
		all, _ := io.ReadAll(b)
		got <- all
	}()
	many := slices.Repeat([]int{30 << 10, 5}, 20)
	for i, sizes := range [][]int{{}, {5}, {3, 4}, {16, 65509}, {300 << 10, 1}, {1, 300 << 10}, {200 << 10, 200 << 10, 7}, many} {
		var all []byte
		var pieces [][]byte
		for k, size := range sizes {
			pieces = append(pieces, bytes.Repeat([]byte{byte(20*i + k)}, size))
			all = append(all, pieces[k]...)
		}
		want = append(want, all...)
		rest, n, err := w.TryWriteAll(pieces)
		if left := bytes.Join(rest, nil); err != nil || !bytes.Equal(left, all[n:]) {
			t.Fatalf("TryWriteAll of %v wrote %d, %v, and left %d of %d", sizes, n, err, len(left), len(all))
		}
		for _, p := range rest { // as a caller must
			if _, err := a.Write(p); err != nil {
				t.Fatal(err)
			}
		}
	}
	a.Close()
	if all := <-got; !bytes.Equal(all, want) {
		t.Errorf("%d bytes arrived, want %d, or in another order", len(all), len(want))
	}
}
