package app_test

import (
	"io"
	"net"
	"testing"
	"time"

	"encke/cmd/encke/app"
	"encke/integration/inprocess"
)

// A body that never comes holds no connection, also where the request is refused
// before anybody reads it.
func TestBodiesThatNeverCome(t *testing.T) {
	a := inprocess.Start(t, app.Config{Allow: []string{"127.0.0.1:1"}})
	type result struct {
		name string
		err  error
	}
	results := make(chan result)
	heads := map[string]string{
		"foreign origin":  "POST /session/send HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.test\r\nContent-Length: 1000\r\n\r\n",
		"foreign host":    "POST / HTTP/1.1\r\nHost: evil.test\r\nContent-Length: 1000\r\n\r\n",
		"chunked":         "POST /session/send HTTP/1.1\r\nHost: localhost\r\nOrigin: " + a.URL() + "\r\nTransfer-Encoding: chunked\r\n\r\n",
		"GET with a body": "GET /session/eventsource?d=AA HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 1000\r\n\r\n",
	}
	for name, head := range heads {
		conn, err := net.Dial("tcp", a.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		go func() {
			io.WriteString(conn, head)
			conn.SetReadDeadline(time.Now().Add(60 * time.Second))
			_, err := io.ReadAll(conn)
			results <- result{name, err}
		}()
	}
	for range heads {
		r := <-results
		if ne, ok := r.err.(net.Error); ok && ne.Timeout() {
			t.Errorf("%s: the connection is still open", r.name)
		}
	}
}
