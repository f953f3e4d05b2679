package tcpsocket

import (
	"encoding/binary"
	"fmt"

	"encke/buffer"
	"encke/cause"
)

// Type is the first byte of a frame.
type Type uint8

// The frames of PROTOCOL.md section 1; each is followed by the socket number.
const (
	Open   Type = 0x01 // uvarint window, uvarint port, text host, options
	Opened Type = 0x02 // uvarint window, text remote, text local
	Data   Type = 0x03 // bytes
	Window Type = 0x04 // uvarint n
	EOF    Type = 0x05 // -
	Close  Type = 0x06 // -
	Reset  Type = 0x07 // uvarint cause, text
	GoAway Type = 0x08 // uvarint cause, uvarint retry
)

// Bounds of a frame.
const (
	MaxData   = 1 << 20   // payload of one Data frame
	maxHeader = 4 << 10   // any other frame, whole
	maxCredit = 1<<31 - 1 // a window
	maxWindow = 16 << 20  // the first window of a socket
	maxNumber = 1<<53 - 1 // any number
)

// Frame is a decoded frame; which fields count depends on Type. Byte fields
// point into the decoded bytes.
type Frame struct {
	Type   Type
	Socket uint64
	N      uint64    // Open, Opened: window; Window: credit
	Port   uint64    // Open
	Host   []byte    // Open
	Option []Option  // Open
	Remote []byte    // Opened
	Local  []byte    // Opened
	Data   []byte    // Data: the frame's payload, or the next piece of it
	Cause  uint64    // Reset, GoAway
	Text   []byte    // Reset
	Retry  uint64    // GoAway, seconds
	opts   [4]Option // backs Option without allocating
}

// Option is a setting of Open.
type Option struct {
	Key   uint64
	Value []byte
}

// Keys of options.
const (
	OptionNoDelay   = 1 // one byte, 0 or 1
	OptionKeepAlive = 2 // uvarint milliseconds, 0: off
	OptionFamily    = 3 // one byte, 4 or 6
)

// Append appends the frame's encoding.
func (f *Frame) Append(dst []byte) []byte {
	dst = append(dst, byte(f.Type))
	dst = binary.AppendUvarint(dst, f.Socket)
	switch f.Type {
	case Open:
		dst = binary.AppendUvarint(dst, f.N)
		dst = binary.AppendUvarint(dst, f.Port)
		dst = appendBytes(dst, f.Host)
		dst = binary.AppendUvarint(dst, uint64(len(f.Option)))
		for _, o := range f.Option {
			dst = binary.AppendUvarint(dst, o.Key)
			dst = appendBytes(dst, o.Value)
		}
	case Opened:
		dst = binary.AppendUvarint(dst, f.N)
		dst = appendBytes(dst, f.Remote)
		dst = appendBytes(dst, f.Local)
	case Data:
		dst = appendBytes(dst, f.Data)
	case Window:
		dst = binary.AppendUvarint(dst, f.N)
	case Reset:
		dst = binary.AppendUvarint(dst, f.Cause)
		dst = appendBytes(dst, f.Text)
	case GoAway:
		dst = binary.AppendUvarint(dst, f.Cause)
		dst = binary.AppendUvarint(dst, f.Retry)
	}
	return dst
}

func appendBytes(dst, p []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(p)))
	return append(dst, p...)
}

// buffer returns the frame's encoding as a buffer to send.
func (f *Frame) buffer() *buffer.Buffer {
	var scratch [128]byte
	return buffer.Copy(f.Append(scratch[:0]))
}

// prependData turns payload into a Data frame for the socket.
func prependData(payload *buffer.Buffer, socket uint64) {
	var h [1 + 8 + 4]byte
	h[0] = byte(Data)
	n := 1 + binary.PutUvarint(h[1:], socket)
	n += binary.PutUvarint(h[n:], uint64(payload.Len()))
	payload.Prepend(h[:n])
}

// parser decodes a stream of frames that is cut anywhere. A Data frame is passed
// on in pieces as they come, all other frames whole.
type parser struct {
	partial []byte // the beginning of a frame, without Data payload
	socket  uint64 // of the Data frame that is under way
	left    uint64 // payload bytes of it still to come
}

