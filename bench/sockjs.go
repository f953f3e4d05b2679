package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/url"
	"sync"
)

// dialSockJSWS speaks SockJS over WebSocket.
func dialSockJSWS(n *network, u *url.URL) dialer {
	return func() (stream, error) {
		v := *u
		v.Path = sockjsPath(u, "websocket")
		ws, err := openWS(n, &v, "")
		if err != nil {
			return nil, err
		}
		ws.op = opText
		c := &sockjsWS{wsConn: ws}
		if c.raw, _, err = ws.readMessage(nil); err == nil && string(c.raw) != "o" {
			err = fmt.Errorf("sockjs: opened with %q", c.raw)
		}
		if err != nil {
			ws.Close()
			return nil, err
		}
		return c, nil
	}
}

type sockjsWS struct {
	*wsConn
	in, out, raw, encoded []byte // in is the part of out that was not read
	repeated              []byte
	of                    []byte // what it holds
}

func (c *sockjsWS) Read(p []byte) (int, error) {
	for len(c.in) == 0 {
		var err error
		if c.raw, _, err = c.readMessage(c.raw[:0]); err != nil {
			return 0, err
		}
		if c.out, err = sockjsDecode(c.out[:0], c.raw); err != nil {
			return 0, err
		}
		c.in = c.out
	}
	n := copy(p, c.in)
	c.in = c.in[n:]
	return n, nil
}

func (c *sockjsWS) Write(p []byte) (int, error) {
	c.encoded = sockjsEncode(c.encoded[:0], p, 1)
	return len(p), c.writeFrame(opText, c.encoded)
}

// Repeat keeps to one message for each frame, as sockjs-client does.
func (c *sockjsWS) Repeat(p []byte, n int) error {
	if !same(c.of, p) {
		c.repeated, c.of = sockjsEncode(nil, p, 1), p
	}
	return c.wsConn.Repeat(c.repeated, n)
}

// dialSockJSXHR speaks SockJS over one of its XHR transports, with POSTs up.
func dialSockJSXHR(kind string) func(*network, *url.URL) dialer {
	return func(n *network, u *url.URL) dialer {
		return func() (stream, error) { return openSockJSXHR(n, u, kind) }
	}
}

type sockjsXHR struct {
	*inbox
	*posts
	opened chan struct{} // closed when the server has said so
	dead   chan struct{}
	once   sync.Once
}

func openSockJSXHR(n *network, u *url.URL, kind string) (stream, error) {
	path := sockjsPath(u, "")
	c := &sockjsXHR{inbox: newInbox(), opened: make(chan struct{}), dead: make(chan struct{})}
	up, down := newHTTP(n, u, c.dead)
	var body []byte
	c.posts = newPosts(0, func(queue []byte, _ int) error {
		body = append(append(append(body[:0], '['), queue...), ']')
		_, err := up.do("POST", path+"xhr_send", "text/plain", body)
		return err
	})
	go c.receive(down, path+kind) // until the session is closed
	for {
		select {
		case <-c.opened:
			return c, nil
		default:
		}
		c.inbox.mu.Lock()
		err := c.inbox.err
		c.inbox.mu.Unlock()
		if err != nil {
			c.Close()
			return nil, err
		}
		waitTick(c.opened)
	}
}

func (c *sockjsXHR) receive(down *httpConn, path string) {
	for {
		resp, err := down.send("POST", path, "text/plain", nil)
		if err == nil {
			if err = c.lines(bufio.NewReaderSize(resp.Body, 16<<10)); err == io.EOF {
				err = nil
				down.done(resp)
			}
		}
		if err != nil {
			c.Fail(err)
			return
		}
	}
}

func (c *sockjsXHR) lines(br *bufio.Reader) error {
	var line, out []byte
	for {
		var err error
		if line, err = readLine(br, line[:0]); err != nil {
			return err
		}
		if string(line) == "o" {
			select {
			case <-c.opened:
				return errors.New("sockjs: session lost")
			default:
				close(c.opened)
			}
			continue
		}
		if out, err = sockjsDecode(out[:0], line); err != nil {
			return err
		}
		c.Put(out)
	}
}

func (c *sockjsXHR) Write(p []byte) (int, error) { return len(p), c.Repeat(p, 1) }

// Repeat implements repeater.
func (c *sockjsXHR) Repeat(p []byte, n int) error {
	return c.add(n, func(queue []byte) []byte {
		for range n {
			queue = sockjsMessage(queue, p, len(queue) == 0)
		}
		return queue
	})
}

func (c *sockjsXHR) Close() error {
	c.once.Do(func() { close(c.dead) })
	c.Fail(io.ErrClosedPipe)
	return nil
}
