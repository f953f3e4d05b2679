package csp

import (
	"time"

	"encke/buffer"
)

// Options are the settings of a Server, or of a client's Session. The zero value
// is the recommended setting.
type Options struct {
	// Accept makes the Handler of a new session on a server. It must not call
	// the session's methods before it returns.
	Accept func(*Session) Handler

	// Admit is asked before a new session is made and says why it is not: an error
	// of type *cause.Error, or one that wraps one. release, if it is not nil, is
	// called once when the session has ended. It is not asked for a NEW that is
	// repeated. It must not call the Server. Nil: all are admitted.
	Admit func(Peer) (release func(), err error)

	// Node is the public part of session ids, 1 to 32 letters, digits or '-';
	// balancers route on it. Default "n0".
	Node string

	// SendBuffer bounds the bytes that a session keeps until they are
	// acknowledged; at the bound its backends are no longer read. Not less than half of
	// what is reserved at a time: half of it must have room for a quarter of that.
	// Default 256 KiB.
	SendBuffer int

	// MaxSendBuffer is what the bound grows to while acknowledgements come back
	// fast; beyond four times SendBuffer only where several wait for room, sixteen
	// times for four, or they come in requests of their own (Link.AckedApart) or
	// from 20 ms away, and all of the bound is through in 100 ms. Default 8 MiB.
	MaxSendBuffer int

	// Budget bounds the bytes that all sessions keep together. When it is tight no
	// session is opened; when it is nearly used up the largest sessions end, those
	// that acknowledge nothing first. Others may have accounts of the same Budget.
	// Default one of 256 MiB.
	Budget *buffer.Budget

	// Relieve is called before sessions are ended for the Budget, to let go of what
	// belongs to no live session. Nil: there is nothing.
	Relieve func()

	// Linger is how long a session without a link waits for the next one.
	// Default 120 s.
	Linger time.Duration

	// HalfOpen is how long a new session waits for its first link. Default 15 s.
	HalfOpen time.Duration

	// GapTimeout is how long a missing packet is waited for. Default 30 s.
	GapTimeout time.Duration

	// Lifetime is how long a session may live in all. Default: as long as it likes.
	Lifetime time.Duration

	// MaxSessions bounds the live sessions of a Server. Default 20,000.
	MaxSessions int

	// Panicked gets the value of a panic in a timer of a session, which is a fault of
	// ours, in the goroutine of that timer. It may close the session. Nil: the panic
	// goes on, and ends the process.
	Panicked func(value any, s *Session)

	count *counters
	late  *lateAcks
}

func (o Options) withDefaults() Options {
	def(&o.Node, "n0")
	def(&o.SendBuffer, 256<<10)
	def(&o.MaxSendBuffer, 8<<20)
	def(&o.Linger, 120*time.Second)
	def(&o.HalfOpen, 15*time.Second)
	def(&o.GapTimeout, 30*time.Second)
	def(&o.MaxSessions, 20_000)
	if o.Budget == nil {
		o.Budget = buffer.NewBudget(256 << 20)
	}
	o.count, o.late = new(counters), new(lateAcks)
	return o
}

func def[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}
