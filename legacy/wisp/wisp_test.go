package wisp_test

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"encke/cause"
	"encke/cmd/encke/app"
	"encke/integration/backend"
	"encke/integration/wspeer"
)

func TestVersion1(t *testing.T) {
	b := backend.Echo(t)
	c := first(t, start(t, []string{b.Addr()}))
	c.connect(7, b)
	c.say("02 07000000", "hello") // before it is connected
	c.expect("02 07000000 68656c6c6f")
	c.connect(0xffffffff, b)
	c.say("02 ffffffff", "second")
	c.expect("02 ffffffff 7365636f6e64")
	c.say("02 07000000", "")
	c.say("02 07000000", "first")
	c.expect("02 07000000 6669727374")
	c.say("04 07000000 02", "")
	if err := <-b.Ended(); err != nil {
		t.Errorf("the backend of a stream that was closed: %v", err)
	}
	c.say("02 07000000", "crossed the CLOSE")
	c.say("02 ffffffff", "on")
	c.expect("02 ffffffff 6f6e")
	c.connect(7, b) // the id is free again
	c.say("02 07000000", "again")
	c.expect("02 07000000 616761696e")
}

func TestPathAndSubprotocol(t *testing.T) {
	url := start(t, []string{"127.0.0.1:1"})
	for _, path := range []string{"/wisp/", "/wisp", "/wisp/?x=/wisp/"} {
		wspeer.Dial(t, url, path)
	}
	for _, path := range []string{"/wisp/x", "/wisp/127.0.0.1:1", "/wispy/"} {
		if _, resp, err := wspeer.TryDial(t, url, path); err == nil || resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %v, %v, want 404", path, resp, err)
		}
	}
	for _, c := range [][2]string{{"wisp-v2", "wisp-v2"}, {"other wisp-v2", "wisp-v2"}, {"other", ""}} {
		ws := wspeer.Dial(t, url, "/wisp/", strings.Fields(c[0])...)
		if got := ws.Subprotocol(); got != c[1] {
			t.Errorf("offered %s: %q, want %q", c[0], got, c[1])
		}
		if p := ws.Receive(); p[0] != 5 { // version 2 whatever it is
			t.Errorf("offered %s: the first packet is %x, want INFO", c[0], p)
		}
	}
}

func TestVersion2(t *testing.T) {
	b := backend.Echo(t)
	url := start(t, []string{b.Addr()}, "wisp-motd", "be nice")
	dial := func() *client {
		c := &client{wspeer.Dial(t, url, "/wisp/", "wisp-v2"), t}
		c.expect("05 00000000 02 00 04 07000000 6265206e696365 05 00000000")
		return c
	}
	c := dial()
	c.say("05 00000000 02 00 05 00000000", "") // and wants confirmations
	c.expect("03 00000000 08000000")
	c.connect(1, b)
	c.expect("03 01000000 08000000")
	c.data(1, []byte("x"))
	c.expect("02 01000000 78")

	c = dial()
	c.say("05 00000000 02 00 04 00000000 01 00000000", "")
	c.expect("03 00000000 08000000")
	c.connect(1, b)
	c.data(1, []byte("x"))
	c.expect("02 01000000 78") // not confirmed

	c = dial()
	c.say("04 00000000 04", "") // it does not like the extensions
	c.Ended(cause.Closed)

	c = dial()
	c.say("05 00000000 01 02", "")
	c.expect("04 00000000 04")
	c.Ended(cause.ProtocolError)
}

func TestPasswordIsRequired(t *testing.T) {
	b := backend.Echo(t)
	file := write(t, "ann:other than secret\n")
	url := start(t, []string{b.Addr()}, "wisp-password-file", file)
	if err := os.WriteFile(file, []byte("ann:secret\n"), 0o600); err != nil { // it is read again
		t.Fatal(err)
	}
	c := &client{wspeer.Dial(t, url, "/wisp/"), t}
	c.expect("04 00000000 c2")
	c.Ended(cause.NotAuthenticated)
	for _, try := range []struct{ says, reason string }{
		{"05 00000000 02 00 05 00000000", "c2"},
		{"05 00000000 02 00 02 09000000 03 616e6e 736563726573", ""}, // cut
		{"05 00000000 02 00 02 0a000000 03 616e6e 736563726573", "c0"},
		{"05 00000000 02 00 02 00000000", "c2"},
		{"05 00000000 02 00 02 0a000000 03 616e6e 736563726574", "ok"},
	} {
		c := &client{wspeer.Dial(t, url, "/wisp/", "wisp-v2"), t}
		c.expect("05 00000000 02 00 02 01000000 01 05 00000000")
		c.say(try.says, "")
		switch try.reason {
		case "ok":
			c.expect("03 00000000 08000000")
			c.connect(1, b)
			c.data(1, []byte("x"))
			c.expect("02 01000000 78")
		case "":
			c.Ended(cause.ProtocolError)
		default:
			c.expect("04 00000000 " + try.reason)
			c.Ended(cause.NotAuthenticated)
		}
	}
}

