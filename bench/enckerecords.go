package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// records takes the packets out of a link's bytes, binary encoding, and reads their
// content straight into the caller's buffer.
type records struct {
	src      byteSource
	more     func() error // gets the next src when one has ended; nil: that is the end
	link     receiver
	acked    func(id uint64) // gets acknowledgements, unless nil
	session  string          // the id, once the proxy has said it
	size     int             // of the current packet
	left     int             // of it that was not read
	expected uint64          // id of the next packet
}

// receiver is the link whose records are read.
type receiver interface {
	arrived(size int) // a packet
	pong()            // is to be sent
}

// Read reads from the inside of packets.
func (r *records) Read(p []byte) (int, error) {
	for r.left == 0 {
		if err := r.record(); err != nil {
			return 0, err
		}
	}
	n, err := r.src.Read(p[:min(len(p), r.left)])
	r.took(n)
	return n, err
}

// Discard drops n bytes.
func (r *records) Discard(n int) (dropped int, err error) {
	for dropped < n && err == nil {
		if r.left == 0 {
			err = r.record()
			continue
		}
		part := min(n-dropped, r.left)
		if err = skip(r.src, uint64(part)); err == nil {
			dropped += part
			r.took(part)
		}
	}
	return dropped, err
}

// ReadByte is Read for one byte.
func (r *records) ReadByte() (byte, error) {
	for r.left == 0 {
		if err := r.record(); err != nil {
			return 0, err
		}
	}
	b, err := r.src.ReadByte()
	if err == nil {
		r.took(1)
	}
	return b, err
}

func (r *records) took(n int) {
	if r.left -= n; r.left == 0 && n > 0 {
		r.link.arrived(r.size)
	}
}

// record reads the next record, of a packet only its head.
func (r *records) record() error {
	kind, err := r.src.ReadByte()
	if err == io.EOF && r.more != nil {
		return r.more()
	}
	if err != nil {
		return err
	}
	switch kind {
	case recordNOP, recordPong:
	case recordPing:
		r.link.pong()
	case recordAck:
		var id uint64
		if id, err = binary.ReadUvarint(r.src); err == nil && r.acked != nil {
			r.acked(id)
		}
	case recordSeq:
		var id uint64
		if id, err = binary.ReadUvarint(r.src); err == nil && id != r.expected+1 {
			err = fmt.Errorf("encke: packet %d came, %d was expected", id, r.expected+1)
		}
	case recordData:
		var n uint64
		n, err = binary.ReadUvarint(r.src)
		r.expected++
		r.size, r.left = int(n), int(n)
	case recordWelcome:
		if r.session, err = readText(r.src); err == nil {
			for range 3 { // acknowledgement, resume window, heartbeat
				if _, err = binary.ReadUvarint(r.src); err != nil {
					break
				}
			}
		}
	case recordClose:
		return closeRecord(r.src)
	case recordEnd:
		return io.EOF
	default:
		err = fmt.Errorf("encke: record 0x%02x", kind)
	}
	return err
}

// closeRecord returns the error that a CLOSE record tells.
func closeRecord(src byteSource) error {
	cause, err1 := binary.ReadUvarint(src)
	_, err2 := binary.ReadUvarint(src)
	text, err3 := readText(src)
	return errors.Join(fmt.Errorf("encke: session closed: cause %d %s", cause, text), err1, err2, err3)
}
