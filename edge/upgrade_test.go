package edge_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"encke/edge"
)

const upgradeIt = "GET /up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"

// newUpgradeSite returns a site and what serves requests for WebSockets in place of its
// http.Server.
func newUpgradeSite(t *testing.T, serve http.HandlerFunc) *site {
	return newSite(t, edge.Options{Upgrades: serve})
}

// Whoever takes over such a connection gets it as from net/http; what is uncommon about
// a request is left to net/http.
func TestUpgradesAreServed(t *testing.T) {
	s := newUpgradeSite(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Upgrade", "websocket")
		w.WriteHeader(http.StatusSwitchingProtocols)
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		if rw.Reader.Buffered() > 0 {
			t.Error("something is buffered")
		}
		below, ahead := conn.(interface{ Detach() (net.Conn, []byte) }).Detach()
		defer below.Close()
		io.WriteString(below, "["+r.URL.Path+" "+r.Header.Get("A")+" "+r.RemoteAddr[:10]+" "+string(ahead))
		io.Copy(below, below)
		io.WriteString(below, "]")
	})
	head := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
	for _, ahead := range []string{"", "ahead"} {
		conn := s.dial(t)
		io.WriteString(conn, upgradeIt+"A: b\r\n\r\n"+ahead)
		want := head + "[/up b 127.0.0.1: " + ahead
		got := make([]byte, len(want))
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
			t.Fatalf("%q, %v", got, err)
		}
		io.WriteString(conn, "frames")
		conn.(*net.TCPConn).CloseWrite()
		if got := s.rest(t, conn); got != "frames]" {
			t.Errorf("%q", got)
		}
	}
	for _, uncommon := range []string{
		"POST" + upgradeIt[3:] + "\r\n",
		strings.Replace(upgradeIt, "1.1", "1.0", 1) + "\r\n",
		strings.Replace(upgradeIt, "websocket", "h2c", 1) + "\r\n",
		upgradeIt + "Expect: 100-continue\r\n\r\n",
		strings.Replace(upgradeIt, "Host: a", "Host: a b", 1) + "\r\n",
	} {
		conn := s.dial(t)
		io.WriteString(conn, uncommon)
		conn.(*net.TCPConn).CloseWrite()
		if got := s.rest(t, conn); strings.Contains(got, " 101 ") {
			t.Errorf("%q was answered %q", uncommon, got)
		}
	}
	if got := s.requests(); len(got) != 4 { // the one with a malformed Host is refused
		t.Errorf("net/http served %q", got)
	}
}

// A request that is not answered with an upgrade is the last, and the client gets the
// whole answer whatever it sends behind.
func TestRefusedUpgrades(t *testing.T) {
	for _, c := range []struct {
		name  string
		serve http.HandlerFunc
		want  string // begin and end
	}{
		{"error", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }, "HTTP/1.1 403 Forbidden\r\n...\r\n\r\nno\n"},
		{"body", func(w http.ResponseWriter, _ *http.Request) {
			http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute))
			w.Write(make([]byte, 1<<20))
			w.WriteHeader(http.StatusTeapot)
			io.WriteString(w, "end")
		}, "HTTP/1.1 200 OK\r\n...\x00end"},
		{"stream", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "begin")
			if http.NewResponseController(w).Flush() == nil {
				io.WriteString(w, "end")
			}
		}, "HTTP/1.1 200 OK\r\n...beginend"},
		{"nothing", func(http.ResponseWriter, *http.Request) {}, "HTTP/1.1 200 OK\r\n...\r\n\r\n"},
		{"panic", func(http.ResponseWriter, *http.Request) { panic("a fault") }, "..."},
		{"aborted", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "..."},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newUpgradeSite(t, c.serve)
			got := s.talk(t, upgradeIt+"\r\n"+last)
			begin, end, _ := strings.Cut(c.want, "...")
			if !strings.HasPrefix(got, begin) || !strings.HasSuffix(got, end) || begin != "" && !strings.Contains(got, "\r\nConnection: close\r\n") {
				t.Errorf("answered with %.200q", got)
			}
			if seen := s.requests(); len(seen) > 0 {
				t.Errorf("net/http served %q", seen)
			}
			if n := s.stats.Copy().Open; n != 0 {
				eventuallyClosed(t, s)
			}
		})
	}
}

// eventuallyClosed waits until the listener has no connection.
func eventuallyClosed(t *testing.T, s *site) {
	t.Helper()
	for range 1000 {
		if s.stats.Copy().Open == 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("%d connections are open", s.stats.Copy().Open)
}

// Closing the listener cuts an answer under way.
func TestCloseCutsRefusedUpgrades(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	began, ended := make(chan bool), make(chan error, 1)
	ln := edge.Listen(inner, edge.Options{Upgrades: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(began)
		for {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				ended <- err
				return
			}
		}
	})})
	conn, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, upgradeIt+"\r\n")
	<-began
	ln.Close()
	if err := <-ended; err == nil {
		t.Error("the answer ended well")
	}
}

// The deadline for the answer to an earlier request is not that of this one.
func TestUpgradeOnAConnectionThatWasUsed(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	until := make(chan time.Time, 1)
	serve := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			by := time.Now().Add(2 * time.Second)
			http.NewResponseController(w).SetWriteDeadline(by)
			until <- by
		}
		io.WriteString(w, "answer")
	})
	ln := edge.Listen(inner, edge.Options{Upgrades: serve})
	srv := &http.Server{Handler: serve}
	served := make(chan struct{})
	go func() { srv.Serve(ln); close(served) }()
	defer func() { srv.Close(); <-served }()
	conn, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	io.WriteString(conn, getIt)
	br := bufio.NewReader(conn)
	resp, err := http.ReadResponse(br, nil)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	<-time.After(time.Until(<-until) + 100*time.Millisecond)
	io.WriteString(conn, upgradeIt+"\r\n")
	if got, err := io.ReadAll(br); !strings.HasSuffix(string(got), "\r\n\r\nanswer") || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// A request for a WebSocket may come behind an answer that was taken from net/http, or while
// it is under way.
func TestUpgradeBehindATakenAnswer(t *testing.T) {
	for _, early := range []bool{false, true} {
		served := make(chan string, 1)
		stats := new(edge.Stats)
		addr, conns, _, stop := taking(t, edge.Options{Stats: stats, Upgrades: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			below, ahead := conn.(interface{ Detach() (net.Conn, []byte) }).Detach()
			below.Close()
			served <- string(ahead)
		})})
		client, br := dialed(t, addr)
		io.WriteString(client, getIt)
		c := <-conns
		ended := make(chan error, 1)
		go func() { ended <- c.Await() }()
		if early {
			io.WriteString(client, upgradeIt+"\r\nframes")
			<-ended
		}
		io.WriteString(c.below, "answer\n")
		c.Answered()
		if line, err := br.ReadString('\n'); line != "answer\n" {
			t.Errorf("%q %v", line, err)
		}
		if !early {
			io.WriteString(client, upgradeIt+"\r\nframes")
			<-ended
		}
		if ahead := <-served; ahead != "frames" {
			t.Errorf("early %v: %q is ahead", early, ahead)
		}
		stop()
		if n := stats.Open.Load(); n != 0 {
			t.Errorf("%d connections are open", n)
		}
	}
}
