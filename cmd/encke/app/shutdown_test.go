package app_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"encke/cause"
	"encke/client"
	"encke/cmd/encke/app"
	"encke/integration/inprocess"
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
