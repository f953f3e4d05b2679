package mute

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

// Page is a page that reads nothing behind the answer to its hello.
type Page struct {
	Proxy     string // HOST:PORT
	Transport string
	Host      string // of the backend
	Port      int

	id   string // of the session, once it is welcome
	conn net.Conn
}

// Link makes a link, which takes the place of the last one, and reads the beginning of the
// answer. The first one opens the session and its socket.
func (m *Page) Link(ctx context.Context) error {
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
	conn, err := dialer.DialContext(ctx, "tcp", m.Proxy)
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
	case m.Transport == "websocket" && resp.StatusCode == http.StatusSwitchingProtocols:
		if _, err := conn.Write(maskedFrame(m.records())); err != nil {
			return err
		}
	case m.Transport == "websocket" || resp.StatusCode != http.StatusOK:
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 100))
		return fmt.Errorf("%s: %s: %q", m.Transport, resp.Status, text)
	}
	if m.id == "" {
		m.id, err = sessionID(in)
	}
	return err
}

// Close ends the link. The session waits for another one until it is given up.
func (m *Page) Close() {
	if m.conn != nil {
		_ = m.conn.Close()
	}
}

// request is the whole request, but for a WebSocket, whose records follow the upgrade.
func (m *Page) request() []byte {
	method, query, head, body := "GET", "", "", ""
	switch m.Transport {
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
	origin := "Origin: http://" + m.Proxy
	if m.Transport == "iframe" || m.Transport == "jsonp" {
		origin = "Referer: http://" + m.Proxy + "/page"
	}
	return fmt.Appendf(nil, "%s /session/%s%s HTTP/1.1\r\nHost: %s\r\n%s\r\n%s\r\n%s", method, m.Transport, query, m.Proxy, origin, head, body)
}

// records are the hello and, at first, the opening of the socket with the largest window
// there is.
func (m *Page) records() []byte {
	if m.id != "" {
		return (&csp.Record{Kind: csp.Resume, Session: []byte(m.id)}).Append(nil)
	}
	hello := csp.Record{Kind: csp.New, Version: csp.Version}
	_, _ = rand.Read(hello.Key[:])
	open := tcpsocket.Frame{Type: tcpsocket.Open, Socket: 1, N: 16 << 20, Port: uint64(m.Port), Host: []byte(m.Host)}
	out := hello.Append(nil)
	out = (&csp.Record{Kind: csp.Seq, ID: 1}).Append(out)
	return (&csp.Record{Kind: csp.Data, Data: open.Append(nil)}).Append(out)
}

// sessionID reads as far as the end of the session's id, which looks the same in all
// encodings, or of a batch without one in those of text.
func sessionID(in *bufio.Reader) (string, error) {
	const node, random = "mute.", 22 // the proxy's --node, and the length behind it
	var seen strings.Builder
	for seen.Len() < 4096 {
		b, err := in.ReadByte()
		if err != nil {
			return "", fmt.Errorf("no welcome in %q: %w", seen.String(), err)
		}
		seen.WriteByte(b)
		// A WebSocket's close frame begins so; the proxy waits a while for an answer to it.
		const closing = 0x88
		if b == closing || strings.HasSuffix(seen.String(), "]]") {
			return "", fmt.Errorf("refused: %q", seen.String())
		}
		if _, id, found := strings.Cut(seen.String(), node); found && len(id) == random {
			return node + id, nil
		}
	}
	return "", fmt.Errorf("no welcome in %q", seen.String())
}

// maskedFrame is a WebSocket message from a browser, of at most 64 KiB.
func maskedFrame(p []byte) []byte {
	out := []byte{0x82}
	if len(p) < 126 {
		out = append(out, 0x80|byte(len(p)))
	} else {
		out = binary.BigEndian.AppendUint16(append(out, 0x80|126), uint16(len(p)))
	}
	out = append(out, 0, 0, 0, 0) // a mask that changes nothing
	return append(out, p...)
}
