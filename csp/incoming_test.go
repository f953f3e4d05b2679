package csp_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"encke/cause"
	"encke/csp"
)

func TestDeliverOnceInOrder(t *testing.T) {
	for _, tt := range []struct {
		name    string
		batches [][]csp.Packet
		want    string
		acked   uint64
	}{
		{"in order", [][]csp.Packet{{data(1, "a"), data(2, "b")}}, "ab", 2},
		{"repeated", [][]csp.Packet{{data(1, "a")}, {data(1, "a")}, {data(1, "a"), data(2, "b")}}, "ab", 2},
		{"other content under an old id", [][]csp.Packet{{data(1, "a")}, {data(1, "X"), data(2, "b")}}, "ab", 2},
		{"gap filled later", [][]csp.Packet{{data(3, "c")}, {data(2, "b")}, {data(1, "a")}}, "abc", 3},
		{"gap filled from both sides", [][]csp.Packet{{data(2, "b"), data(4, "d")}, {data(1, "a")}, {data(3, "c")}}, "abcd", 4},
		{"gap stays", [][]csp.Packet{{data(1, "a")}, {data(3, "c")}}, "a", 1},
		{"repeated above the gap", [][]csp.Packet{{data(2, "b")}, {data(2, "b")}, {data(1, "a")}}, "ab", 2},
		{"empty packets count", [][]csp.Packet{{data(1, "")}, {data(2, "b")}}, "b", 2},
		{"nothing after the end", [][]csp.Packet{{data(1, "a"), {ID: 2, End: true}, data(3, "c")}}, "a", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, s, h := open(t, csp.Options{})
			var acked uint64
			for _, b := range tt.batches {
				acked = deliver(t, s, b...)
			}
			if h.got.String() != tt.want || acked != tt.acked {
				t.Errorf("delivered %q, acknowledged %d; want %q, %d", h.got.String(), acked, tt.want, tt.acked)
			}
		})
	}
}

func TestHandlerErrorEndsTheSession(t *testing.T) {
	_, s, h := open(t, csp.Options{})
	h.refuse = cause.Limit.With("enough")
	if _, err := s.Deliver([]csp.Packet{data(1, "x")}, true); !errors.Is(err, cause.Limit.Err()) {
		t.Errorf("Deliver: %v", err)
	}
}

func TestAcknowledgements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s, _ := open(t, csp.Options{})
		l := attach(t, s, 0)
		taken(t, l)
		got := func(packets ...csp.Packet) {
			t.Helper()
			if _, err := s.Deliver(packets, false); err != nil {
				t.Fatal(err)
			}
		}
		got(data(1, "x"))
		expect(t, "at once", taken(t, l), "")
		time.Sleep(999 * time.Millisecond)
		synctest.Wait()
		expect(t, "before a second", taken(t, l), "")
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		expect(t, "after a second", taken(t, l), `[["ack",1]]`)
		got(csp.Packet{ID: 2, Data: make([]byte, 64<<10)})
		expect(t, "after 64 KiB", taken(t, l), `[["ack",2]]`)
		for id := uint64(3); id < 3+256; id++ {
			got(data(id, "x"))
		}
		expect(t, "after 256 small packets", taken(t, l), `[["ack",258]]`)
		time.Sleep(5 * time.Second)
		expect(t, "idle", taken(t, l), "")
	})
}
