package orbited2

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"encke/cause"
	"encke/csp"
	"encke/legacy"
	"encke/tcpsocket"
)

const (
	// answerTime is how long a backend may take to become a WebSocket.
	answerTime = 10 * time.Second

	// messageTime is how long it may take for a message that it has begun, during which
	// other backends of the client have to wait.
	messageTime = 15 * time.Second
)

// messages is a backend that is a WebSocket server: pieces are text messages.
type messages struct {
	*tcpsocket.Backend
	*legacy.Floor
	ws *websocket.Conn
}

var _ legacy.Backend = (*messages)(nil)

// dialWebSocket makes a WebSocket of a connection, on behalf of a page of that origin.
func dialWebSocket(ctx context.Context, b *tcpsocket.Backend, floor *legacy.Floor, h *handshake, origin string) (legacy.Backend, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	once := make(chan net.Conn, 1)
	conn := &whole{Conn: b}
	once <- conn
	client := &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			MaxResponseHeaderBytes: 16 << 10,
			DisableKeepAlives:      true,
			DialContext: func(context.Context, string, string) (net.Conn, error) {
				select {
				case conn := <-once:
					return conn, nil
				default:
					return nil, errors.New("there is one connection")
				}
			},
		},
	}
	ws, resp, err := websocket.Dial(ctx, "ws://"+h.dest.String()+h.path, &websocket.DialOptions{
		HTTPClient: client, HTTPHeader: http.Header{"Origin": {origin}}, CompressionMode: websocket.CompressionDisabled,
	})
	if resp != nil && resp.Body != nil && err != nil {
		resp.Body.Close()
	}
	switch {
	case ctx.Err() == context.DeadlineExceeded:
		return nil, cause.TimedOut.With("the backend does not become a WebSocket")
	case err != nil:
		return nil, cause.Refused.With("the backend does not become a WebSocket")
	}
	conn.open.Store(true)
	ws.SetReadLimit(csp.MaxBody)
	return &messages{b, floor, ws}, nil
}

// whole is a connection whose end is an error: the library takes io.EOF inside a message for
// the end of that. Until it is a WebSocket, whoever dials ends it, with a cause.
type whole struct {
	net.Conn
	open atomic.Bool
}

func (w *whole) Close() error {
	if !w.open.Load() {
		return nil
	}
	return w.Conn.Close()
}

func (w *whole) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Next returns the next message, which the client takes for a text.
func (m *messages) Next() ([]byte, error) {
	m.Release()
	_, r, err := m.ws.Reader(context.Background()) // ends when the connection does
	var p []byte
	if err == nil {
		m.Take()
		// It takes no deadline back: that may be one of Close, when the client closes meanwhile.
		late := time.AfterFunc(messageTime, func() { m.SetReadDeadline(time.Now()) })
		p, err = io.ReadAll(counted{r, m.Hold})
		late.Stop()
	}
	switch code := websocket.CloseStatus(err); {
	case err == nil:
		return bytes.ToValidUTF8(p, []byte("\uFFFD")), nil
	case code == websocket.StatusNormalClosure, code == websocket.StatusGoingAway, code == websocket.StatusNoStatusRcvd:
		err = io.EOF
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = cause.TimedOut.With("the backend does not end its message")
	default:
		err = cause.Reset.With("by the backend")
	}
	m.Release()
	return nil, err
}

// Release is as in legacy.Backend.
func (m *messages) Release() { m.Yield() }

// counted counts what is read.
type counted struct {
	r    io.Reader
	hold func(int)
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.hold(n)
	return n, err
}

// Write sends a message.
func (m *messages) Write(p []byte) (int, error) {
	p = bytes.ToValidUTF8(p, []byte("\uFFFD"))
	return len(p), m.ws.Write(context.Background(), websocket.MessageText, p) // ends when the connection does
}

// Close closes the WebSocket, and with it the connection.
func (m *messages) Close() error {
	m.SetReadDeadline(time.Now().Add(answerTime)) // the library waits for the rest of a message
	err := m.ws.Close(websocket.StatusNormalClosure, "")
	m.Backend.Close()
	return err
}
