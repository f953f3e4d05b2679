package orbited2_test

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"encke/legacy/cspdraft"
	"encke/legacy/legacytest"
	"encke/legacy/orbited2"
)

// A message that the connection ends within is no message.
func TestMessageIsCut(t *testing.T) {
	for name, message := range map[string][]byte{
		"behind the head":    head(true, 1000),
		"in what is read":    append(head(true, 1000), make([]byte, 700)...),
		"between two reads":  append(head(true, 1000), make([]byte, 512)...),
		"between two frames": append(head(false, 4), "part"...),
	} {
		synctest.Test(t, func(t *testing.T) {
			r := legacytest.New(t, orbited2.New)
			c := dial(t, r)
			c.Send(hello(0, `{"hostname":"b.test","port":80,"protocol":"ws"}`)...)
			far := r.Backend(t)
			accept(t, far)
			c.Next()
			far.Write(message)
			far.Close()
			if got, want := c.Next(), []string{frame("0,1,reset")}; !slices.Equal(got, want) {
				t.Errorf("%s: the client got %q, want %q", name, got, want)
			}
		})
	}
}

// A backend that does not end its message is let go when its client closes, also one that
// is not read at that time because the client takes nothing.
func TestBackendIsClosedWithinMessage(t *testing.T) {
	for _, full := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			r := legacytest.New(t, cspdraft.New, orbited2.New)
			c := r.Client(t)
			c.Send(hello(0, `{"hostname":"b.test","port":80,"protocol":"ws"}`)...)
			far := r.Backend(t)
			accept(t, far)
			c.Next()
			go func() { // until all is read, or the connection ends
				for range 10 {
					if full { // all of them are more than the session keeps
						far.Write(append(head(true, 60_000), make([]byte, 60_000)...))
					}
				}
				far.Write(append(head(true, 1000), "part"...))
			}()
			time.Sleep(14 * time.Second)
			c.Send("4,0,1,")
			go io.Copy(io.Discard, far) // ends with the connection
			c.Next()
			time.Sleep(time.Minute)
			synctest.Wait()
			if n := r.Sockets.Open(); n != 0 {
				t.Errorf("full %v: %d sockets are open a minute later", full, n)
			}
		})
	}
}

// What there is of a message of the client is counted while the rest is to come.
func TestMessageUnderWayIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := legacytest.New(t, orbited2.New)
		c := dial(t, r)
		used := func() int64 { synctest.Wait(); return r.Sessions.Budget().Used() }
		w, err := c.ws.Writer(t.Context(), websocket.MessageText)
		if err != nil {
			t.Fatal(err)
		}
		text := frame("7,9," + strings.Repeat("x", 400_000)) // of no use
		io.WriteString(w, text[:300_000])
		if n := used(); n < 200_000 {
			t.Errorf("most of a message counts as %d bytes", n)
		}
		io.WriteString(w, text[300_000:])
		w.Close()
		if n := used(); n != 0 {
			t.Errorf("behind it %d bytes are counted", n)
		}
	})
}

// accept makes a WebSocket server of the far end of a connection.
func accept(t *testing.T, far net.Conn) {
	t.Helper()
	req, err := http.ReadRequest(bufio.NewReader(far))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha1.Sum([]byte(req.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	fmt.Fprintf(far, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
}

// head is what precedes a frame of n bytes, with which a message begins.
func head(last bool, n int) []byte {
	first := byte(1)
	if last {
		first |= 0x80
	}
	return binary.BigEndian.AppendUint16([]byte{first, 126}, uint16(n))
}
