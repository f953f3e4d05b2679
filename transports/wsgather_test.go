package transports_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"encke/cause"
	"encke/csp"
	"encke/transports"
)

// recorder notes what a session receives.
type recorder struct{ got chan [][]byte }

func (r recorder) Receive(data [][]byte) error {
	for i := range data {
		data[i] = bytes.Clone(data[i])
	}
	r.got <- slices.Clone(data)
	return nil
}
func (recorder) Writable()           {}
func (recorder) Closed(*cause.Error) {}

// Large messages that come together are delivered together, whatever comes behind them, and
// also if nothing does.
func TestLargeMessagesAreGathered(t *testing.T) {
	large := func(id uint64) []byte { return packets(id, strings.Repeat(string(rune('a'+id)), 20<<10)) }
	ping := (&csp.Record{Kind: csp.Ping}).Append(nil)
	for name, c := range map[string]struct {
		messages [][]byte
		want     int // packets
		ends     websocket.StatusCode
		cut      bool
	}{
		"one":                  {messages: [][]byte{large(1)}, want: 1},
		"several":              {messages: [][]byte{large(1), large(2), large(3)}, want: 3},
		"a small one behind":   {messages: [][]byte{large(1), large(2), packets(3, "x")}, want: 3},
		"a ping behind":        {messages: [][]byte{large(1), ping}, want: 1},
		"more than is enough":  {messages: [][]byte{large(1), large(2), large(3), large(4), large(5), large(6), large(7), large(8), large(9), large(10), large(11), large(12), large(13), large(14), large(15)}, want: 15},
		"many packets":         {messages: [][]byte{packets(1, slices.Repeat([]string{strings.Repeat("x", 30)}, 900)...), packets(901, slices.Repeat([]string{"y"}, 900)...)}, want: 1800},
		"what is no message":   {messages: [][]byte{large(1), large(2), {0x7f}}, want: 2, ends: 4000 + websocket.StatusCode(cause.ProtocolError)},
		"half a message":       {messages: [][]byte{large(1), append(packets(2, "y"), 0x7f)}, want: 1, ends: 4000 + websocket.StatusCode(cause.ProtocolError)},
		"an impossible packet": {messages: [][]byte{large(1), packets(1000, "x")}, ends: 4000 + websocket.StatusCode(cause.ProtocolError)},
		"the end":              {messages: [][]byte{large(1), large(2), csp.AppendClose(nil, cause.Closed.Err())}, want: 2, ends: 4000},
		"a cut":                {messages: [][]byte{large(1), large(2)}, want: 2, cut: true},
	} {
		t.Run(name, func(t *testing.T) {
			got := recorder{make(chan [][]byte, 100)}
			r := newRig(t, transports.Options{}, csp.Options{Accept: func(*csp.Session) csp.Handler { return got }})
			var raw net.Conn
			client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := new(net.Dialer).DialContext(ctx, network, addr)
				raw = c
				return c, err
			}}}
			ws, _, err := websocket.Dial(t.Context(), r.url+"/session/websocket", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {r.url}}, HTTPClient: client})
			if err != nil {
				t.Fatal(err)
			}
			defer ws.CloseNow()
			r.say(ws, r.hello())
			r.hear(ws)

			var wire, want []byte
			for _, m := range c.messages {
				if wire = append(wire, 0x82); len(m) < 126 {
					wire = append(wire, 0x80|byte(len(m)))
				} else {
					wire = binary.BigEndian.AppendUint16(append(wire, 0x80|126), uint16(len(m)))
				}
				wire = append(append(wire, 0, 0, 0, 0), m...)
				want = append(want, content(m)...)
			}
			raw.Write(wire)
			if c.cut {
				raw.Close()
			}
			var all []byte
			for n := 0; n < c.want; {
				select {
				case data := <-got.got:
					n += len(data)
					all = append(all, bytes.Join(data, nil)...)
				case <-time.After(20 * time.Second):
					t.Fatalf("%d of %d packets were delivered", n, c.want)
				}
			}
			if c.ends != 0 {
				if code := r.closed(ws); code != c.ends {
					t.Errorf("closed with %d, want %d", code, c.ends)
				}
			}
			for len(got.got) > 0 {
				all = append(all, bytes.Join(<-got.got, nil)...)
			}
			if !bytes.HasPrefix(want, all) {
				t.Error("something else was delivered, or in another order")
			}
		})
	}
}

// content returns what is in the DATA records of a message, nothing if that is not valid.
func content(msg []byte) (all []byte) {
	_, err := csp.Parse(msg, 0, func(rec *csp.Record) error {
		all = append(all, rec.Data...)
		return nil
	})
	if err != nil {
		return nil
	}
	return all
}
