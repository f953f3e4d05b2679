package main

import (
	"encoding/binary"
	"net/url"
	"sync"
)

// enckeLink carries a session. Its byteSource is the stream from the proxy: what is
// inside the packets.
type enckeLink interface {
	byteSource
	// send sends a packet of head and body. The first one opens the session.
	send(head, body []byte) error
	// repeat sends n packets of head and body, each as a message of its own if the link
	// has messages. It has been opened, and the bytes are the same with each call.
	repeat(head, body []byte, n int) error
	// Close ends the session.
	Close() error
}

// enckeWS is a WebSocket that carries a session.
type enckeWS struct {
	records
	ws   *wsConn
	acks acks

	mu     sync.Mutex
	opened bool
	head   []byte
	room   [128]byte              // for head, while it is short
	ready  map[string]readyFrames // by the head in each of them: the sockets share the link
}

// readyFrames are masked frames for repeat.
type readyFrames struct {
	wire  []byte
	of    []byte // what they hold behind the head
	times int
}

func openEnckeWS(n *network, u *url.URL) (*enckeWS, error) {
	v := *u
	v.Path = "/session/websocket"
	ws, err := openWS(n, &v, "Origin: http://"+u.Host+"\r\n")
	if err != nil {
		return nil, err
	}
	l := &enckeWS{ws: ws}
	l.records = records{src: ws, link: l}
	l.acks.late = l.acknowledge
	l.head = l.room[:0]
	return l, nil
}

func (l *enckeWS) arrived(size int) {
	if l.acks.arrived(size) {
		l.acknowledge()
	}
}

func (l *enckeWS) acknowledge() {
	if id, news := l.acks.take(); news {
		l.ws.writeFrame(opBinary, binary.AppendUvarint([]byte{recordAck}, id))
	}
}

func (l *enckeWS) pong() { l.ws.writeFrame(opBinary, []byte{recordPong}) }

// begin appends what goes in front of a packet.
func (l *enckeWS) begin(b []byte) []byte {
	if !l.opened {
		l.opened = true
		b = append(appendHello(b), recordSeq, 1)
	}
	if id, news := l.acks.take(); news {
		b = binary.AppendUvarint(append(b, recordAck), id)
	}
	return b
}

func (l *enckeWS) send(head, body []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.head = append(l.begin(l.head[:0]), recordData)
	l.head = binary.AppendUvarint(l.head, uint64(len(head)+len(body)))
	l.head = append(l.head, head...)
	return l.ws.writeParts(opBinary, l.head, body)
}

func (l *enckeWS) repeat(head, body []byte, n int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.ready[string(head)]
	if !same(f.of, body) || f.times != n {
		record := binary.AppendUvarint([]byte{recordData}, uint64(len(head)+len(body)))
		record = append(append(record, head...), body...)
		f = readyFrames{of: body, times: n}
		for range n {
			f.wire = appendFrame(f.wire, opBinary, record)
		}
		if l.ready == nil {
			l.ready = map[string]readyFrames{}
		}
		l.ready[string(head)] = f
	}
	return l.ws.writeRaw(f.wire)
}

// Close tells the proxy that the session is over.
func (l *enckeWS) Close() error {
	l.acks.stop()
	return l.ws.closeWith(opBinary, []byte{recordClose, 0, 0, 0})
}
