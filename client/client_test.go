package client_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/nettest"

	"encke/cause"
	"encke/client"
	"encke/csp"
)

func TestConnIsANetConn(t *testing.T) {
	url, _ := startProxy(t, csp.Options{})
	d := &client.Dialer{Proxy: url}
	defer d.Close()
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		near, far := pair(t, d)
		return near, far, func() { near.Close(); far.Close() }, nil
	})
}

// The same over a link that is cut again and again, in the middle of frames.
func TestConnIsANetConnOverACuttingLink(t *testing.T) {
	url, _ := startProxy(t, csp.Options{})
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	way := &cutter{rng: rand.New(rand.NewSource(seed))}
	d := &client.Dialer{Proxy: url, DialLink: way.dial}
	defer d.Close()
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		near, far := pair(t, d)
		return near, far, func() { near.Close(); far.Close() }, nil
	})
	if way.count() == 0 {
		t.Error("the link was never cut: the test shows nothing")
	}
}

func TestBytesSurviveCuts(t *testing.T) {
	url, sessions := startProxy(t, csp.Options{})
	way := &cutter{}
	d := &client.Dialer{Proxy: url, DialLink: way.dial}
	defer d.Close()
	near, far := pair(t, d)
	defer near.Close()
	defer far.Close()

	stop := make(chan struct{})
	cutting := make(chan struct{})
	go func() {
		defer close(cutting)
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				way.cut()
			}
		}
	}()
	data := make([]byte, 8<<20)
	rand.New(rand.NewSource(1)).Read(data)
	errs := make(chan error, 4)
	send := func(c net.Conn) {
		_, err := c.Write(data)
		if err == nil {
			err = c.(interface{ CloseWrite() error }).CloseWrite()
		}
		errs <- err
	}
	check := func(c net.Conn) {
		got, err := io.ReadAll(c)
		if err == nil && !bytes.Equal(got, data) {
			err = errors.New("bytes differ")
		}
		errs <- err
	}
	go send(near)
	go send(far)
	go check(near)
	go check(far)
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	close(stop)
	<-cutting
	st := sessions.Stats()
	if st.Opened != 1 || st.Resumed == 0 {
		t.Errorf("%d sessions opened and %d resumed after %d cuts; want 1 and many", st.Opened, st.Resumed, way.count())
	}
}

func TestCauses(t *testing.T) {
	url, _ := startProxy(t, csp.Options{})
	d := &client.Dialer{Proxy: url}
	defer d.Close()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := ln.Addr().String()
	ln.Close()
	for _, tt := range []struct {
		name, addr string
		want       *cause.Error
	}{
		{"refused", closed, cause.Refused.Err()},
		{"denied", "192.0.2.1:80", cause.Denied.Err()},
		{"denied name", "example.org:80", cause.Denied.Err()},
	} {
		if _, err := d.Dial("tcp", tt.addr); !errors.Is(err, tt.want) {
			t.Errorf("%s: dial %s: %v, want cause %s", tt.name, tt.addr, err, tt.want)
		}
	}
	if _, err := d.Dial("tcp", "no port"); err == nil || !strings.Contains(err.Error(), "no port") {
		t.Errorf("bad target: %v", err)
	}
}

func TestNobodyListens(t *testing.T) {
	d := &client.Dialer{Proxy: "http://127.0.0.1:1", GiveUp: 50 * time.Millisecond}
	defer d.Close()
	if _, err := d.Dial("tcp", "127.0.0.1:80"); !errors.Is(err, cause.NoTransport.Err()) {
		t.Errorf("dial through nothing: %v, want cause no-transport", err)
	}
}

func TestForeignOriginIsRefused(t *testing.T) {
	url, sessions := startProxy(t, csp.Options{})
	d := &client.Dialer{Proxy: url, Origin: "http://evil.test"}
	defer d.Close()
	if _, err := d.Dial("tcp", "127.0.0.1:80"); !errors.Is(err, cause.Denied.Err()) {
		t.Errorf("dial from a foreign origin: %v, want cause denied", err)
	}
	if n := sessions.Stats().Opened; n != 0 {
		t.Errorf("%d sessions were opened", n)
	}
}

func TestLostSession(t *testing.T) {
	url, sessions := startProxy(t, csp.Options{})
	d := &client.Dialer{Proxy: url}
	defer d.Close()
	near, far := pair(t, d)
	defer near.Close()
	defer far.Close()
	for _, s := range sessions.Sessions() {
		s.Close(cause.SessionLost.Err())
	}
	if _, err := io.ReadAll(near); !errors.Is(err, cause.SessionLost.Err()) {
		t.Errorf("read after the session was lost: %v", err)
	}
	again, farAgain := pair(t, d) // a new session
	again.Close()
	farAgain.Close()
}

func TestDialEndsWithContext(t *testing.T) {
	d := &client.Dialer{Proxy: "http://127.0.0.1:1", GiveUp: time.Minute}
	defer d.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := d.DialContext(ctx, "tcp", "127.0.0.1:80"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("dial: %v, want the context's error", err)
	}
}
