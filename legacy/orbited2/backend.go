package orbited2

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"encke/cause"
	"encke/csp"
	"encke/legacy"
	"encke/tcpsocket"
)

// answerTime is how long a backend may take to become a WebSocket.
const answerTime = 10 * time.Second

// messages is a backend that is a WebSocket server: pieces are text messages.
type messages struct {
	*tcpsocket.Backend
	ws *websocket.Conn
}

var _ legacy.Backend = (*messages)(nil)

// dialWebSocket makes a WebSocket of a connection, on behalf of a page of that origin.
func dialWebSocket(ctx context.Context, b *tcpsocket.Backend, h *handshake, origin string) (legacy.Backend, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	once := make(chan net.Conn, 1)
	once <- b
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
	ws.SetReadLimit(csp.MaxBody)
	return &messages{b, ws}, nil
}

// Next returns the next message, which the client takes for a text.
func (m *messages) Next() ([]byte, error) {
	_, p, err := m.ws.Read(context.Background()) // ends when the connection does
	switch code := websocket.CloseStatus(err); {
	case err == nil:
		return bytes.ToValidUTF8(p, []byte("\uFFFD")), nil
	case code == websocket.StatusNormalClosure, code == websocket.StatusGoingAway, code == websocket.StatusNoStatusRcvd:
		return nil, io.EOF
	}
	return nil, cause.Reset.With("by the backend")
}

// Write sends a message.
func (m *messages) Write(p []byte) (int, error) {
	p = bytes.ToValidUTF8(p, []byte("\uFFFD"))
	return len(p), m.ws.Write(context.Background(), websocket.MessageText, p) // ends when the connection does
}

// Close closes the WebSocket, and with it the connection.
func (m *messages) Close() error {
	err := m.ws.Close(websocket.StatusNormalClosure, "")
	m.Backend.Close()
	return err
}
