package main

import (
	"io"
	"net/url"
)

// dialFloorSession speaks what floorsession.go says.
func dialFloorSession(n *network, u *url.URL) dialer {
	return func() (stream, error) {
		ws, err := openWS(n, u, "")
		if err != nil {
			return nil, err
		}
		return &floorClient{ws: ws}, nil
	}
}

type floorClient struct {
	ws            *wsConn
	got, acked    uint32
	sent          uint32
	out, repeated []byte
	of            []byte // what repeated holds
	ack           [sessionHead]byte
}

func (c *floorClient) Read(p []byte) (int, error) {
	for c.ws.left == 0 {
		if _, err := c.ws.next(); err != nil {
			return 0, err
		}
		var h [sessionHead]byte
		if _, err := io.ReadFull(c.ws.br, h[:]); err != nil {
			return 0, err
		}
		c.ws.left -= sessionHead
	}
	n, err := c.ws.Read(p)
	if c.got += uint32(n); c.got-c.acked >= sessionEvery {
		c.acked = c.got
		putSessionHead(c.ack[:], sessionAck, 0, c.got)
		c.ws.writeFrame(opBinary, c.ack[:])
	}
	return n, err
}

func (c *floorClient) Write(p []byte) (int, error) {
	c.out = append(append(c.out[:0], make([]byte, sessionHead)...), p...)
	putSessionHead(c.out, sessionData, c.sent, c.got)
	c.sent += uint32(len(p))
	return len(p), c.ws.writeFrame(opBinary, c.out)
}

// Repeat reuses one frame, so its numbers stand still; the server lets it.
func (c *floorClient) Repeat(p []byte, n int) error {
	if !same(c.of, p) {
		c.repeated, c.of = append(make([]byte, sessionHead), p...), p
		putSessionHead(c.repeated, sessionData, c.sent, 0)
	}
	return c.ws.Repeat(c.repeated, n)
}

func (c *floorClient) Close() error { return c.ws.Close() }
