package transports_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"encke/cause"
	"encke/csp"
	"encke/transports"
)

// early opens a WebSocket whose request brings the records.
func (r *rig) early(records ...[]byte) (*websocket.Conn, *http.Response) {
	r.t.Helper()
	return r.offering("encke", base64.RawURLEncoding.EncodeToString(join(records...)))
}

func (r *rig) offering(subprotocols ...string) (*websocket.Conn, *http.Response) {
	r.t.Helper()
	ws, resp, err := websocket.Dial(r.t.Context(), r.url+"/session/websocket", &websocket.DialOptions{
		HTTPHeader: http.Header{"Origin": {r.url}}, HTTPClient: r.client, Subprotocols: subprotocols,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { ws.CloseNow() })
	return ws, resp
}

// What comes with the request is the first message; both who serves requests here and
// net/http answer.
func TestEarlyData(t *testing.T) {
	for name, netHTTP := range map[string]bool{"edge": false, "net/http": true} {
		t.Run(name, func(t *testing.T) {
			r := newRigOf(t, transports.Options{}, csp.Options{}, netHTTP)
			ws, resp := r.early(r.hello(), packets(1, "one", "two"))
			if got := resp.Header.Get("Sec-WebSocket-Protocol"); got != "encke" {
				t.Errorf("subprotocol %q, want encke", got)
			}
			recs := r.hear(ws)
			if recs[0].Kind != csp.Welcome || string(recs[len(recs)-1].Data) != "onetwo" {
				t.Fatalf("the answer to early data is %v", recs)
			}
			r.say(ws, packets(3, "three"))
			if recs = r.hear(ws); string(recs[len(recs)-1].Data) != "three" {
				t.Errorf("the answer to a message is %v", recs)
			}
		})
	}
}

// Where there is no answer, that the WebSocket is open is said all the same.
func TestEarlyDataWithoutAnswer(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	for _, first := range [][]byte{r.hello(), join(r.hello(), packets(1, silent))} {
		ws, _ := r.early(first)
		if recs := r.hear(ws); recs[0].Kind != csp.Welcome {
			t.Errorf("the answer to early data is %v", recs)
		}
	}
}

// A request that was repeated, by whoever is on the way, is taken once.
func TestEarlyDataIsTakenOnce(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	hello := r.hello()
	first, _ := r.early(hello, packets(1, "one"))
	id := string(r.hear(first)[0].Session)
	second, _ := r.early(hello, packets(1, "one"))
	recs := r.hear(second)
	if string(recs[0].Session) != id {
		t.Errorf("another session was opened: %v", recs)
	}
	r.say(second, packets(2, "two"))
	var got []string
	for ; len(got) < 2; recs = r.hear(second) {
		for _, rec := range recs {
			if rec.Kind == csp.Data {
				got = append(got, string(rec.Data))
			}
		}
	}
	if got[0] != "one" || got[1] != "two" {
		t.Errorf("echoed: %q", got)
	}
	if n := r.server.Stats().Opened; n != 1 {
		t.Errorf("%d sessions were opened", n)
	}
}

func TestEarlyDataResumes(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	ws, _ := r.early(r.hello(), packets(1, "one"))
	id := string(r.hear(ws)[0].Session)
	ws.CloseNow()
	again, _ := r.early(resume(id, 0), packets(2, "two"))
	recs := r.hear(again)
	if recs[0].Kind != csp.Ack || string(recs[len(recs)-1].Data) != "two" {
		t.Errorf("the answer to RESUME is %v", recs)
	}
}

func TestEarlyDataAtFault(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	encode := base64.RawURLEncoding.EncodeToString
	for name, tt := range map[string]struct {
		text string
		code cause.Code
		says string
	}{
		"not base64":          {"a!", cause.ProtocolError, "URL-safe base64"},
		"no hello":            {encode(packets(1, "x")), cause.ProtocolError, "begins with"},
		"of a session gone":   {encode(resume("nobody", 0)), cause.SessionLost, ""},
		"not a record":        {encode([]byte{0xff}), cause.ProtocolError, ""},
		"more than it may be": {strings.Repeat("A", 7681), cause.Limit, "7680 characters"},
	} {
		t.Run(name, func(t *testing.T) {
			r.t = t
			ws, _ := r.offering("encke", tt.text)
			recs := r.hear(ws)
			if len(recs) != 1 || recs[0].Kind != csp.Close || recs[0].Cause != uint64(tt.code) || !strings.Contains(string(recs[0].Text), tt.says) {
				t.Errorf("the answer is %v, want CLOSE with %v and %q", recs, tt.code, tt.says)
			}
			if code := r.closed(ws); code != websocket.StatusCode(4000+int(tt.code)) {
				t.Errorf("close code %d", code)
			}
		})
	}
}

// What others offer, or ours alone or in another place, brings no message, and the answer
// does not say that it did.
func TestNoEarlyData(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	for _, offers := range [][]string{{"encke"}, {"mqtt", "AQE"}, {"mqtt"}, {"encke", "AQE", "x"}, {"AQE", "encke"}, {"Encke", "AQE"}} {
		ws, resp := r.offering(offers...)
		if got := resp.Header.Get("Sec-WebSocket-Protocol"); got != "" {
			t.Errorf("to %q the answer is subprotocol %q", offers, got)
		}
		r.say(ws, r.hello())
		if recs := r.hear(ws); recs[0].Kind != csp.Welcome {
			t.Errorf("to %q and NEW the answer is %v", offers, recs)
		}
	}
}

// The 101 waits for the answer to what came with the request, here for the time that WELCOME
// waits when there is none.
func TestEarlyDataIsAnsweredWithTheHandshake(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	early := base64.RawURLEncoding.EncodeToString(join(r.hello(), packets(1, silent)))
	conn := r.rawUpgrade("Sec-WebSocket-Protocol: encke, " + early + "\r\n")
	defer conn.Close()
	buf := make([]byte, 4096)
	n, err := conn.Read(buf)
	head, rest, ok := strings.Cut(string(buf[:n]), "\r\n\r\n")
	if err != nil || !ok || !strings.HasPrefix(head, "HTTP/1.1 101 ") || rest == "" {
		t.Errorf("the first that comes is %q (%v), want the 101 and WELCOME", buf[:n], err)
	}
}

// A WebSocket that has said nothing yet holds no buffer.
func TestSilentWebSocketsAreSmall(t *testing.T) {
	r := newRig(t, transports.Options{AddressUpgrades: -1}, csp.Options{})
	r.websocket()
	const many = 200
	before := heapBytes()
	for range many {
		defer r.rawWS().Close()
	}
	if each := (heapBytes() - before) / many; each > 12<<10 {
		t.Errorf("%d bytes of heap for each, want at most 12 KiB", each)
	}
}
