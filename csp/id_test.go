package csp

import (
	"crypto/rand"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"encke/buffer"
	"encke/cause"
)

// A million ids are distinct, and at every position each of the 64 characters is as
// frequent as the others. The bound of chi-square with 63 degrees of freedom is
// exceeded by chance once in 10^9 runs; the last of the 22 characters carries two
// bits, so four characters there.
func TestIDsAreRandom(t *testing.T) {
	const n = 1_000_000
	v := &Server{opts: Options{Node: "n0"}}
	seen := make(map[[22]byte]struct{}, n)
	var counts [22][256]int
	for range n {
		id := v.newID()
		random := [22]byte([]byte(id[3:]))
		if id[:3] != "n0." || len(id) != 25 {
			t.Fatalf("id %q", id)
		}
		seen[random] = struct{}{}
		for i, c := range random {
			counts[i][c]++
		}
	}
	if len(seen) != n {
		t.Errorf("%d of %d ids are distinct", len(seen), n)
	}
	for i := range counts {
		kinds, bound := 64, 146.0
		if i == 21 {
			kinds, bound = 4, 45.0
		}
		expected, chi, found := float64(n)/float64(kinds), 0.0, 0
		for _, c := range counts[i] {
			if c > 0 {
				found++
				chi += math.Pow(float64(c)-expected, 2) / expected
			}
		}
		if found != kinds || chi > bound {
			t.Errorf("position %d: %d different characters, chi-square %.1f; want %d, at most %.0f", i, found, chi, kinds, bound)
		}
	}
}

type nop struct{}

func (nop) Receive([][]byte) error { return nil }
func (nop) Writable()              {}
func (nop) Closed(*cause.Error)    {}

func nopServer(opts Options) *Server {
	opts.Accept = func(*Session) Handler { return nop{} }
	return NewServer(opts)
}

// An id chosen by somebody else is nobody's, and says so like every other wrong one.
func TestWrongIDsAreToldTheSame(t *testing.T) {
	v := nopServer(Options{})
	s, err := v.Open(Peer{}, Key{1})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close(cause.Closed.Err())
	want := cause.SessionLost.With("unknown session")
	for _, id := range []string{
		"", "n0", "n0.", "n0." + strings.Repeat("A", 22), s.id + "x", s.id[1:], s.id[:len(s.id)-1], s.id + "\x00",
		s.id + strings.Repeat("\x00", maxID-len(s.id)), strings.Repeat("x", maxID+1), strings.Repeat("x", 1<<20),
		strings.ToLower(s.id), " " + s.id, s.id + "\n",
	} {
		_, err := v.Resume(id)
		var got *cause.Error
		if !errors.As(err, &got) || *got != *want {
			t.Errorf("Resume(%.40q): %v, want %v", id, err, want)
		}
	}
	if got := v.Stats(); got.Unknown != 14 || got.Resumed != 0 {
		t.Errorf("%d unknown, %d resumed; want 14, 0", got.Unknown, got.Resumed)
	}
}

// What a lookup costs for ids of each kind; reported, since times are no assertion.
func TestLookupTimesAreReported(t *testing.T) {
	v := nopServer(Options{})
	defer v.Close(cause.Closed.Err())
	var known *Session
	for i := range 2000 {
		var err error
		if known, err = v.Open(Peer{}, Key{byte(i), byte(i >> 8)}); err != nil {
			t.Fatal(err)
		}
	}
	near := []byte(known.id)
	near[len(near)-1] ^= 1
	random := make([]byte, 22)
	rand.Read(random)
	for _, tt := range []struct{ name, id string }{
		{"one character wrong", string(near)}, {"all wrong", "n0." + strings.Repeat("A", 22)},
		{"malformed", string(random)}, {"empty", ""}, {"too long", strings.Repeat("x", 4000)},
	} {
		took := make([]time.Duration, 2001)
		for i := range took {
			began := time.Now()
			v.Resume(tt.id)
			took[i] = time.Since(began)
		}
		slices.Sort(took)
		t.Logf("%-20s median %v", tt.name, took[len(took)/2])
	}
}

// A session ends long before its packet ids do.
func TestIDsThatAreUsedUp(t *testing.T) {
	v := nopServer(Options{})
	defer v.Close(cause.Closed.Err())
	s, err := v.Open(Peer{}, Key{1})
	if err != nil {
		t.Fatal(err)
	}
	s.in.got = lastID - 1
	if got, err := s.Deliver([]Packet{{ID: lastID, Data: []byte("x")}}, true); err != nil || got != lastID {
		t.Fatalf("the last id: %d, %v", got, err)
	}
	if _, err := s.Deliver([]Packet{{ID: lastID + 1, Data: []byte("x")}}, true); !errors.Is(err, cause.Limit.Err()) {
		t.Errorf("the one after it: %v, want limit", err)
	}

	s, err = v.Open(Peer{}, Key{2})
	if err != nil {
		t.Fatal(err)
	}
	s.out.first, s.out.taken = lastID-1, lastID-2
	if err := s.Send(buffer.Copy([]byte("x")), 0); err != nil {
		t.Fatalf("the last id: %v", err)
	}
	l, err := s.Attach(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b Batch
	l.Take(&b, 1) // or the next one joins it
	b.Release()
	if err := s.Send(buffer.Copy([]byte("x")), 0); !errors.Is(err, cause.Limit.Err()) {
		t.Errorf("the one after it: %v, want limit", err)
	}
	if n := v.Stats().IDsUsedUp; n != 2 {
		t.Errorf("%d counted, want 2", n)
	}
}

// The longest id there can be is not found by one that goes on behind it.
func TestIDsThatGoOn(t *testing.T) {
	v := nopServer(Options{Node: strings.Repeat("n", 32)})
	defer v.Close(cause.Closed.Err())
	s, err := v.Open(Peer{}, Key{1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Resume(s.id + "x"); err == nil {
		t.Error("an id with something behind it was found")
	}
	if _, err := v.Resume(s.id); err != nil {
		t.Error(err)
	}
}
