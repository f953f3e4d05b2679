package demo_test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"encke/cmd/encke/demo"
)

// start starts the servers for one test.
func start(t *testing.T) *demo.Backends {
	t.Helper()
	b, err := demo.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return b
}

// dial connects to a server of the demo. The deadline is a guard against hanging.
func dial(t *testing.T, to demo.Target) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", net.JoinHostPort(to.Host, strconv.Itoa(to.Port)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	return c.(*net.TCPConn)
}

func TestAllowNamesEveryServer(t *testing.T) {
	b := start(t)
	info := b.Info()
	want := map[string]bool{}
	for _, s := range []demo.Target{info.MQTT, info.Echo, info.Counter} {
		if s.Host != "127.0.0.1" || s.Port == 0 {
			t.Errorf("got a server at %+v, want a port of 127.0.0.1", s)
		}
		want[fmt.Sprintf("%s:%d", s.Host, s.Port)] = true
	}
	if len(want) != 3 {
		t.Errorf("got servers at %v, want three different ones", want)
	}
	for _, rule := range b.Allow() {
		if !want[rule] {
			t.Errorf("got the rule %q, want only %v", rule, want)
		}
		delete(want, rule)
		if !strings.Contains(b.String(), rule) {
			t.Errorf("got %q for the log, want %q in it", b, rule)
		}
	}
	if len(want) != 0 {
		t.Errorf("got no rule for %v", want)
	}
}

func TestEchoSendsAllBackAndHalfCloses(t *testing.T) {
	c := dial(t, start(t).Info().Echo)
	sent := make([]byte, 1<<20)
	_, _ = rand.Read(sent)
	go func() { // ends when the echo took everything
		_, _ = c.Write(sent)
		_ = c.CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, sent) {
		t.Errorf("got %d other bytes back, want the %d sent", len(got), len(sent))
	}
}

func TestCounterCountsUntilHalfClosed(t *testing.T) {
	c := dial(t, start(t).Info().Counter)
	r := bufio.NewReader(c)
	for n := 1; n <= 3; n++ {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		number, clock, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if number != strconv.Itoa(n) {
			t.Errorf("line %d: got %q, want it to begin with %d", n, line, n)
		}
		if _, err := time.Parse("15:04:05.000", clock); err != nil {
			t.Errorf("line %d: got %q, want a time of day: %v", n, line, err)
		}
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Errorf("got %v after the half-close, want the end of the stream", err)
	}
}

func TestCloseEndsOpenConnections(t *testing.T) {
	b, err := demo.Start()
	if err != nil {
		t.Fatal(err)
	}
	info := b.Info()
	// The one to the broker never says anything, so the broker does not know it.
	conns := []*net.TCPConn{dial(t, info.Echo), dial(t, info.Counter), dial(t, info.MQTT)}
	if _, err := conns[0].Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conns[0], make([]byte, 1)); err != nil {
		t.Fatal(err) // it was not yet served
	}
	if err := b.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("Close again: %v", err)
	}
	for i, c := range conns {
		_, err := io.Copy(io.Discard, c)
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			t.Errorf("connection %d is still open", i)
		}
	}
	for _, rule := range b.Allow() {
		if c, err := net.Dial("tcp", rule); err == nil {
			c.Close()
			t.Errorf("%s still accepts", rule)
		}
	}
}
