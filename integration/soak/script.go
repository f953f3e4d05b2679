package soak

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"encke/integration/backend"
)

// act is what happens on one socket.
type act uint8

const (
	exchange act = iota // both sides send at once, and end their direction when they are through
	answer              // the backend sends when it has read everything and the end
	greet               // the backend sends and ends its direction before it reads
	reset               // the backend sends, waits for a byte, and resets
	abort               // the page resets in the middle
	leave               // the page closes when it has sent everything; the backend must get it
	actCount
)

func (a act) String() string {
	return [...]string{"exchange", "answer", "greet", "reset", "abort", "leave"}[a]
}

// script is all that both ends of a socket must know. The page sends it first.
type script struct {
	id       uint64
	act      act
	down, up uint32 // keys of the streams
	downLen  int64
	upLen    int64
}

const scriptSize = 8 + 1 + 4 + 4 + 8 + 8

func newScript(rng *rand.Rand, id uint64) script {
	s := script{id: id, act: act(rng.IntN(int(actCount))), down: rng.Uint32(), up: rng.Uint32()}
	s.downLen, s.upLen = length(rng), length(rng)
	return s
}

// length is small as a rule and large now and then.
func length(rng *rand.Rand) int64 {
	return int64(1) << rng.IntN(10+rng.IntN(12)) * int64(1+rng.IntN(3)) / 2
}

func (s script) append(p []byte) []byte {
	p = binary.BigEndian.AppendUint64(p, s.id)
	p = append(p, byte(s.act))
	p = binary.BigEndian.AppendUint32(p, s.down)
	p = binary.BigEndian.AppendUint32(p, s.up)
	p = binary.BigEndian.AppendUint64(p, uint64(s.downLen))
	return binary.BigEndian.AppendUint64(p, uint64(s.upLen))
}

func readScript(r io.Reader) (s script, err error) {
	p := make([]byte, scriptSize)
	if _, err = io.ReadFull(r, p); err != nil {
		return s, err
	}
	s.id, s.act = binary.BigEndian.Uint64(p), act(p[8])
	s.down, s.up = binary.BigEndian.Uint32(p[9:]), binary.BigEndian.Uint32(p[13:])
	s.downLen, s.upLen = int64(binary.BigEndian.Uint64(p[17:])), int64(binary.BigEndian.Uint64(p[25:]))
	return s, nil
}

// half is a side of a socket that can end its direction.
type half interface {
	net.Conn
	CloseWrite() error
}

// pace is asked before each piece that is sent.
type pace func()

// send writes a stream.
func send(conn io.Writer, key uint32, n int64, wait pace) error {
	p := make([]byte, 16<<10)
	for pos := int64(0); pos < n; pos += int64(len(p)) {
		p = p[:min(int64(len(p)), n-pos)]
		backend.Fill(p, key, pos)
		wait()
		if _, err := conn.Write(p); err != nil {
			return fmt.Errorf("sent %d of %d bytes: %w", pos, n, err)
		}
	}
	return nil
}

// receive reads a stream up to its end, or n bytes of it if the end is not awaited, and
// checks each byte. It returns how many were right.
func receive(conn io.Reader, key uint32, n int64, toEnd bool, note func(int)) (int64, error) {
	p := make([]byte, 32<<10)
	for pos := int64(0); ; {
		if pos == n && !toEnd {
			return pos, nil
		}
		room := p
		if !toEnd {
			room = p[:min(int64(len(p)), n-pos)]
		}
		got, err := conn.Read(room)
		if pos+int64(got) > n {
			return pos, fmt.Errorf("%d bytes too many", pos+int64(got)-n)
		}
		if bad := backend.Check(p[:got], key, pos); bad != nil {
			return pos, bad
		}
		pos += int64(got)
		note(got)
		switch {
		case err == io.EOF && pos == n && toEnd:
			return pos, nil
		case err != nil:
			return pos, fmt.Errorf("read %d of %d bytes: %w", pos, n, err)
		}
	}
}

// patience is how long a socket may take before it counts as hanging.
const patience = 4 * time.Minute

// both runs two halves of a socket and closes it when one fails, so that the other ends.
func both(conn net.Conn, first, second func() error) error {
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for i, f := range []func() error{first, second} {
		wg.Go(func() {
			if errs[i] = f(); errs[i] != nil {
				_ = conn.Close()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
