package netns_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"encke/integration/netns"
)

// echo listens in the server's namespace and sends back what comes.
func echo(t *testing.T, w *netns.Wire) (addr string, port int) {
	t.Helper()
	var ln net.Listener
	var err error
	w.Server.Do(func() { ln, err = net.Listen("tcp4", netns.ServerIP+":0") })
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	stopped := make(chan struct{})
	t.Cleanup(func() {
		_ = ln.Close()
		close(stopped)
		all.Wait()
	})
	all.Go(func() { // until the listener is closed
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() { // until the test is over: a broken network ends no connection
				<-stopped
				_ = conn.Close()
			})
			all.Go(func() { // until the other side ends, or that
				_, _ = io.Copy(conn, conn)
				_ = conn.Close()
			})
		}
	})
	return ln.Addr().String(), ln.Addr().(*net.TCPAddr).Port
}

func dial(t *testing.T, w *netns.Wire, addr string) net.Conn {
	t.Helper()
	conn, err := w.Client.Dial(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func say(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := conn.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	hear(t, conn, text)
}

func hear(t *testing.T, conn net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
		t.Fatalf("read %q, %v, want %q", got, err, want)
	}
}

// silent fails the test if anything arrives in a while.
func silent(t *testing.T, conn net.Conn) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	defer conn.SetReadDeadline(time.Time{})
	if n, err := conn.Read(make([]byte, 1)); n > 0 || !errors.Is(err, syscall.ETIMEDOUT) && !isTimeout(err) {
		t.Fatalf("read %d bytes, %v, want silence", n, err)
	}
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

func TestDownUp(t *testing.T) {
	w := netns.NewWire(t)
	addr, _ := echo(t, w)
	conn := dial(t, w, addr)
	say(t, conn, "one")
	w.Down()
	if _, err := conn.Write([]byte("two")); err != nil {
		t.Fatal(err)
	}
	silent(t, conn)
	w.Up()
	hear(t, conn, "two")
}

func TestMove(t *testing.T) {
	w := netns.NewWire(t)
	addr, _ := echo(t, w)
	conn := dial(t, w, addr)
	say(t, conn, "one")
	before := w.ClientIP()
	w.Move()
	_, _ = conn.Write([]byte("lost")) // may fail: its address is gone
	again := dial(t, w, addr)
	say(t, again, "two")
	if host, _, _ := net.SplitHostPort(again.LocalAddr().String()); host != w.ClientIP() || host == before {
		t.Errorf("the client's address is %s, want %s, which was %s", host, w.ClientIP(), before)
	}
	silent(t, conn)
}

func TestDropOneWay(t *testing.T) {
	for _, way := range []netns.Way{netns.Up, netns.Down, netns.Both} {
		t.Run(fmt.Sprint(way), func(t *testing.T) {
			w := netns.NewWire(t)
			addr, _ := echo(t, w)
			conn := dial(t, w, addr)
			say(t, conn, "one")
			w.Drop(way)
			if _, err := conn.Write([]byte("two")); err != nil {
				t.Fatal(err)
			}
			silent(t, conn)
			w.Mend()
			hear(t, conn, "two")
		})
	}
}

func TestLoseARate(t *testing.T) {
	w := netns.NewWire(t)
	addr, _ := echo(t, w)
	conn := dial(t, w, addr)
	w.Lose(netns.Both, 30)
	w.Rate(20_000)
	for i := range 20 {
		say(t, conn, fmt.Sprint("a text with number ", i))
	}
	w.Client.Run("nft", "list", "table", "inet", "faults")
	if rules := w.Client.Run("nft", "list", "table", "inet", "faults"); !strings.Contains(rules, "numgen") {
		t.Errorf("the rules are\n%s", rules)
	}
	w.Mend()
	w.Rate(0)
	say(t, conn, "mended")
}

func TestRefuseAndCut(t *testing.T) {
	w := netns.NewWire(t)
	addr, port := echo(t, w)
	conn := dial(t, w, addr)
	say(t, conn, "one")
	w.Refuse()
	if _, err := conn.Write([]byte("two")); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read from a refused connection: %v", err)
	}
	w.Mend()
	first, second := dial(t, w, addr), dial(t, w, addr)
	say(t, first, "three")
	say(t, second, "four")
	if n := w.Cut(port); n < 2 {
		t.Errorf("cut %d connections, want the 2 there were", n)
	}
	for _, conn := range []net.Conn{first, second} {
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("read from a cut connection: %v", err)
		}
	}
	say(t, dial(t, w, addr), "five")
}

// TestLoopbackIsLeftAlone: a fault of the wire is none between programs on one side.
func TestLoopbackIsLeftAlone(t *testing.T) {
	w := netns.NewWire(t)
	addr, _ := echo(t, w)
	conn, err := w.Server.Dial(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	w.Drop(netns.Both)
	say(t, conn, "one")
	w.Mend()
	w.Refuse()
	say(t, conn, "two")
	w.Down()
	say(t, conn, "three")
}

// TestNothingOutside: what is done in a namespace is not seen outside of it.
func TestNothingOutside(t *testing.T) {
	before, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	w := netns.NewWire(t)
	w.Drop(netns.Both)
	after, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	if len(before) != len(after) {
		t.Errorf("there were %d interfaces, now %d", len(before), len(after))
	}
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() { // ends with ln
		if conn, err := ln.Accept(); err == nil {
			_, _ = conn.Write([]byte("hello"))
			_ = conn.Close()
		}
	}()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	hear(t, conn, "hello")
}
