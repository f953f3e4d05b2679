package edge

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// quick is a connection whose client may send one request soon after another.
type quick struct {
	t   *testing.T
	l   *Listener
	far net.Conn
}

const getRequest = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

// newQuick returns one with a turn in which a request was read.
func newQuick(t *testing.T) (*quick, *turn) {
	near, far := net.Pipe()
	q := &quick{t: t, far: far, l: &Listener{
		opts:    Options{Stats: new(Stats), Idle: time.Minute, Patience: 5 * time.Second},
		resting: make(map[*Conn]struct{}), ready: make(chan net.Conn, 1), done: make(chan struct{}),
	}}
	turn := newConn(near, q.l).newTurn().(*turn)
	q.send(0, getRequest)
	readRequest(t, turn)
	return q, turn
}

func (q *quick) send(wait time.Duration, text string) {
	go func() { // ends when it is read
		time.Sleep(wait)
		io.WriteString(q.far, text)
	}()
}

// readRequest reads getRequest.
func readRequest(t *testing.T, from *turn) {
	t.Helper()
	p := make([]byte, 4<<10)
	for n := 0; n < len(getRequest); {
		k, err := from.Read(p)
		if err != nil {
			t.Fatal(err)
		}
		n += k
	}
}

// ends expects the turn to end with the connection at rest.
func (q *quick) ends(t *turn, least, most time.Duration) {
	q.t.Helper()
	began := time.Now()
	if _, err := t.Read(make([]byte, 4<<10)); err != io.EOF || len(q.l.resting) != 1 {
		q.t.Errorf("%v and %d at rest, want EOF and 1", err, len(q.l.resting))
	}
	if took := time.Since(began); took < least || took > most {
		q.t.Errorf("taken back after %v, want %v to %v", took, least, most)
	}
}

// again sends a request while the connection rests, and another soon after it.
func (q *quick) again() *turn {
	q.t.Helper()
	time.Sleep(nextSoon / 2)
	q.send(0, getRequest)
	t := (<-q.l.ready).(*turn)
	readRequest(q.t, t)
	q.send(nextSoon/2, getRequest)
	readRequest(q.t, t)
	return t
}

func TestTurnGoesOnForWhoSendsSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, turn := newQuick(t)
		q.ends(turn, 0, 0) // nobody knows yet that it does
		q.ends(q.again(), nextSoon, 2*nextSoon)
		q.far.Close()
		q.l.work.Wait()
	})
}

// net/http reads the first four bytes of a further request by the deadline for the wait.
func TestFirstBytesInATurnComeInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, turn := newQuick(t)
		q.ends(turn, 0, 0)
		turn = q.again()
		turn.SetReadDeadline(time.Now().Add(q.l.opts.Idle)) // as net/http does
		q.send(nextSoon/2, "GET")
		p := make([]byte, 4<<10)
		if n, err := turn.Read(p); n != 3 || err != nil {
			t.Fatalf("%d bytes, %v", n, err)
		}
		began := time.Now()
		if _, err := turn.Read(p); err == nil || time.Since(began) != q.l.opts.Patience {
			t.Errorf("%v after %v, want an error after %v", err, time.Since(began), q.l.opts.Patience)
		}
		turn.Close()
		q.far.Close()
		q.l.work.Wait()
	})
}
