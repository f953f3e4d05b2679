package csp

import (
	"slices"
	"time"

	"encke/buffer"
	"encke/cause"
)

// Bounds of what is kept above a gap.
const (
	reorderPackets = 64
	reorderBytes   = 256 << 10
)

// incoming is the receiving half of a session. It is guarded by Session.mu.
type incoming struct {
	got     uint64 // highest id received in order
	unacked int    // cost that arrived since the other side was told got
	ended   bool   // the packet got was the end of the stream
	again   bool   // something arrived again: the other side does not know got
	ackDue  bool   // the session is among lateAcks
	ripe    bool   // an acknowledgement is to go with whatever is sent

	held      []held // packets above a gap, by id
	heldBytes int
	passed    []held // held packets that are being delivered
	gap       *time.Timer
	gapAt     uint64 // got when the gap was noticed
	gapUntil  time.Time
}

// held is a packet above a gap.
type held struct {
	id   uint64
	data *buffer.Buffer
	end  bool
}

// take appends to data what is next in order, from packets and from those held.
func (in *incoming) take(packets []Packet, data [][]byte, count *counters) ([][]byte, *cause.Error) {
	for i := range packets {
		p := &packets[i]
		switch {
		case in.ended, p.ID <= in.got:
			count.repeats.Add(1)
			in.again = true
		case p.ID == in.got+1:
			data = in.accept(p.Data, p.End, data)
			data = in.fill(data)
		default:
			if err := in.hold(p, count); err != nil {
				return nil, err
			}
		}
	}
	return data, nil
}

func (in *incoming) accept(p []byte, end bool, data [][]byte) [][]byte {
	in.got++
	in.unacked += max(len(p), minCost)
	in.ended = end
	if len(p) > 0 {
		data = append(data, p)
	}
	return data
}

// fill delivers held packets that a filled gap has made next.
func (in *incoming) fill(data [][]byte) [][]byte {
	n := 0
	for ; n < len(in.held) && !in.ended && in.held[n].id <= in.got+1; n++ {
		h := in.held[n]
		in.heldBytes -= h.data.Len()
		in.passed = append(in.passed, h)
		if h.id == in.got+1 {
			data = in.accept(h.data.Bytes(), h.end, data)
		}
	}
	in.held = dropFront(in.held, n)
	return data
}

// hold keeps a packet that arrived above a gap.
func (in *incoming) hold(p *Packet, count *counters) *cause.Error {
	at, found := slices.BinarySearchFunc(in.held, p.ID, func(h held, id uint64) int {
		switch {
		case h.id < id:
			return -1
		case h.id > id:
			return 1
		}
		return 0
	})
	if found {
		count.repeats.Add(1)
		return nil
	}
	if p.ID-in.got > reorderPackets || in.heldBytes+len(p.Data) > reorderBytes {
		count.windowOverruns.Add(1)
		return cause.ProtocolError.With("packet %d arrived, but packet %d is missing", p.ID, in.got+1)
	}
	count.outOfOrder.Add(1)
	in.heldBytes += len(p.Data)
	in.held = slices.Insert(in.held, at, held{p.ID, buffer.Copy(p.Data), p.End})
	return nil
}

// release gives back held packets after they were delivered.
func (in *incoming) release() {
	for _, h := range in.passed {
		h.data.Release()
	}
	clear(in.passed)
	in.passed = in.passed[:0]
}

// told notes that the other side knows got.
func (in *incoming) told() { in.unacked, in.again, in.ripe = 0, false, false }

// drop releases everything at the end of the session. Packets that are being
// delivered are left to the garbage collector.
func (in *incoming) drop() {
	in.dropHeld()
	if in.gap != nil {
		in.gap.Stop()
		in.gap = nil
	}
}

func (in *incoming) dropHeld() {
	for _, h := range in.held {
		h.data.Release()
	}
	in.held, in.heldBytes = nil, 0
}
