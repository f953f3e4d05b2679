package orbited2_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"encke/legacy/cspdraft"
	"encke/legacy/legacytest"
	"encke/legacy/orbited2"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// frame is a frame with that behind its length.
func frame(rest string) string { return fmt.Sprintf("%d,%s", len(rest), rest) }

// hello opens socket id and sends its handshake.
func hello(id int, handshake string) []string {
	return []string{frame(fmt.Sprintf("%d,0,", id)), frame(fmt.Sprintf("%d,2,%s", id, handshake))}
}

const tcp = `{"hostname":"b.test","port":9999,"protocol":"tcp"}`

// cases are exchanges with what packets, or messages, there are for the client.
var cases = []struct {
	name  string
	steps []legacytest.Step
}{
	{"open, handshake, data, data", []legacytest.Step{
		{Send: []string{"4,0,0,"}, Want: []string{"4,0,0,"}},
		{Send: []string{`54,0,2,{"hostname":"b.test","port":9999,"protocol":"tcp"}`}, Want: []string{"5,0,2,1"}},
		{Send: []string{"10,0,2,hello\n"}, Hear: "hello\n"},
		{Say: "hello\n", Want: []string{"10,0,2,hello\n"}},
	}},
	{"lengths count bytes", []legacytest.Step{
		{Send: hello(0, tcp), Want: []string{"4,0,0,", "5,0,2,1"}},
		{Send: []string{"10,0,2,é☃\n"}, Hear: "é☃\n"},
		{Say: "é☃\n", Want: []string{"10,0,2,é☃\n"}},
	}},
	{"frames are split", []legacytest.Step{
		{Send: []string{"4,", "0,0"}}, {Send: []string{","}, Want: []string{"4,0,0,"}},
		{Send: []string{"54,0,", "2,{\"hostname\":\"b.test\"", ",\"port\":9999,\"protocol\":\"tcp\"}"}, Want: []string{"5,0,2,1"}},
		{Send: []string{"7,0,2,a"}, Hear: "a"}, {Send: []string{"bc"}, Hear: "bc"},
	}},
	{"several frames at once", []legacytest.Step{
		{Send: []string{"4,0,0,54,0,2," + tcp + "5,0,2,a5,0,2,b"}, Hear: "ab", Want: []string{"4,0,0,", "5,0,2,1"}},
	}},
	{"the backend closes", []legacytest.Step{
		{Send: hello(0, tcp)}, {Say: "bye", Close: true, Want: []string{"4,0,0,", "5,0,2,1", "7,0,2,bye", "4,0,1,"}},
		{Send: []string{"5,0,2,x"}, Want: []string{"14,0,1,unknown id"}},
		{Send: []string{"4,0,1,"}, Want: []string{}},
	}},
	{"the client closes, and opens the id again", []legacytest.Step{
		{Send: hello(0, tcp), Want: []string{"4,0,0,", "5,0,2,1"}},
		{Send: []string{"5,0,2,x", "4,0,1,"}, Hear: "x", Want: []string{"4,0,1,"}},
		{Send: []string{"4,0,0,"}, Want: []string{"4,0,0,"}},
	}},
	{"closed before the handshake", []legacytest.Step{
		{Send: []string{"4,0,0,", "4,0,1,"}, Want: []string{"4,0,0,", "4,0,1,"}},
	}},
	{"a character arrives in pieces", []legacytest.Step{
		{Send: hello(0, tcp), Want: []string{"4,0,0,", "5,0,2,1"}},
		{Say: "a\xe2\x98", Want: []string{"5,0,2,a"}},
		{Say: "\x83b", Want: []string{"8,0,2,☃b"}},
	}},
	{"what is no UTF-8 is replaced", []legacytest.Step{
		{Send: hello(0, tcp), Want: []string{"4,0,0,", "5,0,2,1"}},
		{Say: "caf\xe9 \xff", Want: []string{frame("0,2,caf\ufffd \ufffd")}},
	}},
	{"a character that never ends", []legacytest.Step{
		{Send: hello(0, tcp), Want: []string{"4,0,0,", "5,0,2,1"}},
		{Say: "\xe2\x98", Close: true, Want: []string{frame("0,2,\ufffd"), "4,0,1,"}},
	}},
	{"not allowed", []legacytest.Step{{
		Send: hello(0, `{"hostname":"denied.test","port":1,"protocol":"tcp"}`),
		Want: []string{"4,0,0,", frame("0,1,Unauthorized remote destination")},
	}}},
	{"refused", []legacytest.Step{{
		Send: hello(0, `{"hostname":"refused.test","port":1}`), Want: []string{"4,0,0,", frame("0,1,refused")},
	}}},
	{"no answer", []legacytest.Step{
		{Send: hello(0, `{"hostname":"slow.test","port":1}`), Want: []string{"4,0,0,"}},
		{Wait: time.Minute, Want: []string{frame("0,1,connection timed out")}},
	}},
	{"closed while it connects", []legacytest.Step{
		{Send: hello(0, `{"hostname":"later.test","port":1}`), Want: []string{"4,0,0,"}},
		{Send: []string{"4,0,1,"}, Want: []string{"4,0,1,"}},
		{Wait: 2 * time.Second, Want: []string{}},
	}},
	{"no JSON", []legacytest.Step{{Send: hello(0, "hello"), Want: []string{"4,0,0,", "38,0,1,Invalid handshake (malformed json)"}}}},
	{"no hostname", []legacytest.Step{{Send: hello(0, `{"port":1}`), Want: []string{"4,0,0,", frame("0,1,Invalid handshake (no hostname)")}}}},
	{"a port in quotes", []legacytest.Step{{
		Send: hello(0, `{"hostname":"b.test","port":"9999"}`),
		Want: []string{"4,0,0,", frame("0,1,Invalid 'port' argument: it is a number in 1-65535")},
	}}},
	{"a port too large", []legacytest.Step{{
		Send: hello(0, `{"hostname":"b.test","port":65536}`),
		Want: []string{"4,0,0,", frame("0,1,Invalid 'port' argument: it is a number in 1-65535")},
	}}},
	{"port 0", []legacytest.Step{{Send: hello(0, `{"hostname":"b.test","port":0}`), Want: []string{"4,0,0,", frame("0,1,Invalid hostname or port")}}}},
	{"an unknown protocol", []legacytest.Step{{
		Send: hello(0, `{"hostname":"b.test","port":1,"protocol":"udp"}`), Want: []string{"4,0,0,", frame("0,1,Invalid protocol")},
	}}},
	{"a path that is none", []legacytest.Step{{
		Send: hello(0, `{"hostname":"b.test","port":1,"protocol":"ws_hixie76","path":"//evil.test/"}`), Want: []string{"4,0,0,", frame("0,1,Invalid path")},
	}}},
	{"an id is opened twice", []legacytest.Step{{
		Send: []string{"4,0,0,", "4,0,0,"}, Want: []string{"4,0,0,", frame("0,1,id in use")},
	}}},
	{"an unknown type", []legacytest.Step{{
		Send: []string{"4,0,0,", "4,0,7,"}, Want: []string{"4,0,0,", frame("0,1,unknown type of frame")},
	}}},
	{"a handshake too long", []legacytest.Step{{
		Send: hello(0, fmt.Sprintf("%5000d", 1)), Want: []string{"4,0,0,", frame("0,1,frame too long")},
	}}},
}

