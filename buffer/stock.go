package buffer

import "sync"

// stockBytes is how much a stock keeps over collections of garbage.
const stockBytes = 1 << 20

// stock holds Buffers of one size that are not in use. A sync.Pool alone is emptied by
// each collection, and in a proxy with little else in its heap the large arrays that are
// then made again bring on the next one.
type stock struct {
	rest sync.Pool

	mu   sync.Mutex
	free []*Buffer // at most stockBytes of arrays
}

// get returns a Buffer, or nil if there is none.
func (s *stock) get() *Buffer {
	s.mu.Lock()
	if last := len(s.free) - 1; last >= 0 {
		b := s.free[last]
		s.free[last] = nil
		s.free = s.free[:last]
		s.mu.Unlock()
		return b
	}
	s.mu.Unlock()
	b, _ := s.rest.Get().(*Buffer)
	return b
}

func (s *stock) put(b *Buffer) {
	s.mu.Lock()
	if (len(s.free)+1)*len(b.array) <= stockBytes {
		s.free = append(s.free, b)
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	s.rest.Put(b)
}

// Drop lets the next collection of garbage take the Buffers that are not in use, also those
// that are kept over collections: for when nothing happens and the memory is wanted elsewhere.
func Drop() {
	for i := range pools {
		s := &pools[i]
		s.mu.Lock()
		s.free = nil
		s.mu.Unlock()
	}
}
