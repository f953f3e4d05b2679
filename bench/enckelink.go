package main

import (
	"encoding/base64"
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

// enckeWS is a WebSocket that carries a session. The first packet opens it, and goes with
// its request as that of TCPSocket.js does.
type enckeWS struct {
	records
	network *network
	url     *url.URL
	ws      *wsConn // nil: not opened yet
	acks    acks

	mu    sync.Mutex
	sent  uint64 // id of the last packet
	head  []byte
	room  [256]byte              // for head, while it is short
	ready map[string]readyFrames // by the head in each of them: the sockets share the link
}

// readyFrames are masked frames for repeat.
type readyFrames struct {
	wire  []byte
	of    []byte // what they hold behind the head
	times int
}

func newEnckeWS(n *network, u *url.URL) *enckeWS {
	l := &enckeWS{network: n, url: u}
	l.records.link = l
	l.acks.late = l.acknowledge
	l.head = l.room[:0]
	return l
}

// open opens the session with these records.
func (l *enckeWS) open(records []byte) error {
	u := *l.url
	u.Path = "/session/websocket"
	ws, err := openWS(l.network, &u, "Origin: http://"+u.Host+"\r\n"+
		"Sec-WebSocket-Protocol: encke, "+base64.RawURLEncoding.EncodeToString(records)+"\r\n")
	if err == nil {
		l.ws, l.src = ws, ws
	}
	return err
}

// earlyPackets is how many bytes of packets TCPSocket.js puts into the request.
const earlyPackets = 1024

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

func (l *enckeWS) send(head, body []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(head) + len(body)
	l.sent++
	l.head = l.head[:0]
	if l.ws == nil {
		l.head = appendHello(l.head)
		if n > earlyPackets {
			if err := l.open(l.head); err != nil {
				return err
			}
			l.head = l.head[:0]
		}
		l.head = append(l.head, recordSeq, 1)
	} else if l.acks.ready() {
		id, _ := l.acks.take()
		l.head = binary.AppendUvarint(append(l.head, recordAck), id)
	}
	l.head = append(binary.AppendUvarint(append(l.head, recordData), uint64(n)), head...)
	if l.ws == nil {
		l.head = append(l.head, body...)
		return l.open(l.head)
	}
	return l.ws.writeParts(opBinary, l.head, body)
}

func (l *enckeWS) repeat(head, body []byte, n int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent += uint64(n)
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

// lastID returns the id of the last packet that was sent.
func (l *enckeWS) lastID() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sent
}

// Close tells the proxy that the session is over.
func (l *enckeWS) Close() error {
	l.acks.stop()
	if l.ws == nil {
		return nil
	}
	return l.ws.closeWith(opBinary, []byte{recordClose, 0, 0, 0})
}