func TestFramesOverCSP(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := legacytest.New(t, cspdraft.New, orbited2.New)
				legacytest.Play(t, r, r.Client(t), c.steps)
			})
		})
	}
}

func TestFramesOverWebSocket(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := legacytest.New(t, orbited2.New)
				legacytest.Play(t, r, dial(t, r), c.steps)
			})
		})
	}
}

// wsClient is a client with a WebSocket.
type wsClient struct {
	t  *testing.T
	ws *websocket.Conn

	mu       sync.Mutex
	messages []string
}

func dial(t *testing.T, r *legacytest.Rig) *wsClient {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), "ws://"+legacytest.Host+"/ws", &websocket.DialOptions{
		HTTPClient: r.HTTP(t), HTTPHeader: http.Header{"Origin": {"http://" + legacytest.Host}},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := &wsClient{t: t, ws: ws}
	t.Cleanup(func() { ws.CloseNow() })
	go func() { // until the WebSocket is closed
		for {
			typ, p, err := ws.Read(context.Background())
			message := string(p)
			if err != nil {
				message = fmt.Sprintf("(closed %d)", websocket.CloseStatus(err))
			} else if typ != websocket.MessageText {
				message = "(binary)"
			}
			c.mu.Lock()
			c.messages = append(c.messages, message)
			c.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return c
}

// Send sends text messages.
func (c *wsClient) Send(messages ...string) {
	c.t.Helper()
	for _, m := range messages {
		if err := c.ws.Write(c.t.Context(), websocket.MessageText, []byte(m)); err != nil {
			c.t.Fatal(err)
		}
	}
	synctest.Wait()
}

func (c *wsClient) Next() []string {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.messages
	c.messages = nil
	return all
}

func TestWebSocketIsClosed(t *testing.T) {
	for _, c := range []struct {
		name string
		typ  websocket.MessageType
		send string
		want string
	}{
		{"binary", websocket.MessageBinary, "4,0,0,", "(closed 1003)"},
		{"no UTF-8", websocket.MessageText, "5,0,2,\xff", "(closed 1007)"},
		{"no frame", websocket.MessageText, "hello", "(closed 4014)"},
		{"a length without end", websocket.MessageText, "99999999", "(closed 4014)"},
		{"a length too short", websocket.MessageText, "2,0,0,", "(closed 4014)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := dial(t, legacytest.New(t, orbited2.New))
				client.ws.Write(t.Context(), c.typ, []byte(c.send))
				if got := client.Next(); len(got) != 1 || got[0] != c.want {
					t.Errorf("got %q, want %q", got, c.want)
				}
			})
		})
	}
}

// The client closes its WebSocket: the backend gets what was sent before, and its end.
func TestWebSocketCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := legacytest.New(t, orbited2.New)
		c := dial(t, r)
		c.Send(append(hello(0, tcp), "8,0,2,last")...)
		far := r.Backend(t)
		c.ws.Close(websocket.StatusNormalClosure, "")
		if got := legacytest.Heard(t, far); got != "last" {
			t.Errorf("the backend got %q, want last", got)
		}
		time.Sleep(10 * time.Second)
		if got := legacytest.Heard(t, far); got != "(end)" {
			t.Errorf("then the backend got %q, want the end", got)
		}
	})
}