func TestStreamsThatDoNotOpen(t *testing.T) {
	b := backend.Echo(t)
	refused := backend.Refuse(t)
	cfg := config(t, []string{b.Addr(), "127.0.0.1:9000-65535", "nowhere.invalid:80"})
	cfg.MaxSockets, cfg.OpenBurst = 2, 100
	c := first(t, wspeer.Start(t, cfg))
	for _, try := range []struct {
		name, head, host string
		reason           string
	}{
		{"not allowed", "01 01000000 01 5000", "10.0.0.1", "48"},
		{"metadata", "01 01000000 01 5000", "169.254.169.254", "48"},
		{"UDP", "01 01000000 02 3500", "127.0.0.1", "48"},
		{"a type that is none", "01 01000000 03 3500", "127.0.0.1", "41"},
		{"port 0", "01 01000000 01 0000", "127.0.0.1", "41"},
		{"no host", "01 01000000 01 5000", "", "41"},
		{"another spelling", "01 01000000 01 5000", "0x7f.1", "41"},
		{"with NUL", "01 01000000 01 5000", "a\x00b", "41"},
		{"no UTF-8", "01 01000000 01 5000", "a\xff", "41"},
		{"a long one", "01 01000000 01 5000", strings.Repeat("a.", 20_000), "41"},
		{"cut", "01 01000000 01 50", "", "41"},
		{"only a head", "01 01000000", "", "41"},
		{"no such name", "01 01000000 01 5000", "nowhere.invalid", "42"},
	} {
		c.say(try.head, try.host)
		if got := c.Receive(); !bytes.Equal(got, unhex(t, "04 01000000"+try.reason)) {
			t.Errorf("%s: %x, want CLOSE %s", try.name, got, try.reason)
		}
	}
	c.connectTo(1, "127.0.0.1:"+strconv.Itoa(refused))
	c.expect("04 01000000 44")
	c.connect(1, b)
	c.connect(2, b)
	c.data(1, []byte("1"))
	c.expect("02 01000000 31")
	c.data(2, []byte("2"))
	c.expect("02 02000000 32")
	c.connect(3, b)
	c.expect("04 03000000 49")
}

func TestEndsOfStreams(t *testing.T) {
	hello, reset, half := backend.FirstFin(t, "hello", 1, 0), backend.Reset(t, "hi"), backend.HalfClose(t)
	c := first(t, start(t, []string{hello.Addr(), reset.Addr(), half.Addr()}))
	c.connect(1, hello)
	c.expect("02 01000000 68656c6c6f")
	c.expect("04 01000000 02")
	c.connect(2, reset)
	c.expect("02 02000000 6869")
	c.data(2, []byte("x"))
	c.expect("04 02000000 03")
	// What was sent before CLOSE arrives, even before the stream is connected; nothing is
	// said to the client any more.
	c.connect(3, half)
	c.data(3, []byte("tail"))
	c.say("04 03000000 02", "")
	if err := <-half.Ended(); err != nil || half.Read() != 4 {
		t.Errorf("the backend read %d bytes, %v, want 4", half.Read(), err)
	}
	c.connect(4, hello)
	c.expect("02 04000000 68656c6c6f")
	c.expect("04 04000000 02")
}

// A page that goes closes its streams.
func TestClientCloses(t *testing.T) {
	const size = 300 << 10
	b := backend.Paced(t, 7, size, 10, 1)
	c := first(t, start(t, []string{b.Addr()}))
	c.connect(1, b)
	p := make([]byte, size)
	backend.Fill(p, 7, 0)
	c.data(1, p)
	c.Close(websocket.StatusGoingAway, "")
	if err := <-b.Ended(); err != nil {
		t.Error(err)
	}
}

