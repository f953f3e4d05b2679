package faults

import (
	"time"

	"encke/cause"
	"encke/csp"
	"encke/integration/backend"
	"encke/integration/proxy"
)

const streamKey = 17

// twice sends every request twice: one after the other, and at the same instant.
func twice(f *fault) {
	f.start(proxy.Options{})
	const n = 60_000
	b := backend.FirstFin(f.T, "", streamKey, n)
	r := f.openRaw()
	all := packets(b, streamKey, n, 3000)
	for i := range all {
		one := numbered(all, i)
		if err := r.atOnce(one, one); err != nil {
			f.Fatalf("packet %d twice at once: %v", i+1, err)
		}
		if err := r.send(one); err != nil {
			f.Fatalf("packet %d once more: %v", i+1, err)
		}
	}
	f.ended(b)
	f.farewell(r)
}

// reordered has up to eight requests under way, which arrive in any order; then one that
// is too far ahead.
func reordered(f *fault) {
	f.start(proxy.Options{})
	const n = 60_000 // within the window that a socket has before it is open
	b := backend.FirstFin(f.T, "", streamKey, n)
	r := f.openRaw()
	all := packets(b, streamKey, n, 1000)
	for at := 0; at < len(all); {
		group := min(2+f.rng.IntN(7), len(all)-at)
		var requests [][]byte
		for _, i := range f.rng.Perm(group) {
			requests = append(requests, numbered(all, at+i))
		}
		if err := r.atOnce(requests...); err != nil {
			f.Fatalf("packets %d to %d: %v", at+1, at+group, err)
		}
		at += group
	}
	f.ended(b)
	far := uint64(len(all) + 1 + 65)
	_ = r.send((&csp.Record{Kind: csp.Data, Data: []byte("x")}).Append((&csp.Record{Kind: csp.Seq, ID: far}).Append(nil)))
	f.want("a packet past the bound of what is kept", r.ending(), cause.ProtocolError)
}

// gap leaves one packet out for good.
func gap(f *fault) {
	f.start(proxy.Options{})
	const n = 30_000
	b := backend.FirstFin(f.T, "", streamKey, n)
	r := f.openRaw()
	all := packets(b, streamKey, n, 1000)
	for i := range all {
		if i == 10 {
			continue
		}
		if err := r.send(numbered(all, i)); err != nil {
			f.Fatalf("packet %d: %v", i+1, err)
		}
	}
	began := time.Now()
	f.want("a gap that is not filled", r.ending(), cause.ProtocolError)
	f.Logf("the session ended %v after the gap", time.Since(began))
	if err := await(f, "the end of the connection to the backend", b.Ended()); err == nil {
		f.Error("the backend saw a whole stream")
	}
	if b.Read() > 10_000 {
		f.Errorf("the backend got %d bytes, though the packet after 10,000 was missing", b.Read())
	}
}

// farewell ends a raw session.
func (f *fault) farewell(r *raw) {
	_ = r.send((&csp.Record{Kind: csp.Close}).Append(nil))
	f.want("the end of the session", r.ending(), cause.Closed)
}
