package orbited07

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"

	"encke/buffer"
	"encke/cause"
	"encke/csp"
)

// post takes packets of a client.
func (a *adapter) post(w http.ResponseWriter, r *http.Request, origin string) {
	key := strings.TrimPrefix(r.URL.Path, "/tcp/")
	c, err := a.find(key, origin)
	if err != nil && !errors.Is(err, cause.Closed.Err()) {
		lost(w, err)
		return
	}
	if err == nil {
		err = c.take(w, r)
	}
	switch {
	case err == nil, errors.Is(err, cause.Closed.Err()): // it did not hear our answer to its close
		w.Header().Set("Content-Type", text)
		io.WriteString(w, "OK")
	case err == errAborted:
		panic(http.ErrAbortHandler) // nobody is there to be told
	default:
		refuse(w, err)
	}
}

var errAborted = errors.New("the request did not come to its end")

// take takes the packets of one POST. It returns when the backend may get more; that is
// the only brake that clients have.
func (c *conn) take(w http.ResponseWriter, r *http.Request) error {
	ack, err := ackOf(r)
	if err != nil {
		return err
	}
	c.hear(true)
	done := r.Context().Done()
	if !c.post.Take(done, c.over) { // one at a time: what waits is bounded, and so is what is read for it
		return c.ended()
	}
	defer c.post.Release()
	if !c.buffers.Wait(done) {
		return c.ended()
	}
	if ack > offset {
		if err := c.s.Acked(ack - offset); err != nil {
			return err
		}
	}
	if err := c.read(w, r); err != nil {
		return err
	}
	if !c.buffers.Wait(done) {
		return c.ended()
	}
	return nil
}

// ended returns why a POST has to end.
func (c *conn) ended() error {
	if err := c.s.Err(); err != nil {
		return err
	}
	return errAborted
}

// read delivers the packets of a body, or none when there is something wrong with one:
// then the session ends.
func (c *conn) read(w http.ResponseWriter, r *http.Request) error {
	body, buf, err := c.a.p.Handler.Body(w, r)
	if buf != nil {
		defer buf.Release()
	}
	var why *cause.Error
	if err != nil && !errors.As(err, &why) {
		return errAborted
	}
	if why == nil {
		why = check(body)
	}
	if why != nil {
		c.s.Close(why) // the client would send the same for half a minute
		return why
	}
	if closes, err := c.deliver(body); err != nil || !closes {
		return err
	}
	c.leave()
	return nil
}

// check returns what is wrong with a body.
func check(body []byte) *cause.Error {
	scratch := buffer.Get(decodedPiece)
	defer scratch.Release()
	err := parse(body, func(p upstream) error {
		for text := p.text; len(text) > 0; {
			n := min(len(text), encodedPiece)
			piece := text[:n]
			text = text[n:]
			got, err := base64.StdEncoding.Decode(scratch.Room(), piece)
			if err != nil || len(text) > 0 && got != decodedPiece || bytes.ContainsAny(piece, "\r\n") { // which Decode skips
				return errors.New("data that is not base64 with padding")
			}
		}
		return nil
	})
	if err != nil {
		return cause.ProtocolError.With("%v", err)
	}
	return nil
}

const (
	decodedPiece = 3 << 10
	encodedPiece = 4 << 10
)

// deliver passes the packets of a body on, as many at a time as a session takes, and
// reports whether the client closes.
func (c *conn) deliver(body []byte) (closes bool, err error) {
	decoded := buffer.Get(base64.StdEncoding.DecodedLen(len(body)))
	defer decoded.Release()
	var packets []csp.Packet
	pass := func() error {
		_, err := c.s.Deliver(packets, true)
		packets = packets[:0]
		return err
	}
	err = parse(body, func(p upstream) error {
		if p.name == "close" {
			// Nothing follows it; what should come before it may never come, as a client
			// that resets throws that away.
			closes = true
			return nil
		}
		room := decoded.Room()
		n, _ := base64.StdEncoding.Decode(room, p.text) // it was checked
		decoded.Extend(n)
		packets = append(packets, csp.Packet{ID: p.id, Data: room[:n]})
		if len(packets) == csp.MaxPackets {
			return pass()
		}
		return nil
	})
	if err == nil && len(packets) > 0 {
		err = pass()
	}
	return closes, err
}

// leave ends the connection for a client that has closed. What it has sent arrives.
func (c *conn) leave() {
	c.mu.Lock()
	c.left = true
	if c.phase != relaying {
		c.phase = refused
	}
	c.mu.Unlock()
	c.backlog.End()
	if c.backlog.Settled() { // its backend had closed before
		c.settled()
	}
}

// hasLeft reports whether the client has closed.
func (c *conn) hasLeft() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.left
}

// settled is called when the backend has got everything, or takes nothing any more.
func (c *conn) settled() {
	if c.hasLeft() {
		c.s.Close(cause.Closed.Err())
	}
}