// feed calls f for every frame, or piece of a Data frame, in p. The Frame is only
// valid during the call. Errors are of type *cause.Error.
func (d *parser) feed(p []byte, frame *Frame, f func(*Frame) error) error {
	for {
		if d.left > 0 {
			if len(p) == 0 {
				return nil
			}
			n := min(uint64(len(p)), d.left)
			if frame.Type != Data {
				*frame = Frame{Type: Data}
			}
			frame.Socket, frame.Data = d.socket, p[:n]
			d.left -= n
			p = p[n:]
			if err := f(frame); err != nil {
				return err
			}
			continue
		}
		if len(p) == 0 {
			return nil
		}
		n, err := d.head(p, frame)
		if err != nil {
			return err
		}
		p = p[n:]
		if len(d.partial) > 0 {
			return nil // all of p was taken
		}
		if frame.Type == Data {
			d.socket = frame.Socket
			continue
		}
		if err := f(frame); err != nil {
			return err
		}
	}
}

// head decodes one frame (of a Data frame: up to its payload) from what is kept
// and the start of p, and returns how much of p it used. When the frame is not
// complete it keeps p.
func (d *parser) head(p []byte, frame *Frame) (int, error) {
	src, kept := p, len(d.partial)
	if kept > 0 {
		src = append(d.partial, p[:min(len(p), maxHeader)]...)
	}
	n, err := parseHead(src, frame, &d.left)
	switch {
	case err == errShort && len(src) < maxHeader:
		d.partial = append(d.partial, p...)
		return len(p), nil
	case err == errShort:
		return 0, cause.ProtocolError.With("frame of more than %d bytes", maxHeader)
	case err != nil:
		return 0, cause.ProtocolError.With("%v", err)
	}
	d.partial = d.partial[:0]
	return n - kept, nil
}

var errShort = fmt.Errorf("truncated frame")

// parseHead decodes the frame at the start of src; of a Data frame only up to its
// payload, whose length goes to left.
func parseHead(src []byte, f *Frame, left *uint64) (int, error) {
	r := fieldReader{src: src, at: 1}
	if t := Type(src[0]); t != Data || f.Type != Data { // else it is clean, and it is large
		*f = Frame{Type: t}
	}
	f.Socket = r.number()
	switch f.Type {
	case Open:
		f.N, f.Port, f.Host = r.number(), r.number(), r.bytes()
		f.Option = f.opts[:0]
		for count := r.number(); count > 0 && r.err == nil; count-- {
			if len(f.Option) == cap(f.Option) {
				return 0, fmt.Errorf("more than %d options", cap(f.Option))
			}
			f.Option = append(f.Option, Option{r.number(), r.bytes()})
		}
	case Opened:
		f.N, f.Remote, f.Local = r.number(), r.bytes(), r.bytes()
	case Data:
		n := r.number()
		if r.err == nil && (n == 0 || n > MaxData) {
			return 0, fmt.Errorf("data frame of %d bytes", n)
		}
		if r.err == nil {
			*left = n
		}
	case Window:
		f.N = r.number()
	case EOF, Close:
	case Reset:
		f.Cause, f.Text = r.number(), r.bytes()
	case GoAway:
		f.Cause, f.Retry = r.number(), r.number()
	default:
		return 0, fmt.Errorf("unknown frame type 0x%02x", src[0])
	}
	return r.at, r.err
}

// fieldReader reads the fields of a frame. After the first error the rest is zero.
type fieldReader struct {
	src []byte
	at  int
	err error
}

func (r *fieldReader) number() uint64 {
	if r.err != nil {
		return 0
	}
	if r.at < len(r.src) && r.src[r.at] < 0x80 {
		r.at++
		return uint64(r.src[r.at-1])
	}
	v, n := binary.Uvarint(r.src[r.at:min(len(r.src), r.at+8)])
	switch {
	case n > 0 && v <= maxNumber:
		r.at += n
		return v
	case n == 0 && len(r.src)-r.at < 8:
		r.err = errShort
	default:
		r.err = fmt.Errorf("number above 2^53-1")
	}
	return 0
}

func (r *fieldReader) bytes() []byte {
	n := r.number()
	switch {
	case r.err != nil:
		return nil
	case n > maxHeader:
		r.err = fmt.Errorf("field of %d bytes", n)
		return nil
	case uint64(len(r.src)-r.at) < n:
		r.err = errShort
		return nil
	}
	p := r.src[r.at : r.at+int(n)]
	r.at += int(n)
	return p
}
