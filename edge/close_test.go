package edge

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// A connection that is closed while a request goes on does not wait for its client, even
// if that has sent something malformed behind the request: who stops the server closes
// one connection after the other.
func TestCloseDuringARequestDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		c := newConn(near, &Listener{opts: Options{Stats: new(Stats)}}).newTurn().(*turn)
		go io.WriteString(far, getRequest+"\x01")
		readRequest(t, c)
		if n, err := c.Read(make([]byte, 1)); n != 0 || err != nil { // as net/http does while a handler runs
			t.Fatalf("%d bytes (%v) are read ahead of a handler", n, err)
		}
		began := time.Now()
		c.Close()
		if took := time.Since(began); took != 0 {
			t.Errorf("closing took %v", took)
		}
	})
}

// One whose request was refused waits until the client has the answer.
func TestCloseBehindARefusalWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		c := newConn(near, &Listener{opts: Options{Stats: new(Stats)}}).newTurn().(*turn)
		go func() {
			io.WriteString(far, "\x01")
			io.ReadAll(far) // the answer
		}()
		p := make([]byte, 4<<10)
		if _, err := c.Read(p); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		c.Close()
		if took := time.Since(began); took != goodbye {
			t.Errorf("closing took %v, want the %v that a client has", took, goodbye)
		}
	})
}

// slowToClose takes its time, as TLS does where the client reads nothing.
type slowToClose struct{ net.Conn }

func (c slowToClose) Close() error {
	time.Sleep(5 * time.Second)
	return c.Conn.Close()
}

// Connections that wait for a request are closed together.
func TestRestingConnectionsCloseTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &Listener{opts: Options{Stats: new(Stats)}, resting: make(map[*Conn]struct{})}
		for range 100 {
			near, far := net.Pipe()
			defer far.Close()
			if !l.rest(newConn(slowToClose{near}, l)) {
				t.Fatal("the listener is closed")
			}
		}
		began := time.Now()
		l.closeResting()
		l.work.Wait()
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("closing 100 connections took %v", took)
		}
	})
}
