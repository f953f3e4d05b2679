package orbited07

import (
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"encke/cause"
)

// openSession opens a session and connects it, over a short poll.
func openSession(t *testing.T) *theatre {
	t.Helper()
	th := &theatre{t: t, answers: make(map[string]*answer)}
	th.r = newRig(t, openFunc(th.dial), nil)
	th.ask("key", "GET", "/tcp", "")
	th.key = th.body("key")
	th.ask("open", "GET", "/tcp/KEY/poll", "")
	th.ask("shake", "POST", "/tcp/KEY?ack=2", "11,114,data020,bG9jYWxob3N0Ojk5OTkK")
	th.ask("one", "GET", "/tcp/KEY/poll?ack=2", "")
	if got := th.body("one"); got != "11,314,data04,MQ==" {
		t.Fatalf("the answer to the handshake is %q", got)
	}
	return th
}

// body returns what has come of an answer since the last call.
func (th *theatre) body(name string) string {
	a := th.answers[name]
	a.mu.Lock()
	defer a.mu.Unlock()
	text, _ := io.ReadAll(&a.body)
	return string(text)
}

func (th *theatre) ended(name string) bool {
	a := th.answers[name]
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ended
}

// packets returns what has come of an answer, in packets.
func (th *theatre) packets(name string) [][]string {
	th.t.Helper()
	var r reader
	packets, err := r.feed(th.body(name))
	if err != nil {
		th.t.Fatal(err)
	}
	return packets
}

func (th *theatre) stop() {
	for _, a := range th.answers {
		a.cancel()
	}
	if th.backend != nil {
		th.backend.Close()
	}
	th.r.stop()
	synctest.Wait()
}

// A client takes 600 packets at most in one answer; it would throw at 2,000 strings.
func TestPacketsOfOneAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := openSession(t)
		defer th.stop()
		th.ask("frame", "GET", "/tcp/KEY/htmlfile?ack=3", "") // which has no such bound
		for range 700 {
			th.backend.Write([]byte("a")) // a packet each, as it is taken at once
			synctest.Wait()
		}
		for _, c := range []struct {
			transport string
			ack, want int
			ended     bool
		}{
			{"longpoll", 3, 600, true},
			{"xhrstream", 3, 600, true},
			{"poll", 603, 100, true},
			{"xhrstream", 603, 100, false},
		} {
			th.ask("x", "GET", fmt.Sprintf("/tcp/KEY/%s?ack=%d", c.transport, c.ack), "")
			packets := th.packets("x")
			if len(packets) != c.want || th.ended("x") != c.ended {
				t.Errorf("%s from %d: %d packets, ended: %v; want %d, %v", c.transport, c.ack, len(packets), th.ended("x"), c.want, c.ended)
			} else if first := packets[0][0]; first != strconv.Itoa(c.ack+1) {
				t.Errorf("%s from %d: begins with packet %s", c.transport, c.ack, first)
			}
			th.answers["x"].cancel()
		}
	})
}

// Packets are small, so that streams move, and a stream ends after 1 MiB.
func TestStreamEndsAfterAMegabyte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := openSession(t)
		defer th.stop()
		said := make(chan int)
		go func() {
			n, _ := th.backend.Write(make([]byte, 2<<20))
			said <- n
		}()
		got, ack, streams, sent := 0, 3, 0, 1
		for got < 2<<20 {
			streams++
			th.ask("x", "GET", fmt.Sprintf("/tcp/KEY/xhrstream?ack=%d", ack), "")
			length := 0
			for done := false; !done; {
				done = th.ended("x")
				text := th.body("x")
				length += len(text)
				var r reader
				packets, err := r.feed(text)
				if err != nil || r.rest != "" {
					t.Fatalf("%v, and %d characters behind the last packet", err, len(r.rest))
				}
				for _, p := range packets {
					data, err := base64.StdEncoding.DecodeString(p[2])
					if err != nil || len(data) > 16<<10 {
						t.Fatalf("packet %s of %d bytes, %v", p[0], len(data), err)
					}
					got += len(data)
					ack++
				}
				if !done && len(packets) == 0 {
					break // all that a client gets which acknowledges nothing
				}
				if !done {
					sent++
					th.ask("ping", "POST", fmt.Sprintf("/tcp/KEY?ack=%d", ack), fmt.Sprintf("1%d,%d14,ping00,", len(strconv.Itoa(sent)), sent))
				}
			}
			th.answers["x"].cancel()
			if length > maxBytes+256+2*batchBytes {
				t.Errorf("a stream of %d bytes", length)
			}
		}
		if n := <-said; n != 2<<20 || got != n || streams < 3 {
			t.Errorf("the backend said %d bytes, the client got %d over %d streams", n, got, streams)
		}
	})
}

// A client that takes nothing stops the backend.
func TestBackendWaitsForTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := openSession(t)
		defer th.stop()
		said := 0
		go func() {
			for {
				n, err := th.backend.Write(make([]byte, 8<<10))
				if err != nil {
					return
				}
				said += n
			}
		}()
		synctest.Wait()
		if said < 128<<10 || said > 512<<10 {
			t.Errorf("the backend could say %d bytes to nobody", said)
		}
	})
}

