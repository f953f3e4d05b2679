package tcpsocket

import (
	"bytes"
	"io"
	"testing"
	"time"

	"encke/cause"
	"encke/whitelist"
)

// What a page sends right before it closes arrives, wherever the writer of what came
// before happens to be. Each round is a race of the two; the wrong order of two lines made
// a few in a thousand lose the last bytes.
func TestLastBytesBeforeClose(t *testing.T) {
	rules, err := whitelist.New("127.0.0.1:*")
	if err != nil {
		t.Fatal(err)
	}
	server := NewServer(NewDialer(rules, DialOptions{}), Options{MaxSockets: 10_000, OpenRate: 1 << 20, OpenBurst: 1 << 20})
	sender := &hooked{}
	mux := server.Mux(sender, Caller{})
	defer server.Wait()
	defer mux.Closed(cause.SessionLost.Err())
	dest, conns := listen(t)
	first, last := bytes.Repeat([]byte{'a'}, 33), []byte("z")
	for id := uint64(1); id <= 3000; id++ {
		end := Frame{Type: Close, Socket: id}
		if id%3 == 0 {
			end.Type = EOF
		}
		open := Frame{Type: Open, Socket: id, N: 1 << 16, Host: []byte(dest.Host), Port: uint64(dest.Port)}
		want := append(bytes.Clone(first), last...)
		pieces := [][]Frame{{open, {Type: Data, Socket: id, Data: first}}, {{Type: Data, Socket: id, Data: last}, end}}
		if id%2 == 0 {
			want = first
			pieces[1] = []Frame{end}
		}
		for _, frames := range pieces {
			if err := mux.Receive(wireOf(frames...)); err != nil {
				t.Fatal(err)
			}
			for begin, wait := time.Now(), time.Duration(id%200)*2*time.Microsecond; time.Since(begin) < wait; { // a dial takes so long
			}
		}
		far := <-conns
		got, err := io.ReadAll(far)
		far.Close()
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("round %d, %v: the backend got %q and %v, want %q and the end", id, end.Type, got, err, want)
		}
	}
}
