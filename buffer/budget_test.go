package buffer_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"encke/buffer"
)

func TestAccountsAddUpInSteps(t *testing.T) {
	b := buffer.NewBudget(1 << 20)
	one, two := b.Account(), b.Account()
	for _, tt := range []struct {
		account *buffer.Account
		n       int
		used    int64
	}{
		{&one, 1, 4 << 10}, {&one, 4 << 10, 4 << 10}, {&one, 4<<10 + 1, 8 << 10},
		{&two, 100 << 10, 108 << 10}, {&one, 0, 100 << 10}, {&two, 0, 0},
	} {
		tt.account.Set(tt.n)
		if b.Used() != tt.used {
			t.Fatalf("after Set(%d): %d bytes used, want %d", tt.n, b.Used(), tt.used)
		}
	}
	var none buffer.Account
	none.Set(1 << 20) // counts nothing, breaks nothing
}

func TestBudgetIsTightAtFourFifths(t *testing.T) {
	b := buffer.NewBudget(1000 << 10)
	a := b.Account()
	a.Set(800 << 10)
	if b.Tight() {
		t.Error("tight at 80 %")
	}
	if !b.Fits(100<<10) || b.Fits(101<<10) {
		t.Error("more than 90 % fit, or less do not")
	}
	a.Set(804 << 10)
	if !b.Tight() {
		t.Error("not tight above 80 %")
	}
}

func TestGrowthIsBounded(t *testing.T) {
	b := buffer.NewBudget(1 << 20)
	if !b.Grow(200<<10, 25) || b.Grow(100<<10, 25) {
		t.Error("growth is not bounded by a quarter of the budget")
	}
	b.Shrink(200 << 10)
	if !b.Grow(100<<10, 25) {
		t.Error("what was given back cannot be had again")
	}
	b.Shrink(100 << 10)
	a := b.Account()
	a.Set(600 << 10)
	if b.Grow(1, 25) {
		t.Error("growth while more than half is in use")
	}
}

func TestReliefIsCalledOnceAtATimeAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := buffer.NewBudget(1 << 20)
		var calls atomic.Int32
		b.Relieve(func() { calls.Add(1) })
		a, other := b.Account(), b.Account()
		a.Set(970 << 10)
		synctest.Wait()
		if n := calls.Load(); n != 0 {
			t.Fatal("called below 95 %")
		}
		a.Set(1000 << 10)
		other.Set(4 << 10)
		synctest.Wait()
		if n := calls.Load(); n != 1 {
			t.Fatalf("%d calls above 95 %%, want 1", n)
		}
		time.Sleep(150 * time.Millisecond) // it has not helped, and nobody adds anything
		synctest.Wait()
		if n := calls.Load(); n != 2 {
			t.Errorf("%d calls when the first did not help, want 2", n)
		}
		a.Set(0)
		time.Sleep(time.Second)
		synctest.Wait()
		last := calls.Load()
		time.Sleep(time.Second)
		synctest.Wait()
		if n := calls.Load(); n != last {
			t.Error("called although there is room")
		}
	})
}

func BenchmarkAccount(b *testing.B) {
	budget := buffer.NewBudget(1 << 30)
	b.RunParallel(func(pb *testing.PB) {
		a := budget.Account()
		for n := 0; pb.Next(); n ^= 64 << 10 {
			a.Set(n)
		}
	})
}
