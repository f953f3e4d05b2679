package peer

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/coder/websocket"

	"encke/csp"
)

// webSocket runs one WebSocket from its opening to its end. It reports whether the proxy
// answered.
func (c *carrier) webSocket() (answered bool, err error) {
	p := c.p
	opening, cancel := context.WithTimeout(c.ctx, p.opts.Answer)
	defer cancel()
	hello, node := p.hello()
	var offer []string // every other one, so that both ways are seen
	if p.webSockets.Add(1)%2 == 1 {
		offer = []string{"encke", base64.RawURLEncoding.EncodeToString(hello)}
	}
	dial := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := p.conns.open(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return cutConn{conn}, nil
	}}
	defer dial.CloseIdleConnections()
	ws, resp, err := websocket.Dial(opening, p.url("websocket", node, false), &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: dial}, HTTPHeader: http.Header{"Origin": {p.opts.Origin}}, Subprotocols: offer,
	})
	if err != nil {
		if resp != nil {
			return false, fmt.Errorf("websocket: status %d", resp.StatusCode)
		}
		return false, err
	}
	defer ws.CloseNow()
	ws.SetReadLimit(csp.MaxBody)
	if ws.Subprotocol() == "" {
		if err := ws.Write(opening, websocket.MessageBinary, hello); err != nil {
			return false, err
		}
	}
	c.mu.Lock()
	c.uplink, c.ws = nil, ws
	c.mu.Unlock()
	defer c.endWebSocket()
	r := reader{how: c.how}
	for silence := p.opts.Answer; ; silence = c.silence() {
		ctx, cancel := context.WithTimeout(c.ctx, silence)
		typ, msg, err := ws.Read(ctx)
		cancel()
		if err != nil {
			return answered, err
		}
		if typ != websocket.MessageBinary {
			return answered, errors.New("websocket: text from the proxy")
		}
		records, err := r.message(msg)
		if err != nil {
			return answered, fmt.Errorf("websocket: something on the way changed the data: %w", err)
		}
		if !answered {
			if len(records) == 0 || records[0].Kind == csp.Close {
				return false, c.take(records, false)
			}
			answered = true
			p.linked()
		}
		if err := c.take(records, false); err != nil {
			return answered, err
		}
	}
}

// endWebSocket ends the uplink that belongs to the WebSocket. When it is the session that is
// over, the proxy is told first: what was read may have come before it knew.
func (c *carrier) endWebSocket() {
	c.mu.Lock()
	uplink, sending, ws := c.uplink, c.sending, c.ws
	c.mu.Unlock()
	if uplink != nil && c.p.csp.Err() != nil {
		select {
		case <-sending:
		case <-c.ctx.Done():
		}
	}
	ws.CloseNow()
	if uplink != nil {
		uplink.Detach()
		<-sending
	}
}

// sendMessages is the uplink of a WebSocket.
func (c *carrier) sendMessages(uplink *csp.Link, ws *websocket.Conn) {
	defer ws.CloseNow() // which ends the reader too
	var b csp.Batch
	for {
		ok, err := uplink.Next(c.ctx, c.silence()/2, &b, 64<<10)
		if err == io.EOF && c.p.csp.Err() != nil {
			_ = ws.Close(websocket.StatusNormalClosure, "")
		}
		if err != nil {
			return
		}
		if !ok {
			uplink.Probe()
			continue
		}
		out := csp.Binary.Append(nil, &b)
		b.Release()
		ctx, cancel := context.WithTimeout(c.ctx, c.p.opts.Answer)
		err = ws.Write(ctx, websocket.MessageBinary, out)
		cancel()
		if err != nil {
			return
		}
	}
}
