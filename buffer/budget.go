package buffer

import (
	"sync/atomic"
	"time"
)

// Budget bounds the bytes that a whole process queues and keeps: who keeps bytes
// tells it through an Account. It refuses nothing by itself, except Grow: who
// might take on more asks Tight first, and Relieve names who lets go of something
// when that was not enough. All methods may be called concurrently.
type Budget struct {
	limit   int64
	used    atomic.Int64
	grown   atomic.Int64
	relieve atomic.Pointer[func()]
	busy    atomic.Bool // relieve runs, or ran a moment ago
}

// Shares of the limit, in percent.
const (
	tightAt    = 80 // nothing new is taken on
	critical   = 95 // something is let go
	relievedAt = 90 // enough was let go
)

// pause is how long Relieve's function rests after it ran.
const pause = 100 * time.Millisecond

// NewBudget returns a Budget of limit bytes, nothing used.
func NewBudget(limit int64) *Budget { return &Budget{limit: limit} }

// Limit returns the bytes there are in all.
func (b *Budget) Limit() int64 { return b.limit }

// Used returns the bytes in use, as the accounts told them: each rounds up to 4 KiB.
func (b *Budget) Used() int64 { return b.used.Load() }

// Tight reports whether 80 % are in use: then nothing new should be taken on.
func (b *Budget) Tight() bool { return b.over(b.used.Load(), tightAt) }

// Filling reports whether half is in use. Who asks often asks this first.
func (b *Budget) Filling() bool { return b.over(b.used.Load(), 50) }

// Relieved reports whether less than 90 % are in use: then who lets go of
// something may stop.
func (b *Budget) Relieved() bool { return !b.over(b.used.Load(), relievedAt) }

// Fits reports whether n more bytes leave 10 % unused. What is asked for first needs
// nobody to let go of something.
func (b *Budget) Fits(n int) bool { return !b.over(b.used.Load()+int64(n), relievedAt) }

func (b *Budget) over(n int64, percent int64) bool { return n*100 > b.limit*percent }

// Relieve sets what is called, in a goroutine of its own and never twice at a
// time, when more than 95 % are in use.
func (b *Budget) Relieve(f func()) { b.relieve.Store(&f) }

// Grow reserves n bytes by which a bound of its caller may grow. It refuses when
// the budget is half used, or when all such bytes would be more than percent of it.
func (b *Budget) Grow(n int, percent int64) bool {
	if b.Filling() {
		return false
	}
	if b.over(b.grown.Add(int64(n)), percent) {
		b.grown.Add(int64(-n))
		return false
	}
	return true
}

// Shrink gives back what Grow reserved.
func (b *Budget) Shrink(n int) { b.grown.Add(int64(-n)) }

func (b *Budget) add(n int) {
	if used := b.used.Add(int64(n)); n > 0 && b.over(used, critical) {
		b.call()
	}
}

func (b *Budget) call() {
	f := b.relieve.Load()
	if f == nil || !b.busy.CompareAndSwap(false, true) {
		return
	}
	time.AfterFunc(0, func() {
		(*f)()
		time.AfterFunc(pause, func() {
			b.busy.Store(false)
			if b.over(b.used.Load(), critical) {
				b.call()
			}
		})
	})
}

// Account is what one holder of bytes uses of a Budget. It must not be used
// concurrently: its holder's lock guards it. The zero value counts nothing.
type Account struct {
	budget *Budget
	told   int
}

// step is in what pieces an account tells its budget. An account that keeps less
// costs no shared memory access while it stays between two steps.
const step = 4 << 10

// Account returns an account that uses nothing yet. A nil Budget's counts nothing.
func (b *Budget) Account() Account { return Account{budget: b} }

// Set says how many bytes the holder keeps now.
func (a *Account) Set(n int) {
	n = (n + step - 1) &^ (step - 1)
	if n == a.told || a.budget == nil {
		return
	}
	a.budget.add(n - a.told)
	a.told = n
}
