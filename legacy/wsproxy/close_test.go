package wsproxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"encke/legacy/legacytest"
	"encke/legacy/wsproxy"
)

// A client that does not end its message when its WebSocket is closed is not waited for.
func TestClientDoesNotEndItsMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := legacytest.New(t, wsproxy.New)
		conn, _ := r.Dial(t.Context(), "", "")
		defer conn.Close()
		fmt.Fprintf(conn, "GET /v1?address=denied.test:1 HTTP/1.1\r\nHost: %s\r\nOrigin: http://%[1]s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", legacytest.Host)
		in := bufio.NewReader(conn)
		if resp, err := http.ReadResponse(in, nil); err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
			t.Fatal(resp, err)
		}
		go conn.Write([]byte("\x82\xfe\x03\xe8\x00\x00\x00\x00part")) // 1000 bytes are to come
		gone := make(chan struct{})
		go func() {
			io.Copy(io.Discard, in)
			close(gone)
		}()
		time.Sleep(time.Minute)
		synctest.Wait()
		select {
		case <-gone:
		default:
			t.Error("a minute later the connection is there")
		}
	})
}
