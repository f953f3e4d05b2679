package hostile

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"encke/cmd/encke/app"
)

// TestSlowRequests: requests that do not come to their end hold a connection for as long
// as the operator allows, get nothing and open nothing. What is asserted is that the
// connection ends at all.
func TestSlowRequests(t *testing.T) {
	t.Parallel() // it waits, other tests work
	r := newRigWith(t, app.Limits{HeaderTimeout: time.Second, BodyTimeout: 2 * time.Second})
	e := endpoint{name: "send", method: "POST"}
	whole := string(e.plain(r, fresh()).bytes())
	head, body, _ := strings.Cut(whole, "\r\n\r\n")
	chunked := string(e.plain(r, fresh()).chunked(4).bytes())
	upgraded := endpoints[0].plain(r, "")
	upgraded.behind = ""
	var waiting []func()
	for name, c := range map[string]struct {
		sent   string
		drip   bool   // go on with a byte now and then
		status string // of the answer that comes before the end; "": none, or that it came too slowly
	}{
		"nothing":                       {"", false, ""},
		"half a request line":           {"GET /TCPSo", false, ""},
		"half a head":                   {head[:len(head)/2], false, ""},
		"a head that drips":             {head, true, ""},
		"a head without its last line":  {head + "\r\n", false, ""},
		"no body":                       {head + "\r\n\r\n", false, ""},
		"half a body":                   {head + "\r\n\r\n" + body[:9], false, ""},
		"a body that drips":             {head + "\r\n\r\n", true, ""},
		"half a chunk":                  {chunked[:len(chunked)-20], false, ""},
		"no last chunk":                 {strings.TrimSuffix(chunked, "0\r\n\r\n"), false, ""},
		"a body for a file":             {"GET /TCPSocket.js HTTP/1.1\r\nHost: " + r.addr + "\r\nContent-Length: 9\r\n\r\n", false, "200"},
		"a body behind a wrong method":  {strings.Replace(head, "POST", "PUT", 1) + "\r\n\r\n", false, "405"},
		"a body from a foreign page":    {strings.Replace(head, listed, "https://eViL.test", 1) + "\r\n\r\n", false, "403"},
		"a WebSocket without a hello":   {string(upgraded.bytes()), false, "101"},
		"a WebSocket with half a frame": {string(upgraded.bytes()) + frame(2, fresh())[:9], false, "101"},
	} {
		ended := make(chan outcome, 1)
		go func() { ended <- stall(r.addr, c.sent, c.drip) }() // all of them wait at once
		waiting = append(waiting, func() {
			t.Run(name, func(t *testing.T) {
				got := <-ended
				switch {
				case got.err != nil:
					t.Fatalf("%v; it got %q", got.err, got.text)
				case c.status == "" && got.text != "" && !strings.HasPrefix(got.text, "HTTP/1.1 4"),
					c.status != "" && !strings.HasPrefix(got.text, "HTTP/1.1 "+c.status):
					t.Errorf("got %.100q, want status %q", got.text, c.status)
				}
			})
		})
	}
	for _, wait := range waiting {
		wait()
	}
	r.beat(t)
	if n := r.app.Stats().Sessions.Opened; n != 1 {
		t.Errorf("%d sessions were opened, want that of the healthy socket", n)
	}
}

// outcome is what a connection got until it ended.
type outcome struct {
	text string
	err  error // why the test gave up waiting
}

// stall sends something, and with drip a byte now and then behind it, until the proxy ends
// the connection.
func stall(addr, sent string, drip bool) outcome {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return outcome{"", err}
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(4 * patience))
	if _, err := io.WriteString(conn, sent); err != nil {
		return outcome{"", err}
	}
	if drip {
		over := make(chan struct{})
		var dripping sync.WaitGroup
		dripping.Go(func() { // until the connection is over
			tick := time.NewTicker(300 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-tick.C:
					if _, err := io.WriteString(conn, "X"); err != nil {
						return
					}
				case <-over:
					return
				}
			}
		})
		defer dripping.Wait()
		defer close(over)
	}
	got, err := io.ReadAll(conn)
	if !isTimeout(err) {
		err = nil // closed or reset
	}
	return outcome{string(got), err}
}
