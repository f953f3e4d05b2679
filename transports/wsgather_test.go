package transports_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"encke/cause"
	"encke/csp"
	"encke/transports"
)

// recorder notes what a session receives, each Receive by itself. The first one waits.
type recorder struct {
	got  chan [][]byte
	wait chan struct{}
}

func (r recorder) Receive(data [][]byte) error {
	for i := range data {
		data[i] = bytes.Clone(data[i])
	}
	r.got <- slices.Clone(data)
	<-r.wait
	return nil
}
func (recorder) Writable()           {}
func (recorder) Closed(*cause.Error) {}

// Large messages that are at hand together are delivered together, whatever comes behind them,
// and also if nothing does.
func TestLargeMessagesAreGathered(t *testing.T) {
	const protocolError = 4000 + websocket.StatusCode(cause.ProtocolError)
	large := func(id uint64) []byte { return packets(id, strings.Repeat(string(rune('a'+id)), 20<<10)) }
	many := func(id uint64) []byte {
		return packets(id, slices.Repeat([]string{strings.Repeat("x", 30)}, 900)...)
	}
	ping := (&csp.Record{Kind: csp.Ping}).Append(nil)
	ack := (&csp.Record{Kind: csp.Ack, ID: 0}).Append(nil)
	var megabytes [][]byte
	for id := range uint64(100) {
		megabytes = append(megabytes, large(2+id))
	}
	for name, c := range map[string]struct {
		messages [][]byte
		half     bool // the last one comes only in part
		cut      bool
		packets  int // that are delivered
		calls    int // of Receive
		most     int // if there may be more, so many at most
		ends     websocket.StatusCode
	}{
		"one":                  {messages: [][]byte{large(2)}, packets: 1, calls: 1},
		"several":              {messages: [][]byte{large(2), large(3), large(4)}, packets: 3, calls: 1},
		"a small one behind":   {messages: [][]byte{large(2), large(3), packets(4, "x")}, packets: 3, calls: 1},
		"half a one behind":    {messages: [][]byte{large(2), large(3), large(4)}, half: true, packets: 2, calls: 1},
		"small ones":           {messages: [][]byte{packets(2, "x", "y"), packets(4, "z", "z")}, packets: 4, calls: 2},
		"a ping behind":        {messages: [][]byte{large(2), ping, large(3)}, packets: 2, calls: 2},
		"no packets behind":    {messages: [][]byte{large(2), ack, large(3)}, packets: 2, calls: 2},
		"nothing behind":       {messages: [][]byte{large(2), nil, large(3)}, packets: 2, calls: 2},
		"more than is enough":  {messages: megabytes, packets: 100, calls: 2, most: 50},
		"many packets":         {messages: [][]byte{many(2), many(902), many(1802)}, packets: 2700, calls: 2},
		"an unknown record":    {messages: [][]byte{large(2), large(3), {0x7f}}, packets: 2, calls: 1, ends: protocolError},
		"one behind a packet":  {messages: [][]byte{large(2), append(packets(3, "y"), 0x7f)}, packets: 1, calls: 1, ends: protocolError},
		"an impossible packet": {messages: [][]byte{large(2), packets(1000, "x")}, ends: protocolError},
		"the end":              {messages: [][]byte{large(2), large(3), csp.AppendClose(nil, cause.Closed.Err())}, packets: 2, calls: 1, ends: 4000},
		"a cut":                {messages: [][]byte{large(2), large(3)}, cut: true, packets: 2, calls: 1},
	} {
		t.Run(name, func(t *testing.T) {
			handler := recorder{make(chan [][]byte, 100), make(chan struct{})}
			r := newRig(t, transports.Options{}, csp.Options{Accept: func(*csp.Session) csp.Handler { return handler }})
			ws, raw := r.rawWebSocket()
			r.say(ws, r.hello())
			r.hear(ws)
			r.say(ws, packets(1, "wait"))
			receive := func() [][]byte {
				t.Helper()
				select {
				case data := <-handler.got:
					return data
				case <-time.After(20 * time.Second):
					t.Fatal("nothing is delivered")
				}
				return nil
			}
			receive()

			var wire, want []byte
			for i, m := range c.messages {
				frame := wireMessage(m)
				if i == len(c.messages)-1 && c.half {
					frame = frame[:len(frame)/2]
				} else {
					want = append(want, content(m)...)
				}
				wire = append(wire, frame...)
			}
			raw.Write(wire)
			if c.cut {
				raw.Close()
			}
			close(handler.wait) // all is at hand now
			var got []byte
			n, calls := 0, 0
			for ; n < c.packets; calls++ {
				data := receive()
				n += len(data)
				got = append(got, bytes.Join(data, nil)...)
			}
			if c.ends != 0 {
				if code := r.closed(ws); code != c.ends {
					t.Errorf("closed with %d, want %d", code, c.ends)
				}
			}
			if len(handler.got) > 0 || n != c.packets || !bytes.HasPrefix(want, got) {
				t.Errorf("%d packets were delivered, and more %v, want %d in their order", n, len(handler.got) > 0, c.packets)
			}
			if calls < c.calls || calls > max(c.calls, c.most) {
				t.Errorf("they were delivered in %d pieces, want %d", calls, c.calls)
			}
		})
	}
}

// wireMessage returns a message in one frame, with a mask of zeros.
func wireMessage(m []byte) []byte {
	frame := []byte{0x82}
	if len(m) < 126 {
		frame = append(frame, 0x80|byte(len(m)))
	} else {
		frame = binary.BigEndian.AppendUint16(append(frame, 0x80|126), uint16(len(m)))
	}
	return append(append(frame, 0, 0, 0, 0), m...)
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
