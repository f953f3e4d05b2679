package demo

import (
	"fmt"
	"io"
	"time"
)

// countEvery is the pause between two lines of the counter: slow enough to read,
// fast enough to see a gap.
const countEvery = 250 * time.Millisecond

// startCounter starts a server that speaks without being asked: a line with a
// number, from 1, and the time of day in UTC, four times a second and for as long
// as the other side keeps its half open.
func startCounter() (backend, error) {
	l, err := listen()
	if err != nil {
		return backend{}, err
	}
	return l.serve(count), nil
}

func count(c *conn) {
	gone := make(chan struct{})
	c.owner.served.Go(func() { // ended by the peer, or by count closing c
		defer close(gone)
		_, _ = io.Copy(io.Discard, c.TCPConn)
	})

	tick := time.NewTicker(countEvery)
	defer tick.Stop()
	for n := 1; ; n++ {
		if _, err := fmt.Fprintf(c, "%d %s\n", n, time.Now().UTC().Format("15:04:05.000")); err != nil {
			return
		}
		select {
		case <-tick.C:
		case <-gone:
			return
		}
	}
}
