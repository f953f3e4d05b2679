package app_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"encke/cause"
	"encke/client"
	"encke/cmd/encke/app"
	"encke/csp"
	"encke/integration/inprocess"
	"encke/tcpsocket"
)

func TestShutdownLetsSocketsFinish(t *testing.T) {
	addr, conns := backend(t)
	a := inprocess.Start(t, app.Config{Allow: []string{addr}})
	d := &client.Dialer{Proxy: a.URL()}
	defer d.Close()
	conn, err := d.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	far := <-conns
	done := make(chan error, 1)
	go func() { done <- a.Shutdown(context.Background()) }()
	for {
		if _, err := d.Dial("tcp", addr); err != nil {
			break // no new sockets
		}
		(<-conns).Close()
	}
	if _, err := conn.Write([]byte("still here")); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	got, err := io.ReadAll(far)
	if err != nil || string(got) != "still here" {
		t.Errorf("the backend got %q, %v", got, err)
	}
	far.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestShutdownEndsAtItsLimit(t *testing.T) {
	addr, conns := backend(t)
	a := inprocess.Start(t, app.Config{Allow: []string{addr}, Drain: 100 * time.Millisecond})
	d := &client.Dialer{Proxy: a.URL()}
	defer d.Close()
	conn, err := d.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	far := <-conns
	defer far.Close()
	if err := a.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, cause.GoingAway.Err()) {
		t.Errorf("the client is told %v, want going-away", err)
	}
	if _, err := far.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("the backend saw %v, want a reset rather than a clean end", err)
	}
}

// A backend that does not take what a page sent before it closed its session is no reason
// to stay.
func TestCloseIsAtOnce(t *testing.T) {
	addr, conns := backend(t)
	a := inprocess.Start(t, app.Config{Allow: []string{addr}})
	defer http.DefaultClient.CloseIdleConnections()
	host, port, _ := net.SplitHostPort(addr)
	n, _ := strconv.Atoi(port)
	open := tcpsocket.Frame{Type: tcpsocket.Open, Socket: 1, Port: uint64(n), Host: []byte(host)}
	body := (&csp.Record{Kind: csp.New, Version: 1, Key: csp.Key{2}}).Append(nil)
	body = (&csp.Record{Kind: csp.Seq, ID: 1}).Append(body)
	body = (&csp.Record{Kind: csp.Data, Data: open.Append(nil)}).Append(body)
	resume := csp.Record{Kind: csp.Resume, Session: post(t, a, body)[0].Session}
	far := <-conns
	defer far.Close()
	far.(*net.TCPConn).SetReadBuffer(4 << 10)
	for id := uint64(2); a.Stats().Sessions.Retained < 64<<10; id++ { // until the kernels are full
		data := tcpsocket.Frame{Type: tcpsocket.Data, Socket: 1, Data: make([]byte, 32<<10)}
		body := (&csp.Record{Kind: csp.Seq, ID: id}).Append(resume.Append(nil))
		post(t, a, (&csp.Record{Kind: csp.Data, Data: data.Append(nil)}).Append(body))
	}
	post(t, a, (&csp.Record{Kind: csp.Close}).Append(resume.Append(nil)))
	began := time.Now()
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}
