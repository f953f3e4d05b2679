package tcpsocket

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"testing"

	"encke/rawconn"
)

// What the backend gets and what is left are together what there was, whatever the sizes of
// the pieces and however little the backend takes.
func TestPiecesAreWrittenInOrder(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for seed := range uint64(40) {
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conn.(*net.TCPConn).SetWriteBuffer(8 << 10)
		backend, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}

		r := rand.New(rand.NewPCG(seed, 3))
		var pieces [][]byte
		for range 1 + r.IntN(60) {
			p := make([]byte, []int{0, 1, 64, smallPiece, smallPiece + 1, 16 << 10, 32 << 10, 70_000}[r.IntN(8)])
			for i := range p {
				p[i] = byte(r.Uint32())
			}
			pieces = append(pieces, p)
		}
		want := bytes.Join(pieces, nil)
		s := &socket{writer: rawconn.NewWriter(conn)}
		rest, written, err := s.tryWrite(pieces)
		if err != nil {
			t.Fatal(err)
		}
		left := bytes.Join(rest, nil)
		conn.Close()
		got, err := io.ReadAll(backend)
		backend.Close()
		if err != nil || written != len(got) || !bytes.Equal(append(got, left...), want) {
			t.Errorf("seed %d: of %d bytes %d were written, as it said %d, and %d are left (%v), or they differ", seed, len(want), len(got), written, len(left), err)
		}
	}
}
