package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
)

// The downlinks of Encke's sessions over HTTP.

// binaryStream is fetch streaming: a response that does not end, of records.
func (l *enckeHTTP) binaryStream() {
	var resp *http.Response
	r := &records{link: l}
	respond := func() (err error) {
		if resp != nil {
			l.down.done(resp)
			if err := l.askAgain(); err != nil {
				return err
			}
		}
		if resp, err = l.down.response(); err == nil {
			r.src = bufio.NewReaderSize(resp.Body, 16<<10)
		}
		return err
	}
	r.more = respond
	l.byteSource = r
	l.receive = func(*httpConn) (string, error) {
		err := respond()
		for r.session == "" && r.left == 0 && err == nil {
			err = r.record()
		}
		return r.session, err
	}
}

// polls is long polling. The next poll leaves as soon as a response has been read, before
// anybody wants it: there is always one open.
func (l *enckeHTTP) polls() {
	var raw bytes.Buffer
	c := &chunks{}
	r := &records{link: polling{l}}
	l.acks.late = func() {} // the next poll has acknowledged by then
	c.more = func(out []byte) ([]byte, error) {
		resp, err := l.down.response()
		if err != nil {
			return out, err
		}
		raw.Reset()
		if _, err = raw.ReadFrom(resp.Body); err != nil {
			return out, err
		}
		l.down.done(resp)
		r.src = &raw
		for raw.Len() > 0 {
			if err := r.record(); err != nil {
				return out, err
			}
			if r.left > 0 {
				out = append(out, raw.Next(r.left)...)
				r.took(r.left)
			}
		}
		if l.session == "" {
			l.session = r.session
		}
		return out, l.askAgain()
	}
	l.byteSource = c
	l.receive = func(*httpConn) (string, error) {
		var err error
		c.data, err = c.more(nil)
		return l.session, err
	}
}

// polling is a link whose next poll acknowledges.
type polling struct{ *enckeHTTP }

func (l polling) arrived(size int) { l.acks.arrived(size) }

// textStream is XHR streaming and EventSource: lines with a batch each, responses that
// may end.
func (l *enckeHTTP) textStream() {
	var resp *http.Response
	var br *bufio.Reader
	var line []byte
	t := &textBatch{arrived: l.arrived}
	c := &chunks{}
	c.more = func(out []byte) ([]byte, error) {
		for {
			var err error
			if br == nil {
				if resp, err = l.down.response(); err != nil {
					return out, err
				}
				br = bufio.NewReaderSize(resp.Body, 16<<10)
			}
			line, err = readLine(br, line[:0])
			if errors.Is(err, io.EOF) {
				br = nil
				l.down.done(resp)
				if err = l.askAgain(); err != nil {
					return out, err
				}
				continue
			}
			if err != nil {
				return out, err
			}
			batch := bytes.TrimPrefix(line, []byte("data: "))
			if len(batch) == 0 || batch[0] != '[' {
				continue // "id: ..." or the end of an event
			}
			return t.append(out, batch)
		}
	}
	l.byteSource = c
	l.receive = func(*httpConn) (string, error) {
		var err error
		c.data, err = c.more(nil)
		return t.session, err
	}
}
