package hostile

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// TestSlowRequests: requests that do not come to their end hold a connection for a few
// seconds at most, get nothing and open nothing. The times are the proxy's own; what is
// asserted is that the connection ends at all.
func TestSlowRequests(t *testing.T) {
	t.Parallel() // it waits, other tests work
	r := newRig(t)
	e := endpoint{name: "send", method: "POST"}
	whole := string(e.plain(r, fresh()).bytes())
	head, body, _ := strings.Cut(whole, "\r\n\r\n")
	chunked := string(e.plain(r, fresh()).chunked(4).bytes())
	upgraded := endpoints[0].plain(r, "")
	upgraded.behind = ""
	var none []string
	for name, c := range map[string]struct {
		sent    string
		drip    bool     // go on with a byte now and then
		answers []string // that may come before the end
	}{
		"nothing":                       {"", false, none},
		"half a request line":           {"GET /TCPSo", false, none},
		"half a head":                   {head[:len(head)/2], false, none},
		"a head that drips":             {head, true, none},
		"a head without its last line":  {head + "\r\n", false, none},
		"no body":                       {head + "\r\n\r\n", false, none},
		"half a body":                   {head + "\r\n\r\n" + body[:9], false, none},
		"half a chunk":                  {chunked[:len(chunked)-20], false, none},
		"no last chunk":                 {strings.TrimSuffix(chunked, "0\r\n\r\n"), false, none},
		"a body for a file":             {"GET /TCPSocket.js HTTP/1.1\r\nHost: " + r.addr + "\r\nContent-Length: 9\r\n\r\n", false, []string{"200"}},
		"a body behind a wrong method":  {strings.Replace(head, "POST", "PUT", 1) + "\r\n\r\n", false, []string{"405"}},
		"a body from a foreign page":    {strings.Replace(head, listed, "https://eViL.test", 1) + "\r\n\r\n", false, []string{"403"}},
		"a WebSocket without a hello":   {string(upgraded.bytes()), false, []string{"101"}},
		"a WebSocket with half a frame": {string(upgraded.bytes()) + frame(2, fresh())[:9], false, []string{"101"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", r.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(4 * patience))
			if _, err := io.WriteString(conn, c.sent); err != nil {
				t.Fatal(err)
			}
			if c.drip {
				done := make(chan struct{})
				defer close(done)
				go func() { // until the connection or the test ends
					for tick := time.NewTicker(time.Second); ; {
						select {
						case <-tick.C:
							if _, err := io.WriteString(conn, "X"); err != nil {
								return
							}
						case <-done:
							return
						}
					}
				}()
			}
			got, err := io.ReadAll(bufio.NewReader(conn))
			if isTimeout(err) {
				t.Fatalf("the connection is still there; it got %q", got)
			}
			for _, status := range c.answers {
				if !strings.HasPrefix(string(got), "HTTP/1.1 "+status) {
					t.Errorf("got %.100q, want %s", got, status)
				}
			}
			if len(c.answers) == 0 && len(got) > 0 && !strings.HasPrefix(string(got), "HTTP/1.1 4") {
				t.Errorf("got %.100q", got)
			}
		})
	}
	t.Cleanup(func() { // before the rig is closed, after the tests above
		r.beat(t)
		if n := r.app.Stats().Sessions.Opened; n != 1 {
			t.Errorf("%d sessions were opened, want that of the healthy socket", n)
		}
	})
}
