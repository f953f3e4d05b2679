package app_test

import (
	"io"
	"log/slog"
	"strings"
	"testing"

	"encke/client"
	"encke/cmd/encke/app"
	"encke/integration/inprocess"
)

func TestAuditLog(t *testing.T) {
	var log inprocess.Log
	addr, conns := backend(t)
	a := inprocess.Start(t, app.Config{Allow: []string{addr}, Log: slog.New(slog.NewTextHandler(&log, nil))})
	d := &client.Dialer{Proxy: a.URL()}
	conn, err := d.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	far := <-conns
	conn.Write([]byte("hello"))
	conn.Close()
	io.ReadAll(far)
	far.Close()
	d.Dial("tcp", "192.0.2.1:80")
	d.Close()
	a.Close()
	for _, want := range []string{"listening", "dest=" + addr, "in=5", "code=closed", "dest=192.0.2.1:80", "code=denied", "origin=" + a.URL()} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, log.String())
		}
	}
}
