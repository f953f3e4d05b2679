package memory

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"encke/csp"
	"encke/tcpsocket"
)

// mute is a page that reads nothing behind the answer to its hello.
type mute struct {
	proxy     string // HOST:PORT
	transport string
	host      string // of the backend
	port      int

	id   string // of the session, once it is welcome
	conn net.Conn
}

// techniques are the ways in which a mute page can be connected.
var techniques = []string{"websocket", "fetch-streaming", "xhr-streaming", "eventsource", "long-polling", "iframe", "jsonp"}

// link makes a link, which takes the place of the last one, and reads the beginning of the
// answer. The first one opens the session and its socket.
func (m *mute) link(ctx context.Context) error {
	// With little room in the kernel the bytes stay where they are counted: in the proxy.
	dialer := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		var set error
		err := c.Control(func(fd uintptr) {
			set = errors.Join(
				syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10),
				syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, 1460))
		})
		return errors.Join(err, set)
	}}
	conn, err := dialer.DialContext(ctx, "tcp", m.proxy)
	if err != nil {
		return err
	}
	if m.conn != nil {
		_ = m.conn.Close()
	}
	m.conn = conn
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	defer conn.SetDeadline(time.Time{})
	if _, err := conn.Write(m.request()); err != nil {
		return err
	}
	// Byte by byte, not to take more than is needed.
	in := bufio.NewReaderSize(conn, 16)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return err
	}
	switch {
	case m.transport == "websocket" && resp.StatusCode == http.StatusSwitchingProtocols:
		if _, err := conn.Write(maskedFrame(m.records())); err != nil {
			return err
		}
	case m.transport == "websocket" || resp.StatusCode != http.StatusOK:
		text, _ := io.ReadAll(io.LimitReader(in, 100))
		return fmt.Errorf("%s: %s: %q", m.transport, resp.Status, text)
	}
	if m.id == "" {
		m.id, err = sessionID(in)
	}
	return err
}

// request is the whole request, but for a WebSocket, whose records follow the upgrade.
func (m *mute) request() []byte {
	method, query, head, body := "GET", "", "", ""
	switch m.transport {
	case "websocket":
		head = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
	case "eventsource", "iframe":
		query = "?d=" + base64.RawURLEncoding.EncodeToString(m.records())
	case "jsonp":
		query = "?callback=mute&seq=1&d=" + base64.RawURLEncoding.EncodeToString(m.records())
	default:
		method, body = "POST", string(m.records())
		head = fmt.Sprintf("Content-Type: text/plain\r\nContent-Length: %d\r\n", len(body))
	}
	origin := "Origin: http://" + m.proxy
	if m.transport == "iframe" || m.transport == "jsonp" {
		origin = "Referer: http://" + m.proxy + "/page"
	}
	return fmt.Appendf(nil, "%s /session/%s%s HTTP/1.1\r\nHost: %s\r\n%s\r\n%s\r\n%s", method, m.transport, query, m.proxy, origin, head, body)
}

// records are the hello and, at first, the opening of the socket with the largest window
// there is.
func (m *mute) records() []byte {
	if m.id != "" {
		return (&csp.Record{Kind: csp.Resume, Session: []byte(m.id)}).Append(nil)
	}
	hello := csp.Record{Kind: csp.New, Version: csp.Version}
	_, _ = rand.Read(hello.Key[:])
	open := tcpsocket.Frame{Type: tcpsocket.Open, Socket: 1, N: 16 << 20, Port: uint64(m.port), Host: []byte(m.host)}
	out := hello.Append(nil)
	out = (&csp.Record{Kind: csp.Seq, ID: 1}).Append(out)
	return (&csp.Record{Kind: csp.Data, Data: open.Append(nil)}).Append(out)
}

// sessionID reads as far as the end of the session's id, which looks the same in all
// encodings.
func sessionID(in *bufio.Reader) (string, error) {
	const node, random = "mute.", 22 // the proxy's --node, and the length behind it
	var seen strings.Builder
	for seen.Len() < 4096 {
		b, err := in.ReadByte()
		if err != nil {
			return "", fmt.Errorf("no welcome in %q: %w", seen.String(), err)
		}
		seen.WriteByte(b)
		if _, id, found := strings.Cut(seen.String(), node); found && len(id) == random {
			return node + id, nil
		}
	}
	return "", fmt.Errorf("no welcome in %q", seen.String())
}

// maskedFrame is a WebSocket message from a browser, of at most 64 KiB.
func maskedFrame(p []byte) []byte {
	out := []byte{0x82, 0x80 | 126}
	out = binary.BigEndian.AppendUint16(out, uint16(len(p)))
	out = append(out, 0, 0, 0, 0) // a mask that changes nothing
	return append(out, p...)
}
