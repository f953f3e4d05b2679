package transports_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"encke/csp"
	"encke/transports"
)

// mixed is a page that uses its connections in every way that HTTP allows. What its session
// echoes must be what it has sent, in order, once; packets may be joined.
type mixed struct {
	*rig
	rnd  *rand.Rand
	id   string
	sent uint64 // packets
	all  []byte // what they hold
	got  uint64 // packets
	back int    // how much of all they held
	main *conn  // kept alive as long as the page
}

// next returns a body that sends the next packets.
func (m *mixed) next() []byte {
	var texts []string
	first := m.sent + 1
	for range 1 + m.rnd.IntN(4) {
		m.sent++
		text := fmt.Sprintf("%d:", m.sent) + strings.Repeat("x", m.rnd.IntN(6000))
		texts = append(texts, text)
		m.all = append(m.all, text...)
	}
	return join(resume(m.id, m.got), packets(first, texts...))
}

// take checks the records of a downlink, of which the last one may not have come whole.
func (m *mixed) take(body []byte) {
	m.t.Helper()
	csp.Parse(body, 0, func(rec *csp.Record) error {
		switch {
		case rec.Kind == csp.Close:
			m.t.Fatalf("the session is closed: %s", rec.Text)
		case rec.Kind != csp.Data || rec.ID <= m.got:
		case rec.ID > m.got+1:
			m.t.Fatalf("packet %d comes behind %d", rec.ID, m.got)
		case !bytes.HasPrefix(m.all[m.back:], rec.Data):
			m.t.Fatalf("packet %d is %.60q behind %d bytes", rec.ID, rec.Data, m.back)
		default:
			m.got = rec.ID
			m.back += len(rec.Data)
		}
		return nil
	})
}

func (m *mixed) missing() bool { return m.back < len(m.all) }

// fine reads one answer that must be a success.
func (m *mixed) fine(c *conn) []byte {
	m.t.Helper()
	resp, body := c.answer()
	if resp.StatusCode != http.StatusOK {
		m.t.Fatalf("%s: %q", resp.Status, body)
	}
	return body
}

// pieces writes a request in several writes.
func (m *mixed) pieces(c *conn, request string) {
	for len(request) > 0 {
		n := 1 + m.rnd.IntN(len(request))
		io.WriteString(c, request[:n])
		request = request[n:]
	}
}

func (m *mixed) chunked(path string, body []byte) string {
	var b strings.Builder
	head, _, _ := strings.Cut(m.posted("1.1", path, nil), "Content-Length")
	b.WriteString(head + "Transfer-Encoding: chunked\r\n\r\n")
	for len(body) > 0 {
		n := 1 + m.rnd.IntN(len(body))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	return b.String() + "0\r\n\r\n"
}

// up sends packets in one of the ways.
func (m *mixed) up() {
	m.t.Helper()
	body := m.next()
	request := m.posted("1.1", "send", body)
	switch m.rnd.IntN(5) {
	case 0:
		resp := m.post("send", body)
		io.Copy(io.Discard, resp.Body)
	case 1:
		m.pieces(m.main, m.chunked("send", body))
		m.fine(m.main)
	case 2: // cut anywhere, and again from the begin
		c := m.connect()
		io.WriteString(c, request[:m.rnd.IntN(len(request)+1)])
		c.Close()
		fallthrough
	case 3:
		m.pieces(m.main, request)
		m.fine(m.main)
	case 4:
		io.WriteString(m.main, strings.Replace(request, "\r\nOrigin", "\r\nExpect: 100-continue\r\nOrigin", 1))
		if resp, _ := m.main.answer(); resp.StatusCode != http.StatusContinue {
			m.t.Fatalf("%s instead of 100", resp.Status)
		}
		m.fine(m.main)
	}
}

// down receives until nothing is missing, in one of the ways.
func (m *mixed) down() {
	m.t.Helper()
	switch way := m.rnd.IntN(4); way {
	case 0: // over a stream, which is cut
		c := m.connect()
		io.WriteString(c, m.chunked("fetch-streaming", resume(m.id, m.got)))
		resp, err := http.ReadResponse(c.br, nil)
		if err != nil {
			m.t.Fatal(err)
		}
		var all bytes.Buffer
		for part := make([]byte, 64<<10); m.missing(); {
			n, err := resp.Body.Read(part)
			if err != nil {
				m.t.Fatalf("the stream ends: %v", err)
			}
			all.Write(part[:n])
			m.take(all.Bytes())
		}
		c.Close()
	case 1: // a poll is cut, and another one follows
		c := m.connect()
		request := m.posted("1.1", "long-polling", resume(m.id, m.got))
		io.WriteString(c, request[:len(request)-m.rnd.IntN(2)])
		c.Close()
	case 2: // behind an open poll come a send, which another connection lets through, and a poll
		for m.missing() {
			m.poll()
		}
		poll, other := resume(m.id, m.got), m.next()
		behind := m.next()
		io.WriteString(m.main, m.posted("1.1", "long-polling", poll)+m.posted("1.1", "send", behind)+
			m.posted("1.1", "long-polling", resume(m.id, m.got)))
		m.post("send", other)
		m.take(m.fine(m.main))
		m.fine(m.main)
		m.take(m.fine(m.main))
	}
	for m.missing() {
		m.poll()
	}
}

func (m *mixed) poll() {
	m.t.Helper()
	m.pieces(m.main, m.posted("1.1", "long-polling", resume(m.id, m.got)))
	m.take(m.fine(m.main))
}

func TestMixedUseOfConnections(t *testing.T) {
	shared := newRig(t, transports.Options{AddressHandshakes: -1}, csp.Options{})
	t.Run("pages", func(t *testing.T) {
		for i := range 6 {
			r := *shared
			r.keys = byte(10 * i)
			t.Run("", func(t *testing.T) {
				t.Parallel()
				r.t = t
				m := &mixed{rig: &r, rnd: rand.New(rand.NewPCG(1, uint64(i))), id: r.open(), main: r.connect()}
				for range 60 {
					m.up()
					m.down()
				}
			})
		}
	})
}
