package main

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/url"
	"sync"
	"sync/atomic"
)

// dialEnckeHTTP opens a session for each stream: the technique's requests carry it down,
// POSTs carry it up.
func dialEnckeHTTP(technique string) func(*network, *url.URL) dialer {
	return func(n *network, u *url.URL) dialer {
		return func() (stream, error) { return newEnckeStream(n, openEnckeHTTP(n, u, technique)), nil }
	}
}

// enckeHTTP is a session without a WebSocket.
type enckeHTTP struct {
	byteSource // one of those in enckedown.go
	technique  string
	down       *httpConn
	dead       chan struct{}
	once       sync.Once
	acks       acks
	acking     atomic.Bool                                 // a request is about to acknowledge
	receive    func(*httpConn) (session string, err error) // the beginning of the first answer

	mu      sync.Mutex // guards the uplink
	up      *httpConn
	session string // empty until the proxy has said it
	next    uint64 // id of the next packet
	body    []byte
}

const octets = "application/octet-stream"

func openEnckeHTTP(n *network, u *url.URL, technique string) *enckeHTTP {
	l := &enckeHTTP{technique: technique, dead: make(chan struct{}), next: 1}
	l.up, l.down = newHTTP(n, u, l.dead), newHTTP(n, u, l.dead)
	l.up.headers = "Origin: http://" + u.Host + "\r\n"
	l.down.headers = l.up.headers
	switch technique {
	case "fetch-streaming":
		l.binaryStream()
	case "long-polling":
		l.polls()
	default:
		l.textStream()
	}
	return l
}

// ask sends the request of the downlink: records, which begin with NEW or RESUME.
func (l *enckeHTTP) ask(recs []byte) error {
	path := "/session/" + l.technique
	if l.technique == "eventsource" {
		return l.down.begin("GET", path+"?d="+base64.RawURLEncoding.EncodeToString(recs), "", nil)
	}
	return l.down.begin("POST", path, octets, recs)
}

// askAgain continues the session on another request.
func (l *enckeHTTP) askAgain() error {
	got, _ := l.acks.take()
	return l.ask(appendResume(nil, l.session, got))
}

func (l *enckeHTTP) arrived(size int) {
	if l.acks.arrived(size, l.acknowledge) && l.acking.CompareAndSwap(false, true) {
		go func() { // until it is answered: nobody waits for that
			l.acknowledge()
			l.acking.Store(false)
		}()
	}
}

// acknowledge sends a request for nothing else.
func (l *enckeHTTP) acknowledge() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if got, news := l.acks.take(); news && l.session != "" {
		l.post(appendResume(l.body[:0], l.session, got))
	}
}

func (l *enckeHTTP) post(body []byte) error {
	l.body = body
	answer, err := l.up.do("POST", "/session/send", octets, body)
	if err == nil && (len(answer) == 0 || answer[0] != recordAck) {
		err = fmt.Errorf("encke: a POST was answered with %q", answer)
	}
	return err
}

// send does not wait for the answer when there is nothing of the stream in the packet.
func (l *enckeHTTP) send(head, body []byte) error {
	l.mu.Lock()
	opened := l.session != ""
	l.mu.Unlock()
	if opened && body == nil {
		go l.repeat(head, nil, 1) // until it is answered
		return nil
	}
	return l.repeat(head, body, 1)
}

func (l *enckeHTTP) repeat(head, body []byte, n int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.body[:0]
	opening := l.session == ""
	if opening {
		b = appendHello(b)
	} else {
		got, _ := l.acks.take()
		b = appendResume(b, l.session, got)
	}
	b = binary.AppendUvarint(append(b, recordSeq), l.next)
	l.next += uint64(n)
	for range n {
		b = binary.AppendUvarint(append(b, recordData), uint64(len(head)+len(body)))
		b = append(append(b, head...), body...)
	}
	if !opening {
		return l.post(b)
	}
	l.body = b
	err := l.ask(b)
	if err == nil {
		l.session, err = l.receive(l.down)
	}
	if err == nil && l.session == "" {
		err = errors.New("encke: the answer does not begin with WELCOME")
	}
	return err
}

// Close tells the proxy that the session is over.
func (l *enckeHTTP) Close() error {
	l.once.Do(func() {
		l.acks.stop()
		l.mu.Lock()
		if l.session != "" {
			got, _ := l.acks.take()
			l.up.do("POST", "/session/send", octets, append(appendResume(l.body[:0], l.session, got), recordClose, 0, 0, 0))
		}
		l.mu.Unlock()
		close(l.dead)
	})
	return nil
}

// chunks is a byteSource of what more appends, a batch at a time.
type chunks struct {
	data []byte
	at   int
	more func([]byte) ([]byte, error)
}

func (c *chunks) fill() error {
	for c.at == len(c.data) {
		var err error
		c.at = 0
		if c.data, err = c.more(c.data[:0]); err != nil {
			return err
		}
	}
	return nil
}

func (c *chunks) Read(p []byte) (int, error) {
	if err := c.fill(); err != nil {
		return 0, err
	}
	n := copy(p, c.data[c.at:])
	c.at += n
	return n, nil
}

func (c *chunks) ReadByte() (byte, error) {
	if err := c.fill(); err != nil {
		return 0, err
	}
	c.at++
	return c.data[c.at-1], nil
}

var _ io.ByteReader = (*chunks)(nil)
