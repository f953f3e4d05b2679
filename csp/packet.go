package csp

import (
	"encoding/binary"

	"encke/buffer"
	"encke/cause"
)

// Packet is a numbered piece of a stream that came in or waits to be delivered.
type Packet struct {
	ID   uint64
	Data []byte // valid during the call that hands it over
	End  bool   // end of the stream; Data is empty
}

// sent is a packet that is kept until it is acknowledged. Its buffer holds the
// complete Data record, so that the binary encoding needs no copy.
type sent struct {
	record *buffer.Buffer // nil for End
	head   int            // length of the record's header
	apart  bool           // nothing is added to it
}

func newSent(payload *buffer.Buffer) sent {
	p := sent{record: payload}
	p.frame()
	return p
}

// frame puts the record header in front of the payload.
func (p *sent) frame() {
	var h [9]byte
	h[0] = byte(Data)
	p.head = 1 + binary.PutUvarint(h[1:], uint64(p.record.Len()))
	p.record.Prepend(h[:p.head])
}

// size is the number of payload bytes.
func (p *sent) size() int {
	if p.record == nil {
		return 0
	}
	return p.record.Len() - p.head
}

// merge appends more to the payload if there is room for it.
func (p *sent) merge(more *buffer.Buffer) bool {
	if p.record == nil || p.apart || len(p.record.Room()) < more.Len() {
		return false
	}
	p.record.Trim(p.head)
	p.record.Append(more.Bytes())
	p.frame()
	return true
}

// Outgoing is one packet of a Batch. It is valid until Batch.Release.
type Outgoing struct{ sent }

// Record returns the packet as a record of the binary encoding, without its id.
func (p Outgoing) Record() []byte {
	if p.record == nil {
		return endRecord
	}
	return p.record.Bytes()
}

// Payload returns the bytes of the packet, nil for the end of the stream.
func (p Outgoing) Payload() []byte {
	if p.record == nil {
		return nil
	}
	return p.record.Bytes()[p.head:]
}

// IsEnd reports whether the packet is the end of the stream.
func (p Outgoing) IsEnd() bool { return p.record == nil }

var endRecord = []byte{byte(End)}

// Batch is what a link sends at a time. The zero value is empty: a heartbeat.
type Batch struct {
	Welcome *Record      // answers New; set by the transport in its first batch
	HasAck  bool         // Ack is to be sent
	Ack     uint64       // highest id received in order
	Pings   int          // probes to send
	Pongs   int          // probes to answer
	First   uint64       // id of Packets[0]
	Seq     bool         // Packets[0] needs its id said
	Packets []Outgoing   // in order
	Close   *cause.Error // the last thing on the link
}

// Size returns the number of payload bytes.
func (b *Batch) Size() int {
	n := 0
	for i := range b.Packets {
		n += b.Packets[i].size()
	}
	return n
}

// Release drops the batch's references to its packets. They stay with the
// session until they are acknowledged.
func (b *Batch) Release() {
	for i := range b.Packets {
		if r := b.Packets[i].record; r != nil {
			r.Release()
		}
	}
	clear(b.Packets)
	*b = Batch{Packets: b.Packets[:0]}
}

// Encoding turns a batch into bytes.
type Encoding interface {
	Append(dst []byte, b *Batch) []byte
}

// Binary is the encoding of PROTOCOL.md section 3.
var Binary Encoding = binaryEncoding{}

type binaryEncoding struct{}

func (binaryEncoding) Append(dst []byte, b *Batch) []byte {
	dst = AppendControl(dst, b)
	for i := range b.Packets {
		dst = append(dst, b.Packets[i].Record()...)
	}
	return AppendClose(dst, b.Close)
}

// AppendControl appends the records that precede the packets of a batch.
func AppendControl(dst []byte, b *Batch) []byte {
	if b.Welcome != nil {
		dst = b.Welcome.Append(dst)
	}
	if b.HasAck {
		dst = (&Record{Kind: Ack, ID: b.Ack}).Append(dst)
	}
	for range b.Pings {
		dst = append(dst, byte(Ping))
	}
	for range b.Pongs {
		dst = append(dst, byte(Pong))
	}
	if b.Seq && len(b.Packets) > 0 {
		dst = (&Record{Kind: Seq, ID: b.First}).Append(dst)
	}
	return dst
}

// AppendClose appends the record that says why, nothing when e is nil.
func AppendClose(dst []byte, e *cause.Error) []byte {
	if e == nil {
		return dst
	}
	return (&Record{Kind: Close, Cause: uint64(e.Code), Retry: uint64(e.Retry), Text: []byte(e.Text)}).Append(dst)
}
