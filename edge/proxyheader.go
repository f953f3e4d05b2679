package edge

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"time"

	"github.com/pires/go-proxyproto"
)

// Bounds of a PROXY header: version 1 is a line of at most 107 bytes, version 2 has 16
// bytes and up to maxProxyHeader behind them.
const (
	maxProxyHeader  = 536
	proxyHeaderWait = 3 * time.Second
)

// proxyHeader reads the PROXY header that every connection from a balancer begins
// with, and takes the client's address from it. It closes the connection and reports
// false when the peer is no balancer or the header is missing or malformed.
func (l *Listener) proxyHeader(c *counted) bool {
	reason := "not from a balancer"
	if contains(l.opts.ProxyFrom, address(c.remote)) {
		c.SetReadDeadline(time.Now().Add(proxyHeaderWait))
		stop := l.closing(c)
		h, err := readProxyHeader(c)
		stop()
		if err == nil {
			c.SetReadDeadline(time.Time{})
			if from, _, ok := h.TCPAddrs(); ok && h.Command.IsProxy() {
				c.remote = from
			}
			return true // LOCAL: the balancer itself, a health check
		}
		reason = err.Error()
	}
	l.opts.Stats.BadProxyHeaders.Add(1)
	l.opts.Log.Warn("refused", "reason", "PROXY header: "+reason, "remote", c.remote.String())
	c.Close()
	return false
}

// readProxyHeader takes a header from r, and not a byte of what is behind it.
func readProxyHeader(r io.Reader) (*proxyproto.Header, error) {
	p := make([]byte, 0, 16+maxProxyHeader)
	more := func(n int) error {
		p = p[:len(p)+n]
		_, err := io.ReadFull(r, p[len(p)-n:])
		return err
	}
	for {
		if err := more(1); err != nil {
			return nil, err
		}
		v1 := len(p) <= len(proxyproto.SIGV1) && bytes.HasPrefix(proxyproto.SIGV1, p) || bytes.HasPrefix(p, proxyproto.SIGV1)
		v2 := bytes.HasPrefix(proxyproto.SIGV2, p)
		switch {
		case v1 && p[len(p)-1] == '\n':
			return proxyproto.Read(bufio.NewReader(bytes.NewReader(p)))
		case !v1 && !v2 || len(p) == 107:
			return nil, proxyproto.ErrNoProxyProtocol
		case v2 && len(p) == len(proxyproto.SIGV2):
			if err := more(4); err != nil {
				return nil, err
			}
			n := int(binary.BigEndian.Uint16(p[14:]))
			if n > maxProxyHeader {
				return nil, proxyproto.ErrInvalidLength
			}
			if err := more(n); err != nil {
				return nil, err
			}
			return proxyproto.Read(bufio.NewReader(bytes.NewReader(p)))
		}
	}
}
