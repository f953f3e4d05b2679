package main

import (
	"io"
	"sync/atomic"
)

// stream is one byte stream to the backend through a proxy, in whatever the proxy
// speaks. One Write is one message: one frame, or one message in a POST.
type stream = io.ReadWriteCloser

// repeater is a stream that sends p n times, as n messages, in the cheapest way that
// its protocol lets a client do it: frames together in one system call, one POST with n
// messages. The contents of p do not change between calls.
type repeater interface {
	Repeat(p []byte, n int) error
}

// drainer is a stream that counts what comes and drops it where its client reads, as a page's
// callback does: no goroutine of the stream is woken for it. It returns at the end of the
// stream.
type drainer interface {
	Drain(got *atomic.Int64)
}

// pourer is a stream whose client sends for all that share a connection, from one place, as a
// page does: Pour makes it send p, as one message, again and again until the stream ends.
type pourer interface {
	Pour(p []byte)
}

// repeat sends p n times as n messages.
func repeat(s stream, p []byte, n int) error {
	if r, ok := s.(repeater); ok {
		return r.Repeat(p, n)
	}
	for ; n > 0; n-- {
		if _, err := s.Write(p); err != nil {
			return err
		}
	}
	return nil
}

// dialer opens another stream to the backend.
type dialer = func() (stream, error)

// same reports whether a and b are the same piece of memory, so that what was made of one
// can be used again for the other.
func same(a, b []byte) bool { return len(a) == len(b) && len(a) > 0 && &a[0] == &b[0] }
