package csp

import (
	"encoding/binary"
	"errors"
	"fmt"

	"encke/cause"
)

// Kind is the type byte of a record in the binary encoding.
type Kind uint8

// The records of PROTOCOL.md section 3.
const (
	NOP     Kind = 0x00 // -
	New     Kind = 0x01 // uvarint version, 16 bytes key
	Resume  Kind = 0x02 // text session, uvarint ack
	Welcome Kind = 0x03 // text session, uvarint ack, uvarint window, uvarint heartbeat
	Seq     Kind = 0x04 // uvarint id
	Data    Kind = 0x05 // bytes
	End     Kind = 0x06 // -
	Ack     Kind = 0x07 // uvarint id
	Ping    Kind = 0x08 // -
	Pong    Kind = 0x09 // -
	Close   Kind = 0x0a // uvarint cause, uvarint retry, text
)

// Version is the protocol version that New carries.
const Version = 1

// MaxID is the highest packet id, acknowledgement or other number on the wire.
const MaxID = 1<<53 - 1

// Key identifies the opening of a session: a client that repeats New with the
// same key gets the same session.
type Key [16]byte

// Record is one decoded record; which fields count depends on Kind. Data and
// strings point into the decoded bytes.
type Record struct {
	Kind      Kind
	ID        uint64 // Seq, Data and End: the packet's id; Ack, Resume, Welcome: the acknowledgement
	Data      []byte // Data
	Key       Key    // New
	Version   uint64 // New
	Session   []byte // Resume, Welcome
	Window    uint64 // Welcome, seconds
	Heartbeat uint64 // Welcome, seconds
	Cause     uint64 // Close
	Retry     uint64 // Close, seconds
	Text      []byte // Close
}

// errShort says that the input ends inside a record.
var errShort = errors.New("truncated record")

// Parse calls f for each record of a complete body or message. Seq records are
// not passed on: they become the ID of the Data and End records after them. next
// is the id expected without a Seq (0: a packet without a Seq before it is an
// error). Parse returns the id that the packet after the last one would have.
// The Record passed to f is only valid during the call.
func Parse(src []byte, next uint64, f func(*Record) error) (uint64, error) {
	var r Record
	for len(src) > 0 {
		n, err := parseRecord(src, &r)
		if err != nil {
			return next, cause.ProtocolError.With("%v", err)
		}
		src = src[n:]
		if next, err = number(&r, next); err != nil {
			return next, err
		}
		if r.Kind == Seq {
			continue
		}
		if err := f(&r); err != nil {
			return next, err
		}
	}
	return next, nil
}

// number keeps the running packet id over one record and puts it into packets.
func number(r *Record, next uint64) (uint64, error) {
	switch r.Kind {
	case Seq:
		if r.ID == 0 {
			return next, cause.ProtocolError.With("packet id 0")
		}
		return r.ID, nil
	case Data, End:
		if next == 0 {
			return next, cause.ProtocolError.With("packet without an id")
		}
		if next > MaxID {
			return next, cause.ProtocolError.With("packet id above 2^53-1")
		}
		r.ID = next
		return next + 1, nil
	}
	return next, nil
}

// parseRecord decodes the record at the start of src into r and returns its
// length, or errShort when src ends inside it.
func parseRecord(src []byte, r *Record) (int, error) {
	if len(src) == 0 {
		return 0, errShort
	}
	if Kind(src[0]) == Data { // nearly all are
		n, width := Uvarint(src[1:])
		if width > 0 && n <= MaxBody && n <= uint64(len(src)-1-width) {
			end := 1 + width + int(n)
			*r = Record{Kind: Data, Data: src[1+width : end]}
			return end, nil
		}
	}
	*r = Record{Kind: Kind(src[0])}
	f := fields{src: src, at: 1}
	switch r.Kind {
	case NOP, End, Ping, Pong:
	case New:
		r.Version = f.number()
		copy(r.Key[:], f.take(uint64(len(r.Key))))
	case Resume:
		r.Session, r.ID = f.bytes(), f.number()
	case Welcome:
		r.Session, r.ID, r.Window, r.Heartbeat = f.bytes(), f.number(), f.number(), f.number()
	case Seq, Ack:
		r.ID = f.number()
	case Data:
		r.Data = f.bytes()
	case Close:
		r.Cause, r.Retry, r.Text = f.number(), f.number(), f.bytes()
	default:
		return 0, fmt.Errorf("unknown record type 0x%02x", src[0])
	}
	return f.at, f.err
}

