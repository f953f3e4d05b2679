package main

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"flag"
	"log"
	"net"
)

// floorMain is the peer "floor": the relay written by hand, to show what Go allows.
// No net/http, no bufio: a buffer comes from a pool only once a socket is readable and
// goes back before the goroutine parks; every frame of a read is unmasked in place,
// packed and written to the backend in one call; what is read from the backend becomes
// one frame, its header put in front in the same buffer. It is not a complete WebSocket
// server: it answers close and ping, and refuses little.
func floorMain(args []string) {
	flags := flag.NewFlagSet("floor", flag.ExitOnError)
	listen := flags.String("listen", "127.0.0.1:0", "`address` to serve WebSockets on")
	backend := flags.String("backend", "", "TCP `address` to relay to")
	session := flags.Bool("session", false, "frame and acknowledge as floorsession.go says")
	flags.Parse(args)
	ln, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	for {
		c, err := ln.Accept()
		if err != nil {
			continue
		}
		go floorServe(c.(*net.TCPConn), *backend, *session)
	}
}

func floorServe(c *net.TCPConn, backend string, session bool) {
	in := newLazyReader(c, 0)
	key, rest, err := floorHandshake(in)
	if err != nil || len(key) == 0 {
		c.Close()
		return
	}
	t, err := net.Dial("tcp", backend)
	if err != nil {
		c.Close()
		return
	}
	tcp := t.(*net.TCPConn)
	sum := sha1.Sum(append(key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"...))
	c.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n"))
	in.keep = rest
	// In new goroutines: the stack of this one grew in the handshake and the dial.
	if session {
		s := newFloorSession()
		go floorUp(c, tcp, in, s)
		go s.down(c, tcp)
		return
	}
	go floorUp(c, tcp, in, nil)
	go floorDown(c, tcp)
}

// floorHandshake reads the request and returns its key and what came behind it.
func floorHandshake(in *lazyReader) (key, rest []byte, err error) {
	for {
		b, p, err := in.read()
		if err != nil {
			return nil, nil, err
		}
		end := bytes.Index(p, []byte("\r\n\r\n"))
		if end < 0 {
			in.keep = append(in.keep[:0], p...)
			floorPool.Put(b)
			continue
		}
		if _, after, ok := bytes.Cut(p[:end+2], []byte("Sec-WebSocket-Key: ")); ok {
			key, _, _ = bytes.Cut(after, []byte("\r\n"))
		}
		key, rest = bytes.Clone(key), bytes.Clone(p[end+4:])
		floorPool.Put(b)
		return key, rest, nil
	}
}

// frameHeader puts the header of a frame of n < 65536 bytes, from a server, right before
// b[4] and returns where it begins.
func frameHeader(b *[floorBuffer]byte, n int) (at int) {
	if n < 126 {
		b[2], b[3] = 0x80|opBinary, byte(n)
		return 2
	}
	b[0], b[1] = 0x80|opBinary, 126
	binary.BigEndian.PutUint16(b[2:], uint16(n))
	return 0
}

func floorDown(c, tcp *net.TCPConn) {
	defer c.Close()
	defer tcp.Close()
	r := newLazyReader(tcp, 4)
	for {
		b, p, err := r.read()
		if err != nil {
			return
		}
		_, err = c.Write(b[frameHeader(b, len(p)) : 4+len(p)])
		floorPool.Put(b)
		if err != nil {
			return
		}
	}
}
