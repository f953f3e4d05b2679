package wisp

import (
	"context"
	"encoding/binary"
	"io"
	"sync"

	"encke/buffer"
	"encke/cause"
	"encke/legacy"
	"encke/tcpsocket"
	"encke/whitelist"
)

const (
	firstCredit = 8         // packets that a stream may send at first
	maxCredit   = 128       // packets of one CONTINUE
	creditBytes = 512 << 10 // what the packets of one CONTINUE may have, if none is larger than those before

	// streamBytes is what may wait for one backend: what is sent for a CONTINUE, and before
	// it arrived, see firstCredit.
	streamBytes = 1 << 20

	// pieceSize is the size from which on a credit is for less than maxCredit packets.
	pieceSize = creditBytes / maxCredit
)

// stream is one TCP connection of a session.
type stream struct {
	s       *session
	id      uint32
	ctx     context.Context // of dialing
	cancel  context.CancelFunc
	backlog *legacy.Backlog // towards the backend

	mu      sync.Mutex
	backend *tcpsocket.Backend // nil while dialing
	why     *cause.Error       // it has failed
	credit  int                // packets of the last CONTINUE
	since   int                // packets received since then
	largest int                // of all packets, in bytes
}

func newStream(s *session, id uint32) *stream {
	st := &stream{s: s, id: id, credit: firstCredit, largest: pieceSize}
	st.ctx, st.cancel = context.WithCancel(context.Background())
	st.backlog = s.Buffers.Backlog(st.grant, st.cancel) // with nothing to deliver it is not even connected
	return st
}

// run is the stream's goroutine.
func (st *stream) run(dest whitelist.Dest) {
	defer st.cancel()
	backend, why := st.s.Dial(st.ctx, dest)
	if why != nil {
		st.backlog.Drop()
		if st.s.forget(st.id, st) != nil {
			st.s.Write(closePacket(st.id, reasons[why.Code]))
		}
		st.s.dialed()
		return
	}
	st.s.dialed()
	st.mu.Lock()
	st.backend, why = backend, st.why
	if st.s.confirm {
		st.credit, st.since = firstCredit, 0
	}
	st.mu.Unlock()
	if why != nil { // it failed meanwhile
		backend.Fail(why)
		return
	}
	if st.s.confirm {
		st.s.Write(continuePacket(st.id, firstCredit))
	}
	st.backlog.Start(backend, backend.Writer())
	st.download(backend)
}

// download sends what the backend says, until its end or that of the stream.
func (st *stream) download(backend *tcpsocket.Backend) {
	r := legacy.NewReader(backend, buffer.Max, st.backlog.Floor())
	defer r.Release()
	for {
		b, err := r.Next()
		switch {
		case err == io.EOF:
			if st.s.forget(st.id, st) != nil {
				st.s.Write(closePacket(st.id, reasonVoluntary))
			}
			st.backlog.End()
			return
		case err != nil:
			st.fail(tcpsocket.ReadCause(err))
			return
		case st.known() && !st.send(b): // else it is read so that it takes the rest
			return
		}
	}
}

// send sends what was read.
func (st *stream) send(b *buffer.Buffer) bool {
	var head [headSize]byte
	head[0] = typeData
	binary.LittleEndian.PutUint32(head[1:], st.id)
	b.Prepend(head[:])
	return st.s.Write(b.Bytes())
}

// known says that the client knows the stream.
func (st *stream) known() bool {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	return st.s.streams[st.id] == st
}

// received counts a packet of this size that the backlog has got.
func (st *stream) received(size int) {
	st.mu.Lock()
	st.since++
	st.largest = max(st.largest, size)
	st.mu.Unlock()
	st.grant()
}

// grant gives new credit when the last is used up and nothing waits for the backend.
func (st *stream) grant() {
	if !st.backlog.Empty() {
		return // it calls again
	}
	st.mu.Lock()
	due := st.since >= st.credit
	if due {
		st.since, st.credit = 0, max(1, min(maxCredit, creditBytes/st.largest))
	}
	credit := st.credit
	st.mu.Unlock()
	if due && st.known() {
		st.s.Write(continuePacket(st.id, uint32(credit)))
	}
}

// fail ends the stream for a cause: the backend is reset, and the client is told, if it
// does not know.
func (st *stream) fail(why *cause.Error) {
	told := st.s.forget(st.id, st) == nil
	st.cancel()
	st.backlog.Drop()
	st.mu.Lock()
	backend := st.backend
	st.why = why
	st.mu.Unlock()
	if backend != nil {
		backend.Fail(why)
	}
	if !told {
		reason := reasons[why.Code]
		if why.Code == cause.TimedOut {
			reason = reasonTimedOut
		}
		st.s.Write(closePacket(st.id, reason))
	}
}