// fields reads the fields of one record. After the first error the rest is zero.
type fields struct {
	src []byte
	at  int
	err error
}

func (f *fields) number() uint64 {
	if f.err != nil {
		return 0
	}
	v, n := Uvarint(f.src[f.at:])
	switch {
	case n == 0:
		f.err = errShort
		return 0
	case n < 0:
		f.err = errors.New("number above 2^53-1")
		return 0
	}
	f.at += n
	return v
}

func (f *fields) bytes() []byte { return f.take(f.number()) }

func (f *fields) take(n uint64) []byte {
	if f.err != nil {
		return nil
	}
	if n > MaxBody {
		f.err = fmt.Errorf("field of %d bytes", n)
		return nil
	}
	if uint64(len(f.src)-f.at) < n {
		f.err = errShort
		return nil
	}
	p := f.src[f.at : f.at+int(n)]
	f.at += int(n)
	return p
}

// MaxBody is the largest body, message or field in bytes.
const MaxBody = 1 << 20

// Uvarint decodes an unsigned LEB128 number of at most 2^53-1 from the start of
// p. It returns the number and its length; length 0 means that p is too short, a
// negative length that the number is too large.
func Uvarint(p []byte) (uint64, int) {
	if len(p) > 0 && p[0] < 0x80 {
		return uint64(p[0]), 1
	}
	v, n := binary.Uvarint(p[:min(len(p), 8)])
	switch {
	case n > 0 && v <= MaxID:
		return v, n
	case n == 0 && len(p) < 8:
		return 0, 0
	}
	return 0, -1
}

// Decoder decodes a stream of records that is cut anywhere, such as the body of
// a streaming response. The zero value is ready to use.
type Decoder struct {
	rest []byte
	next uint64
}

// Feed calls f for each record completed by p, as Parse does. It keeps at most
// one incomplete record, so at most MaxBody bytes and a header.
func (d *Decoder) Feed(p []byte, f func(*Record) error) error {
	src := p
	if len(d.rest) > 0 {
		d.rest = append(d.rest, p...)
		src = d.rest
	}
	var r Record
	for len(src) > 0 {
		n, err := parseRecord(src, &r)
		if err == errShort {
			break
		}
		if err != nil {
			return cause.ProtocolError.With("%v", err)
		}
		src = src[n:]
		if d.next, err = number(&r, d.next); err != nil {
			return err
		}
		if r.Kind == Seq {
			continue
		}
		if err := f(&r); err != nil {
			return err
		}
	}
	d.rest = append(d.rest[:0], src...)
	return nil
}

// Append appends the record in the binary encoding. Seq comes from r.ID; for
// Data and End the id is implicit.
func (r *Record) Append(dst []byte) []byte {
	dst = append(dst, byte(r.Kind))
	switch r.Kind {
	case New:
		dst = binary.AppendUvarint(dst, r.Version)
		dst = append(dst, r.Key[:]...)
	case Resume:
		dst = appendBytes(dst, r.Session)
		dst = binary.AppendUvarint(dst, r.ID)
	case Welcome:
		dst = appendBytes(dst, r.Session)
		dst = binary.AppendUvarint(dst, r.ID)
		dst = binary.AppendUvarint(dst, r.Window)
		dst = binary.AppendUvarint(dst, r.Heartbeat)
	case Seq, Ack:
		dst = binary.AppendUvarint(dst, r.ID)
	case Data:
		dst = appendBytes(dst, r.Data)
	case Close:
		dst = binary.AppendUvarint(dst, r.Cause)
		dst = binary.AppendUvarint(dst, r.Retry)
		dst = appendBytes(dst, r.Text)
	}
	return dst
}

func appendBytes(dst, p []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(p)))
	return append(dst, p...)
}
