package wisp_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"encke/cmd/encke/app"
	"encke/integration/backend"
	"encke/integration/wspeer"
)

// start starts a proxy with Wisp. Pairs of options are a name and a value.
func start(t *testing.T, allow []string, options ...string) string {
	t.Helper()
	return wspeer.Start(t, config(t, allow, options...))
}

func config(t *testing.T, allow []string, options ...string) app.Config {
	t.Helper()
	values := make(map[string][]string)
	for i := 0; i < len(options); i += 2 {
		values[options[i]] = []string{options[i+1]}
	}
	return app.Config{Allow: allow, Legacy: []string{"wisp"}, LegacyOptions: values}
}

// write writes a file of the test.
func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// client speaks Wisp in bytes.
type client struct {
	*wspeer.Conn
	t *testing.T
}

// first opens a WebSocket for version 1 and takes the first CONTINUE.
func first(t *testing.T, url string) *client {
	t.Helper()
	c := &client{wspeer.Dial(t, url, "/wisp/"), t}
	c.expect("03 00000000 08000000")
	return c
}

// say sends a packet, in hex and, behind it, as it is.
func (c *client) say(head, rest string) {
	c.t.Helper()
	c.Send(append(unhex(c.t, head), rest...))
}

// expect receives a packet, which is this one.
func (c *client) expect(want string) {
	c.t.Helper()
	if got := c.Receive(); !bytes.Equal(got, unhex(c.t, want)) {
		c.t.Fatalf("got %.64x, want %s", got, want)
	}
}

// connect opens a stream to a backend.
func (c *client) connect(id uint32, b *backend.Backend) { c.t.Helper(); c.connectTo(id, b.Addr()) }

func (c *client) connectTo(id uint32, addr string) {
	c.t.Helper()
	host, text, _ := strings.Cut(addr, ":")
	port, err := strconv.Atoi(text)
	if err != nil {
		c.t.Fatal(err)
	}
	p := append(binary.LittleEndian.AppendUint32([]byte{1}, id), 1)
	c.Send(append(binary.LittleEndian.AppendUint16(p, uint16(port)), host...))
}

func (c *client) data(id uint32, p []byte) {
	c.t.Helper()
	c.Send(append(binary.LittleEndian.AppendUint32([]byte{2}, id), p...))
}

// packet receives a packet.
func (c *client) packet() (kind byte, id uint32, payload []byte) {
	c.t.Helper()
	p := c.Receive()
	if len(p) < 5 {
		c.t.Fatalf("a packet of %d bytes", len(p))
	}
	return p[0], binary.LittleEndian.Uint32(p[1:]), p[5:]
}

// stream receives DATA of a stream until there are n bytes. CONTINUE may be among it.
func (c *client) stream(id uint32, n int) []byte {
	c.t.Helper()
	var all []byte
	for len(all) < n {
		kind, from, payload := c.packet()
		switch {
		case kind == 3:
		case kind != 2 || from != id:
			c.t.Fatalf("packet 0x%02x of stream %d (%x), want DATA of %d", kind, from, payload, id)
		default:
			all = append(all, payload...)
		}
	}
	return all
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	p, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return p
}
