package transports_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/csp"
	"encke/transports"
)

// conn is a connection to the proxy, spoken by hand.
type conn struct {
	net.Conn
	t  *testing.T
	br *bufio.Reader
}

func (r *rig) connect() *conn {
	r.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(time.Minute)) // against hanging for ever
	return &conn{c, r.t, bufio.NewReader(c)}
}

// posted is a request as it lies on the wire.
func (r *rig) posted(version, path string, body []byte) string {
	return fmt.Sprintf("POST /session/%s HTTP/%s\r\nHost: %s\r\nOrigin: %s\r\nContent-Length: %d\r\n\r\n%s",
		path, version, strings.TrimPrefix(r.url, "http://"), r.url, len(body), body)
}

// answer reads one response whole.
func (c *conn) answer() (*http.Response, []byte) {
	c.t.Helper()
	resp, err := http.ReadResponse(c.br, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp, body
}

// Polls and what else comes over one connection are answered in their order, also those
// that are sent while an answer is open.
func TestRequestsBehindAnOpenAnswer(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	id := r.open()
	c := r.connect()
	io.WriteString(c, r.posted("1.1", "long-polling", resume(id, 0))+r.posted("1.1", "send", resume("unknown", 0)))
	r.post("send", join(resume(id, 0), packets(1, "hi"))) // its echo answers the poll
	if _, body := c.answer(); !strings.HasSuffix(string(body), "\x05\x02hi") {
		t.Errorf("the poll is answered with %q", body)
	}
	if resp, _ := c.answer(); resp.StatusCode != 404 {
		t.Errorf("the request behind it is answered with %s", resp.Status)
	}
	for range 3 {
		io.WriteString(c, r.posted("1.1", "long-polling?hold=1", resume(id, 1)))
		if resp, _ := c.answer(); resp.StatusCode != 200 || resp.Close {
			t.Errorf("a poll over the same connection: %s", resp.Status)
		}
	}
}

// A client that wants the connection to end has it end with the answer, which then needs
// no frame.
func TestLastAnswerOfAConnection(t *testing.T) {
	for _, version := range []string{"1.0", "1.1"} {
		for _, path := range []string{"long-polling?hold=1", "fetch-streaming?hold=1"} {
			r := newRig(t, transports.Options{}, csp.Options{})
			id := r.open()
			c := r.connect()
			io.WriteString(c, strings.Replace(r.posted(version, path, resume(id, 0)), "\r\nOrigin", "\r\nConnection: close\r\nOrigin", 1))
			s, err := r.server.Resume(id)
			if err != nil {
				t.Fatal(err)
			}
			head, err := c.br.Peek(8)
			if err != nil || string(head) != "HTTP/1.1" {
				t.Fatalf("%q %v", head, err)
			}
			s.Close(cause.Denied.Err())
			resp, body := c.answer()
			if len(body) == 0 || !resp.Close || len(resp.TransferEncoding) > 0 {
				t.Errorf("HTTP/%s %s: %q, %v", version, path, body, resp)
			}
			if n, err := c.br.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("HTTP/%s %s: %d bytes (%v) behind the answer", version, path, n, err)
			}
		}
	}
}

// A client that leaves an open answer takes its link along, at once.
func TestClientLeavesAnOpenAnswer(t *testing.T) {
	each(t, "link", func(t *testing.T, netHTTP bool) {
		r := newRigOf(t, transports.Options{}, csp.Options{Linger: 100 * time.Millisecond}, netHTTP)
		id := r.open()
		c := r.connect()
		io.WriteString(c, r.posted("1.1", "fetch-streaming?hold=60", resume(id, 0)))
		if _, err := c.br.Peek(8); err != nil {
			t.Fatal(err)
		}
		c.Close()
		for deadline := time.Now().Add(20 * time.Second); r.server.Stats().Live > 0; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("a session without a link does not expire")
			}
		}
	})
}

// An open answer counts as a request of its address also when the next one is behind it.
func TestRequestsBehindOpenAnswersCount(t *testing.T) {
	r := newRig(t, transports.Options{AddressRequests: 1}, csp.Options{})
	id := r.open()
	c := r.connect()
	poll := r.posted("1.1", "long-polling?hold=60", resume(id, 0))
	io.WriteString(c, poll+poll)
	r.attached(1)
	for range 20 {
		if resp := r.post("send", resume(id, 0)); resp.StatusCode != http.StatusTooManyRequests {
			t.Fatalf("a second request beside an open answer: %s", resp.Status)
		}
	}
}

// attached waits until n downlinks have begun.
func (r *rig) attached(n uint64) {
	r.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); r.server.Stats().Attached < n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatal("no downlink begins")
		}
	}
}

// A link whose client takes nothing is cut after a while, and its session waits for another.
func TestLinksThatTakeNothingAreCut(t *testing.T) {
	for _, path := range []string{"fetch-streaming?hold=60", "websocket"} {
		r := newRig(t, transports.Options{WriteTimeout: 100 * time.Millisecond}, csp.Options{SendBuffer: 32 << 20, Linger: 2 * time.Second})
		id := r.open()
		s, err := r.server.Resume(id)
		if err != nil {
			t.Fatal(err)
		}
		if path == "websocket" {
			r.say(r.websocket(), resume(id, 0))
		} else {
			io.WriteString(r.connect(), r.posted("1.1", path, resume(id, 0)))
		}
		r.attached(1)
		for range 256 {
			piece := buffer.Get(buffer.Max)
			piece.Extend(buffer.Max)
			if err := s.Send(piece, 0); err != nil {
				break // it was cut already
			}
		}
		for deadline := time.Now().Add(20 * time.Second); r.server.Stats().Expired == 0; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: the link is not cut", path)
			}
		}
	}
}

// When the proxy stops, an answer that its client does not read is cut, whether or not the
// client has sent another request.
func TestUnreadAnswersAreCut(t *testing.T) {
	for _, behind := range []string{"", "POST"} {
		r := newRig(t, transports.Options{WriteTimeout: time.Hour}, csp.Options{SendBuffer: 32 << 20})
		id := r.open()
		c := r.connect()
		io.WriteString(c, r.posted("1.1", "fetch-streaming?hold=60", resume(id, 0))+behind)
		r.attached(1)
		s, err := r.server.Resume(id)
		if err != nil {
			t.Fatal(err)
		}
		for range 256 {
			piece := buffer.Get(buffer.Max)
			piece.Extend(buffer.Max)
			if err := s.Send(piece, 0); err != nil {
				t.Fatal(err)
			}
		}
		s.Close(cause.Denied.Err())
		done := make(chan struct{})
		go func() { r.h.Wait(100 * time.Millisecond); close(done) }()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			c.Close()
			t.Errorf("with %q behind it an answer is waited for", behind)
			<-done
		}
	}
}
