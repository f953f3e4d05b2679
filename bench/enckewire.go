package main

import (
	"encoding/binary"
	"fmt"
	"io"
)

// What Encke's protocols look like on the wire, as far as a client needs it here:
// csp/PROTOCOL.md section 3 and tcpsocket/PROTOCOL.md section 1. It is written out
// instead of imported, so that what is measured is the proxy and not its packages for
// them on both sides.

// records of a session
const (
	recordNOP     = 0x00
	recordNew     = 0x01
	recordResume  = 0x02
	recordWelcome = 0x03
	recordSeq     = 0x04
	recordData    = 0x05
	recordEnd     = 0x06
	recordAck     = 0x07
	recordPing    = 0x08
	recordPong    = 0x09
	recordClose   = 0x0a
)

// frames of a socket
const (
	frameOpen   = 0x01
	frameOpened = 0x02
	frameData   = 0x03
	frameWindow = 0x04
	frameEOF    = 0x05
	frameClose  = 0x06
	frameReset  = 0x07
	frameGoAway = 0x08
)

// receiveWindow is how many bytes a socket may be sent before it takes any, and largestWindow
// what that grows to: the defaults of TCPSocket.js.
const (
	receiveWindow = 1 << 20
	largestWindow = 16 << 20
)

// firstCredit is what a socket may send before the backend is connected.
const firstCredit = 65536

// appendHello appends what opens a session: NEW with a fresh key.
func appendHello(b []byte) []byte {
	b = append(b, recordNew, 1)
	b = binary.LittleEndian.AppendUint64(b, random())
	return binary.LittleEndian.AppendUint64(b, random())
}

// appendResume appends what continues session id whose packets up to ack arrived.
func appendResume(b []byte, id string, ack uint64) []byte {
	b = binary.AppendUvarint(append(b, recordResume), uint64(len(id)))
	return binary.AppendUvarint(append(b, id...), ack)
}

// appendOpen appends the frame that opens a socket to host:port.
func appendOpen(b []byte, socket uint64, host string, port uint16) []byte {
	b = binary.AppendUvarint(append(b, frameOpen), socket)
	b = binary.AppendUvarint(b, receiveWindow)
	b = binary.AppendUvarint(b, uint64(port))
	b = binary.AppendUvarint(b, uint64(len(host)))
	return append(append(b, host...), 0)
}

// appendDataHead appends the head of a DATA frame of n bytes.
func appendDataHead(b []byte, socket uint64, n int) []byte {
	b = binary.AppendUvarint(append(b, frameData), socket)
	return binary.AppendUvarint(b, uint64(n))
}

// byteSource is where bytes are taken from without buffering them once more.
type byteSource interface {
	io.Reader
	io.ByteReader
}

// skip reads n bytes and drops them.
func skip(src byteSource, n uint64) error {
	if d, ok := src.(interface{ Discard(n int) (int, error) }); ok {
		_, err := d.Discard(int(n))
		return err
	}
	for ; n > 0; n-- {
		if _, err := src.ReadByte(); err != nil {
			return err
		}
	}
	return nil
}

// skipText reads a text field and drops it.
func skipText(src byteSource) error {
	n, err := binary.ReadUvarint(src)
	if err != nil {
		return err
	}
	return skip(src, n)
}

// readText reads a text field.
func readText(src byteSource) (string, error) {
	n, err := binary.ReadUvarint(src)
	if err != nil || n > 1<<16 {
		return "", fmt.Errorf("text of %d bytes: %w", n, err)
	}
	b := make([]byte, n)
	_, err = io.ReadFull(src, b)
	return string(b), err
}