func TestHostilePackets(t *testing.T) {
	b := backend.Echo(t)
	url := start(t, []string{b.Addr()})
	for name, packet := range map[string]string{
		"nothing":               "",
		"half a head":           "02 010000",
		"an unknown type":       "09 01000000 00",
		"type 0":                "00 01000000 00",
		"INFO in version 1":     "05 00000000 02 00",
		"CONTINUE":              "03 01000000 08000000",
		"CLOSE without reason":  "04 01000000",
		"CONNECT of stream 0":   "01 00000000 01 5000 61",
		"DATA of stream 0":      "02 00000000 61",
		"CONNECT without end":   "01 01000000 01 5000" + strings.Repeat("61", 70_000),
		"CLOSE of great length": "04 01000000" + strings.Repeat("02", 70_000),
	} {
		t.Run(name, func(t *testing.T) {
			c := first(t, url)
			c.connect(9, b)
			c.data(9, []byte("x"))
			c.expect("02 09000000 78")
			c.say(packet, "")
			c.Ended(cause.ProtocolError)
			if err := <-b.Ended(); err == nil {
				t.Error("the backend saw a clean end")
			}
		})
	}
	c := first(t, url)
	c.Write(t.Context(), websocket.MessageText, []byte("text"))
	if all, code, _ := c.Rest(); len(all) > 0 || code != 1003 {
		t.Errorf("a text message: %q, %d, want 1003", all, code)
	}
	// A message need not be one frame.
	c = first(t, url)
	c.connect(1, b)
	w, err := c.Writer(context.Background(), websocket.MessageBinary)
	if err != nil {
		t.Fatal(err)
	}
	for _, piece := range []string{"02 01", "000000", "", "61", "62"} {
		w.Write(unhex(t, piece))
	}
	w.Close()
	c.expect("02 01000000 6162")
	// An id that is in use ends both.
	c.connect(1, b)
	c.expect("04 01000000 41")
	c.data(1, []byte("unknown now"))
	c.say("04 00000000 02", "")
	c.Ended(cause.Closed)
}

// Streams of which nobody hears anything cost the proxy no more than the bound.
func TestManyConnects(t *testing.T) {
	c := first(t, start(t, []string{"127.0.0.1:9"}))
	for id := range uint32(1000) {
		c.connectTo(id+1, "192.0.2.1:80")
	}
	for range 1000 {
		if kind, _, payload := c.packet(); kind != 4 || payload[0] != 0x48 && payload[0] != 0x49 {
			t.Fatalf("packet 0x%02x, %x, want CLOSE, denied or throttled", kind, payload)
		}
	}
}

// A client that keeps to its credit is held up by nothing, and gets back what it sends.
func TestBulk(t *testing.T) {
	const size, piece = 8 << 20, 16 << 10
	b := backend.Echo(t)
	c := first(t, start(t, []string{b.Addr()}))
	c.connect(1, b)
	credits := make(chan int, size/piece)
	go func() {
		credit := 8
		for at := 0; at < size; at += piece {
			for credit == 0 {
				credit = <-credits
			}
			credit--
			p := append(unhex(t, "02 01000000"), make([]byte, piece)...)
			backend.Fill(p[5:], 2, int64(at))
			c.Write(context.Background(), websocket.MessageBinary, p)
		}
	}()
	for got := int64(0); got < size; {
		kind, _, payload := c.packet()
		switch {
		case kind == 2:
			if err := backend.Check(payload, 2, got); err != nil {
				t.Fatal(err)
			}
			got += int64(len(payload))
		case kind == 3 && payload[0] == 32: // 512 KiB in packets of 16 KiB
			credits <- 32
		default:
			t.Fatalf("packet 0x%02x, %x, want DATA or CONTINUE 32", kind, payload)
		}
	}
	c.say("04 01000000 02", "")
	if err := <-b.Ended(); err != nil {
		t.Error(err)
	}
}

func TestBadSettings(t *testing.T) {
	for _, c := range []struct {
		options []string
		says    string
	}{
		{[]string{"wisp-password-file", "does-not-exist"}, "--wisp-password-file: open does-not-exist"},
		{[]string{"wisp-password-file", write(t, "ann\nbob\n")}, "2 settings are wrong"},
		{[]string{"wisp-motd", "\xff"}, "--wisp-motd"},
		{[]string{"wisp-motd", strings.Repeat("x", 4097)}, "--wisp-motd"},
	} {
		cfg := config(t, []string{"a.example:80"}, c.options...)
		if err := cfg.Check(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%.60q: %v, want %q", c.options, err, c.says)
		}
	}
	cfg := app.Config{Allow: []string{"a.example:80"}, LegacyOptions: map[string][]string{"wisp-motd": {"hi"}}}
	if err := cfg.Check(); err == nil || !strings.Contains(err.Error(), "--wisp-motd: of no use without --legacy wisp") {
		t.Errorf("an option of a protocol that is off: %v", err)
	}
}