// deaf makes a backend that reads nothing.
func deaf(t *testing.T) *theatre {
	th := &theatre{t: t, answers: make(map[string]*answer)}
	near, far := net.Pipe()
	th.backend = far
	th.r = newRig(t, openFunc(func(dest) (net.Conn, error) { return near, nil }), nil)
	th.ask("key", "GET", "/tcp", "")
	th.key = th.body("key")
	th.ask("open", "GET", "/tcp/KEY/poll", "")
	th.ask("shake", "POST", "/tcp/KEY?ack=2", "11,114,data020,bG9jYWxob3N0Ojk5OTkK")
	th.ask("one", "GET", "/tcp/KEY/poll?ack=2", "")
	return th
}

// stuck is deaf with POSTs that wait for the backend.
func stuck(t *testing.T) *theatre {
	th := deaf(t)
	text := base64.StdEncoding.EncodeToString(make([]byte, 300<<10))
	th.ask("large", "POST", "/tcp/KEY?ack=3", fmt.Sprintf("11,214,data0%d,%s", len(text), text))
	th.ask("next", "POST", "/tcp/KEY?ack=3", "11,314,data04,YQ==")
	if th.ended("large") || th.ended("next") {
		t.Fatal("a POST was answered though the backend is full")
	}
	return th
}

func TestFullBackendHoldsPosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := stuck(t)
		defer th.stop()
		if n, err := io.ReadFull(th.backend, make([]byte, 300<<10+1)); err != nil {
			t.Errorf("the backend got %d bytes, %v", n, err)
		}
		synctest.Wait()
		for _, name := range []string{"large", "next"} {
			if !th.ended(name) || th.body(name) != "OK" {
				t.Errorf("POST %s is not answered though there is room", name)
			}
		}
	})
}

func TestEndOfSessionFreesPosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := stuck(t)
		defer th.stop()
		th.r.sessions.Close(closedForTest)
		synctest.Wait()
		if !th.ended("large") || !th.ended("next") {
			t.Error("a POST waits on for a session that is over")
		}
	})
}

// A client that went away waits for nothing; the next POST does.
func TestPostOfAClientThatLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := stuck(t)
		defer th.stop()
		th.answers["large"].cancel()
		synctest.Wait()
		if !th.ended("large") || th.ended("next") {
			t.Errorf("the POST of a client that left has ended: %v, the next one: %v", th.ended("large"), th.ended("next"))
		}
	})
}

// A backend that takes nothing does not keep a session whose client has closed.
func TestClosingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := stuck(t)
		defer th.stop()
		th.answers["large"].cancel()
		th.answers["next"].cancel()
		synctest.Wait()
		c, err := th.find()
		if err != nil {
			t.Fatal(err)
		}
		c.leave()
		time.Sleep(16 * time.Second)
		synctest.Wait()
		if _, err := th.find(); err == nil {
			t.Error("the session lives on")
		}
	})
}

// The session ends when nobody asks for it any more.
func TestAbandonedSessionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := openSession(t)
		defer th.stop()
		time.Sleep(121 * time.Second)
		synctest.Wait()
		th.ask("late", "GET", "/tcp/KEY/longpoll?ack=3", "")
		if status := th.answers["late"].status; status != 404 || !strings.Contains(th.body("late"), "no such session") {
			t.Errorf("status %d, want 404", status)
		}
	})
}

// Packets of one byte brake a client before it holds more than their bytes.
func TestSmallPacketsHoldPosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := deaf(t)
		defer th.stop()
		var small strings.Builder
		for id := 2; id < 2000; id++ {
			fmt.Fprintf(&small, "1%d,%d14,data04,YQ==", len(strconv.Itoa(id)), id)
		}
		th.ask("small", "POST", "/tcp/KEY?ack=3", small.String())
		if th.ended("small") {
			t.Error("2,000 buffers are kept, and the client may send more")
		}
	})
}

// POSTs that come again and again while one waits do not pile up: nobody sees that their
// clients have left, as their bodies are not read.
func TestPostsDoNotPileUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := stuck(t)
		defer th.stop()
		th.ask("again", "POST", "/tcp/KEY?ack=3", "11,314,data04,YQ==")
		if !th.ended("next") || th.ended("large") || th.ended("again") {
			t.Errorf("ended: the first %v, the second %v, the third %v; want the second", th.ended("large"), th.ended("next"), th.ended("again"))
		}
	})
}

// broken is a backend that resets the connection.
type broken struct{ net.Conn }

func (broken) Read([]byte) (int, error) { return 0, syscall.ECONNRESET }

// The record of a socket says what its backend did.
func TestResetOfTheBackend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := &theatre{t: t, answers: make(map[string]*answer)}
		near, far := net.Pipe()
		th.backend = far
		th.r = newRig(t, openFunc(func(dest) (net.Conn, error) { return broken{near}, nil }), nil)
		defer th.stop()
		th.ask("key", "GET", "/tcp", "")
		th.key = th.body("key")
		th.ask("open", "GET", "/tcp/KEY/poll", "")
		th.ask("shake", "POST", "/tcp/KEY?ack=2", "11,114,data020,bG9jYWxob3N0Ojk5OTkK")
		th.ask("end", "GET", "/tcp/KEY/poll?ack=2", "")
		if got, want := th.body("end"), "11,314,data04,MQ==11,415,close014,loseConnection"; got != want {
			t.Errorf("the client is told %q, want %q", got, want)
		}
		if n := th.r.sockets.Stats().Ended[cause.Reset]; n != 1 {
			t.Errorf("%d sockets were reset, want 1", n)
		}
	})
}
