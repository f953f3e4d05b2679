package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"sync"
)

// Engine.IO protocol 4: binary frames on WebSocket; in polls base64 packets separated by
// 0x1e.

// dialEngineWS speaks Engine.IO over WebSocket.
func dialEngineWS(n *network, u *url.URL) dialer {
	return func() (stream, error) {
		v := *u
		v.RawQuery = "EIO=4&transport=websocket"
		ws, err := openWS(n, &v, "")
		if err != nil {
			return nil, err
		}
		return &engineWS{ws}, nil
	}
}

type engineWS struct{ *wsConn }

func (w *engineWS) Read(p []byte) (int, error) {
	for w.left == 0 {
		op, err := w.next()
		if err != nil {
			return 0, err
		}
		if op != opText {
			continue
		}
		m := make([]byte, w.left) // open or ping
		if _, err := io.ReadFull(w.br, m); err != nil {
			return 0, err
		}
		w.left = 0
		if m[0] == '2' {
			w.writeFrame(opText, []byte("3"))
		}
	}
	return w.wsConn.Read(p)
}

// dialEnginePoll speaks Engine.IO over long polling.
func dialEnginePoll(n *network, u *url.URL) dialer {
	return func() (stream, error) { return openEnginePoll(n, u) }
}

type enginePoll struct {
	*inbox
	*posts
	path string
	dead chan struct{}
	once sync.Once
}

func openEnginePoll(n *network, u *url.URL) (stream, error) {
	c := &enginePoll{inbox: newInbox(), dead: make(chan struct{})}
	up, down := newHTTP(n, u, c.dead)
	c.posts = newPosts(0, func(queue []byte, _ int) error {
		_, err := up.do("POST", c.path, "text/plain", queue)
		return err
	})
	base := u.Path + "?EIO=4&transport=polling"
	b, err := down.do("GET", base, "", nil)
	var open struct{ Sid string }
	if err == nil && len(b) > 1 {
		err = json.Unmarshal(b[1:], &open)
	}
	if err == nil && open.Sid == "" {
		err = fmt.Errorf("engine.io: opened with %q", b)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	c.path = base + "&sid=" + open.Sid
	go c.receive(down) // until the session is closed
	return c, nil
}

func (c *enginePoll) receive(down *httpConn) {
	var out []byte
	for {
		b, err := down.do("GET", c.path, "", nil)
		out = out[:0]
		for len(b) > 0 && err == nil {
			var packet []byte
			packet, b, _ = bytes.Cut(b, []byte{0x1e})
			switch {
			case len(packet) == 0:
			case packet[0] == 'b':
				out, err = base64.StdEncoding.AppendDecode(out, packet[1:])
			case packet[0] == '2':
				err = c.packet(1, func(b []byte) []byte { return append(b, '3') })
			case packet[0] == '1':
				err = io.EOF
			}
		}
		if err != nil {
			c.Fail(err)
			return
		}
		c.Put(out)
	}
}

// packet queues n packets that one appends.
func (c *enginePoll) packet(n int, one func([]byte) []byte) error {
	return c.add(n, func(queue []byte) []byte {
		for range n {
			if len(queue) > 0 {
				queue = append(queue, 0x1e)
			}
			queue = one(queue)
		}
		return queue
	})
}

func (c *enginePoll) Write(p []byte) (int, error) { return len(p), c.Repeat(p, 1) }

// Repeat implements repeater.
func (c *enginePoll) Repeat(p []byte, n int) error {
	return c.packet(n, func(b []byte) []byte { return base64.StdEncoding.AppendEncode(append(b, 'b'), p) })
}

func (c *enginePoll) Close() error {
	c.once.Do(func() { close(c.dead) })
	c.Fail(io.ErrClosedPipe)
	return nil
}
