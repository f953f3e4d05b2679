package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// httpConn is one HTTP/1.1 connection that is kept alive, and dialed again when the
// server has closed it. It carries one request at a time; a transport uses two, down and
// up.
type httpConn struct {
	network *network
	client  *net.TCPAddr
	host    string
	headers string        // further lines of every request
	dead    chan struct{} // closed with the session
	c       net.Conn
	br      *bufio.Reader
	out     []byte
}

// newHTTP returns the two connections of a client.
func newHTTP(n *network, u *url.URL, dead chan struct{}) (up, down *httpConn) {
	client := n.client()
	return &httpConn{network: n, client: client, host: u.Host, dead: dead},
		&httpConn{network: n, client: client, host: u.Host, dead: dead}
}

// send sends a request and returns the response when its head has come. What a
// connection that was kept alive does not answer is sent again on a new one.
func (h *httpConn) send(method, path, contentType string, body []byte) (*http.Response, error) {
	for {
		fresh := h.c == nil
		err := h.begin(method, path, contentType, body)
		if err == nil {
			var resp *http.Response
			if resp, err = h.response(); err == nil {
				return resp, nil
			}
		}
		var refused *refusedError
		if fresh || h.c != nil || errors.As(err, &refused) {
			return nil, err
		}
	}
}

// begin sends a request; response waits for its answer.
func (h *httpConn) begin(method, path, contentType string, body []byte) error {
	select {
	case <-h.dead:
		return io.ErrClosedPipe
	default:
	}
	if h.c == nil {
		if err := h.connect(); err != nil {
			return err
		}
	}
	h.out = append(h.out[:0], method...)
	h.out = append(append(h.out, ' '), path...)
	h.out = append(append(h.out, " HTTP/1.1\r\nHost: "...), h.host...)
	h.out = append(append(h.out, "\r\n"...), h.headers...)
	if method == http.MethodPost {
		h.out = fmt.Appendf(h.out, "Content-Type: %s\r\nContent-Length: %d\r\n", contentType, len(body))
	}
	h.out = append(append(h.out, "\r\n"...), body...)
	if _, err := h.c.Write(h.out); err != nil {
		return h.drop(err)
	}
	return nil
}

// response waits for the head of a response.
func (h *httpConn) response() (*http.Response, error) {
	resp, err := http.ReadResponse(h.br, nil)
	if err != nil {
		return nil, h.drop(err)
	}
	if resp.StatusCode >= 300 {
		return nil, &refusedError{resp.Status}
	}
	return resp, nil
}

// drop forgets a connection that is no longer usable.
func (h *httpConn) drop(err error) error {
	h.c.Close()
	h.c = nil
	return err
}

// refusedError is an answer that is not the one wanted.
type refusedError struct{ status string }

func (e *refusedError) Error() string { return "answered with " + e.status }

func (h *httpConn) connect() error {
	c, err := h.network.dial(h.client, h.host)
	if err != nil {
		return err
	}
	h.c, h.br = c, bufio.NewReaderSize(c, 16<<10)
	go func() { // until the session is closed
		<-h.dead
		c.Close()
	}()
	return nil
}

// done is to be called once the body of a response was read to its end.
func (h *httpConn) done(resp *http.Response) {
	if resp.Close && h.c != nil {
		h.c.Close()
		h.c = nil
	}
}

// do sends a request and reads the whole response.
func (h *httpConn) do(method, path, contentType string, body []byte) ([]byte, error) {
	resp, err := h.send(method, path, contentType, body)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(resp.Body)
	h.done(resp)
	return b, err
}

// readLine appends one line without its newline to b; it may exceed the reader's buffer.
func readLine(br *bufio.Reader, b []byte) ([]byte, error) {
	for {
		s, err := br.ReadSlice('\n')
		b = append(b, s...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err == nil {
			b = b[:len(b)-1]
		}
		return b, err
	}
}

// waitTick waits for ch, at most 5 ms.
func waitTick(ch <-chan struct{}) {
	select {
	case <-ch:
	case <-time.After(5 * time.Millisecond):
	}
}
