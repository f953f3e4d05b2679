package legacy

import (
	"strconv"

	"encke/cause"
)

// Frames cuts a stream into the frames of Orbited 0.8 and Orbited2:
//
//	LEN MARK ID "," TYPE [","] DATA
//
// LEN, decimal, is the number of bytes behind the mark; ID is decimal, TYPE a digit.
type Frames struct {
	Mark  byte // behind LEN
	Comma bool // behind TYPE
	head  []byte
	left  int // bytes of the frame that are still to come
	state frameState
	frame Frame
}

// Frame is one frame, or a piece of one.
type Frame struct {
	ID   uint64
	Type byte   // '0' open, '1' close, '2' data
	Data []byte // valid until the call returns
	Last bool   // the frame is complete
}

// Types of frames.
const (
	FrameOpen  = '0'
	FrameClose = '1'
	FrameData  = '2'
)

type frameState uint8

const (
	inLength frameState = iota
	inID
	inType
	inComma
	inData
)

const (
	maxFrameDigits = 7  // of LEN: a frame has less than 10 MB
	maxIDDigits    = 10 // of ID
)

// Feed calls f for each frame, or piece of one, in the next bytes of the stream. It keeps
// none of p.
func (d *Frames) Feed(p []byte, f func(Frame) error) error {
	for len(p) > 0 {
		if d.state == inData {
			n := min(d.left, len(p))
			piece := d.frame
			piece.Data, piece.Last = p[:n], n == d.left
			p = p[n:]
			d.left -= n
			if piece.Last {
				d.state = inLength
			}
			if err := f(piece); err != nil {
				return err
			}
			continue
		}
		if err := d.header(p[0]); err != nil {
			return err
		}
		p = p[1:]
		if d.state == inData && d.left == 0 {
			d.state = inLength
			last := d.frame
			last.Last = true
			if err := f(last); err != nil {
				return err
			}
		}
	}
	return nil
}

// header takes the next byte of what precedes the data.
func (d *Frames) header(c byte) error {
	if d.state > inLength {
		if d.left == 0 {
			return errFrame
		}
		d.left--
	}
	switch {
	case d.state == inLength && c == d.Mark && len(d.head) > 0:
		n, _ := strconv.Atoi(string(d.head))
		d.left, d.head, d.state = n, d.head[:0], inID
	case d.state == inLength && len(d.head) < maxFrameDigits && isDigit(c):
		d.head = append(d.head, c)
	case d.state == inID && c == ',' && len(d.head) > 0:
		id, _ := strconv.ParseUint(string(d.head), 10, 64)
		d.frame.ID, d.head, d.state = id, d.head[:0], inType
	case d.state == inID && len(d.head) < maxIDDigits && isDigit(c):
		d.head = append(d.head, c)
	case d.state == inType && isDigit(c):
		d.frame.Type, d.state = c, inComma
		if !d.Comma {
			d.state = inData
		}
	case d.state == inComma && c == ',':
		d.state = inData
	default:
		return errFrame
	}
	return nil
}

var errFrame = cause.ProtocolError.With("not a frame")

func isDigit(c byte) bool { return c-'0' < 10 }

// MaxHead is the longest that stands before the data of a frame.
const MaxHead = 32

// Frame returns a frame of the data that stands in b behind MaxHead bytes, in its place.
func (d *Frames) Frame(b []byte, id uint64, typ byte) []byte {
	var head, length [MaxHead]byte
	h := strconv.AppendUint(head[:0], id, 10)
	h = append(h, ',', typ)
	if d.Comma {
		h = append(h, ',')
	}
	n := strconv.AppendInt(length[:0], int64(len(h)+len(b)-MaxHead), 10)
	n = append(n, d.Mark)
	at := MaxHead - len(n) - len(h)
	copy(b[at:], n)
	copy(b[at+len(n):], h)
	return b[at:]
}

// NewFrame returns a frame of a copy of data.
func (d *Frames) NewFrame(id uint64, typ byte, data ...byte) []byte {
	b := make([]byte, MaxHead, MaxHead+len(data))
	return d.Frame(append(b, data...), id, typ)
}
