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

	posts *posts // packets, behind those that opened the session

	mu      sync.Mutex // guards the uplink
	up      *httpConn
	session string // empty until the proxy has said it
	next    uint64 // id of the next packet
	body    []byte
}

const octets = "application/octet-stream"

func openEnckeHTTP(n *network, u *url.URL, technique string) *enckeHTTP {
	l := &enckeHTTP{technique: technique, dead: make(chan struct{}), next: 1}
	l.up, l.down = newHTTP(n, u, l.dead)
	l.acks.late = l.acknowledge
	l.posts = newPosts(maxPackets, l.packets)
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
	if l.acks.arrived(size) && l.acking.CompareAndSwap(false, true) {
		go l.keepAcknowledging() // nobody waits for the answer
	}
}

// keepAcknowledging acknowledges until no more is due: what arrives while a request runs
// may be all that the proxy sends before it is acknowledged.
func (l *enckeHTTP) keepAcknowledging() {
	for {
		l.acknowledge()
		l.acking.Store(false)
		if !l.acks.due() || !l.acking.CompareAndSwap(false, true) {
			return
		}
	}
}

// pong is not needed where the client makes requests.
func (l *enckeHTTP) pong() {}

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

func (l *enckeHTTP) send(head, body []byte) error { return l.repeat(head, body, 1) }

func (l *enckeHTTP) repeat(head, body []byte, n int) error {
	opened, err := l.open(head, body, n)
	if opened {
		return err
	}
	return l.posts.add(n, func(queue []byte) []byte { return appendPackets(queue, head, body, n) })
}

// open opens the session with these packets, unless that has been done.
func (l *enckeHTTP) open(head, body []byte, n int) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.session != "" {
		return false, nil
	}
	l.body = appendPackets(l.seq(appendHello(l.body[:0])), head, body, n)
	l.next += uint64(n)
	err := l.ask(l.body)
	if err == nil {
		l.session, err = l.receive(l.down)
	}
	if err == nil && l.session == "" {
		err = errors.New("encke: the answer does not begin with WELCOME")
	}
	return true, err
}

// packets is one POST.
func (l *enckeHTTP) packets(queue []byte, n int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	got, _ := l.acks.take()
	b := append(l.seq(appendResume(l.body[:0], l.session, got)), queue...)
	l.next += uint64(n)
	return l.post(b)
}

// seq appends the id of the next packet.
func (l *enckeHTTP) seq(b []byte) []byte { return binary.AppendUvarint(append(b, recordSeq), l.next) }

// maxPackets is how many the proxy takes in a body.
const maxPackets = 1000

// appendPackets appends n packets of head and body.
func appendPackets(b, head, body []byte, n int) []byte {
	for range n {
		b = binary.AppendUvarint(append(b, recordData), uint64(len(head)+len(body)))
		b = append(append(b, head...), body...)
	}
	return b
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
