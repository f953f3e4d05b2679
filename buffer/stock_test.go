package buffer

import (
	"runtime"
	"sync/atomic"
	"testing"
)

// What was used once is there again after collections of garbage, up to a bound.
func TestStockOutlivesCollections(t *testing.T) {
	var s stock
	const each = 64 << 10
	made := map[*Buffer]bool{}
	for range 2 * stockBytes / each {
		b := &Buffer{array: make([]byte, each)}
		made[b] = true
		s.put(b)
	}
	runtime.GC()
	runtime.GC()
	for i := range stockBytes / each {
		b := s.get()
		if !made[b] {
			t.Fatalf("get number %d returned %p, which was never put", i+1, b)
		}
		delete(made, b) // none comes twice
	}
	if b := s.get(); b != nil {
		t.Errorf("more than %d bytes were kept over two collections", stockBytes)
	}
}

func TestDroppedStockIsCollected(t *testing.T) {
	const n = 8
	var freed atomic.Int32
	all := make([]*Buffer, n)
	for i := range all {
		all[i] = Get(Max)
		runtime.AddCleanup(&all[i].array[0], func(struct{}) { freed.Add(1) }, struct{}{})
	}
	for _, b := range all {
		b.Release()
	}
	clear(all)
	Drop()
	for freed.Load() < n { // the cleanups run after the collection
		runtime.GC()
		runtime.Gosched()
	}
}

func TestFitting(t *testing.T) {
	for _, n := range []int{0, 1, 256 - Headroom, 257 - Headroom, 5000, Max} {
		most := Fitting(n)
		if most < n || class(most) != class(n) || class(most+1) == class(n) {
			t.Errorf("Fitting(%d) = %d, class %d; of %d it is %d", n, most, class(most), n, class(n))
		}
	}
	if Fitting(Max+1) != Max+1 {
		t.Errorf("Fitting(%d) = %d: above Max an array is as large as asked for", Max+1, Fitting(Max+1))
	}
}
