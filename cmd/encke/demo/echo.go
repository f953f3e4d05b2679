package demo

import "io"

// startEcho starts a server that sends back what it gets, no faster than it is
// read, and answers a half-close with its own once everything went back.
func startEcho() (backend, error) {
	l, err := listen()
	if err != nil {
		return backend{}, err
	}
	return l.serve(echo), nil
}

func echo(c *conn) {
	if _, err := io.Copy(c.TCPConn, c.TCPConn); err != nil {
		return // the other side is gone; there is nobody to tell
	}
	_ = c.CloseWrite()
}
