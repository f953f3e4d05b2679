package csp_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"testing"

	"encke/buffer"
	"encke/cause"
	"encke/csp"
)

// BenchmarkSession is the way of one piece through a session: reserved, sent, taken
// by the link, acknowledged.
func BenchmarkSession(b *testing.B) {
	for _, size := range []int{64, 16 << 10, 64000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			server := csp.NewServer(csp.Options{Accept: func(*csp.Session) csp.Handler { return nopHandler{} }})
			defer server.Close(cause.Closed.Err())
			s, err := server.Open(csp.Peer{}, csp.Key{1})
			if err != nil {
				b.Fatal(err)
			}
			l, err := s.Attach(0, func() {})
			if err != nil {
				b.Fatal(err)
			}
			var batch csp.Batch
			var id uint64
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				s.Reserve(size, 0, 0)
				p := buffer.Get(size)
				p.Extend(size)
				s.Send(p, size)
				l.Take(&batch, 1<<20)
				batch.Release()
				id++
				if err := s.Acked(id); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDeliver is the way of a small packet from the bytes of a message to the
// Handler, so many of them in a message.
func BenchmarkDeliver(b *testing.B) {
	const packets, size = 800, 67
	server := csp.NewServer(csp.Options{Accept: func(*csp.Session) csp.Handler { return nopHandler{} }})
	defer server.Close(cause.Closed.Err())
	s, err := server.Open(csp.Peer{}, csp.Key{1})
	if err != nil {
		b.Fatal(err)
	}
	message := bytes.Repeat((&csp.Record{Kind: csp.Data, Data: make([]byte, size)}).Append(nil), packets)
	list := make([]csp.Packet, 0, packets)
	take := func(r *csp.Record) error {
		list = append(list, csp.Packet{ID: r.ID, Data: r.Data})
		return nil
	}
	b.SetBytes(size)
	b.ReportAllocs()
	next := uint64(1)
	for n := 0; n < b.N; n += packets {
		list = list[:0]
		if next, err = csp.Parse(message, next, take); err != nil {
			b.Fatal(err)
		}
		if _, err := s.Deliver(list, true); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpenAndClose is a session that is opened, carried and closed, and what is kept
// of it for a while.
func BenchmarkOpenAndClose(b *testing.B) {
	server := csp.NewServer(csp.Options{
		Accept: func(*csp.Session) csp.Handler { return nopHandler{} }, MaxSessions: 1 << 30,
	})
	defer server.Close(cause.Closed.Err())
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	n := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		n++
		s, err := server.Open(csp.Peer{}, csp.Key(binary.BigEndian.AppendUint64(make([]byte, 8), n)))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Attach(0, func() {}); err != nil {
			b.Fatal(err)
		}
		s.Close(cause.Closed.Err())
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(int64(after.HeapAlloc-before.HeapAlloc))/float64(n), "B/closed")
}
