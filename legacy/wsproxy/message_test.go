package wsproxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"encke/buffer"
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

// What is kept for a message that is under way is counted.
func TestMessageUnderWayIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := legacytest.New(t, wsproxy.New)
		ws, _, err := websocket.Dial(t.Context(), "ws://"+legacytest.Host+"/v1?address=b.test:1", &websocket.DialOptions{
			HTTPClient: r.HTTP(t), HTTPHeader: http.Header{"Origin": {"http://" + legacytest.Host}},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer ws.CloseNow()
		far := r.Backend(t)
		go io.Copy(io.Discard, far) // ends with the connection
		w, err := ws.Writer(t.Context(), websocket.MessageBinary)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(make([]byte, 10_000))
		synctest.Wait()
		if n := r.Sessions.Budget().Used(); n < buffer.Max {
			t.Errorf("it counts as %d bytes", n)
		}
		w.Close()
		synctest.Wait()
		if n := r.Sessions.Budget().Used(); n != 0 {
			t.Errorf("behind it %d bytes are counted", n)
		}
	})
}
