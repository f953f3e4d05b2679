package transports

import (
	"bytes"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// writing is a wsConn over a pipe whose other end takes nothing until it is read.
type writing struct {
	*wsConn
	far    net.Conn
	behind chan bool // what drain returned
	drains int
}

func newWriting() *writing {
	near, far := net.Pipe()
	w := &writing{far: far, behind: make(chan bool, 10)}
	w.wsConn = newWSConn(near, nil, time.Hour, func() bool {
		w.drains++
		go func() {
			behind, _ := w.drain()
			w.behind <- behind
		}()
		return true
	})
	return w
}

func (w *writing) take(t *testing.T, n int) []byte {
	t.Helper()
	p := make([]byte, n)
	if _, err := io.ReadFull(w.far, p); err != nil {
		t.Fatal(err)
	}
	return p
}

// The library answers pings with a lock that the flusher needs. If that write
// waited for a client that does not read, so would whoever sends.
func TestWritesOfTheLibraryDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriting()
		began := time.Now()
		w.Write([]byte("pong,"))
		w.cork()
		w.Write([]byte("one,"))
		if done, err := w.uncork(); done || err != nil {
			t.Errorf("uncork while the client does not read: %v, %v", done, err)
		}
		w.Write([]byte("pong."))
		if took := time.Since(began); took != 0 {
			t.Errorf("writing waited for %v", took)
		}
		if got := string(w.take(t, 14)); got != "pong,one,pong." {
			t.Errorf("the client got %q", got)
		}
		if !<-w.behind || w.drains != 1 {
			t.Errorf("the flusher was not told that its part is written (%d drains)", w.drains)
		}
		w.Write([]byte("pong"))
		w.take(t, 4)
		if <-w.behind {
			t.Error("the flusher was told although it waits for nothing")
		}
		w.far.Close()
		w.Close()
	})
}

// What is written by reference arrives whole and in its place.
func TestLargeWritesKeepTheirPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriting()
		large := bytes.Repeat([]byte("x"), 3*smallPiece)
		want := []byte("first")
		w.Write(want)
		for range 10 {
			w.cork()
			w.Write(large)
			w.Write([]byte("|"))
			done, err := w.uncork()
			if done || err != nil {
				t.Fatal(done, err)
			}
			w.Write([]byte("pong"))
			want = append(append(append(want, large...), '|'), "pong"...)
			got := w.take(t, len(want))
			if !bytes.Equal(got, want) {
				t.Fatal("not what was written")
			}
			want = nil
			if !<-w.behind {
				t.Fatal("not told")
			}
		}
		w.far.Close()
		w.Close()
	})
}

// After a failed write nothing more is written: it would follow a hole.
func TestNothingIsWrittenBehindAHole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriting()
		w.Write([]byte("lost"))
		w.far.Close()
		<-w.behind
		if _, err := w.Write([]byte("more")); err == nil {
			t.Error("a write after a failed one succeeds")
		}
		w.cork()
		if _, err := w.uncork(); err == nil {
			t.Error("so does uncork")
		}
		w.abandon()
		if len(w.pending) != 0 {
			t.Error("something is still kept")
		}
	})
}

// A client that pings on and takes less than it is answered does not fill the memory.
func TestAnswersThatNobodyTakesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriting()
		pong := make([]byte, 127)
		written := 0
		for range 10_000 {
			if _, err := w.Write(pong); err != nil {
				break
			}
			written += len(pong)
		}
		if most := 2*maxAnswers + len(pong); written > most {
			t.Errorf("%d bytes of answers wait, want at most %d", written, most)
		}
		if written < maxAnswers {
			t.Errorf("no more than %d bytes of answers may wait", written)
		}
		w.far.Close()
		<-w.behind
		w.abandon()
	})
}
