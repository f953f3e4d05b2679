package csp_test

import (
	"fmt"
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
				s.Reserve(size)
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
