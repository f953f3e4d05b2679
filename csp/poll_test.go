package csp_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"encke/buffer"
	"encke/csp"
)

// A poll is answered when there is something to say. That packets which came with
// it have arrived is worth saying after a second, like on any link.
func TestWhenPollsAreAnswered(t *testing.T) {
	const hold = 25 * time.Second
	for _, test := range []struct {
		name  string
		with  []csp.Packet // in the request
		reply time.Duration
		after time.Duration
		acks  uint64
	}{
		{name: "nothing with it, nothing to say", after: hold},
		{name: "nothing with it, a reply", reply: 300 * time.Millisecond, after: 300 * time.Millisecond, acks: 1},
		{name: "a packet, no reply", with: []csp.Packet{data(2, "x")}, after: time.Second, acks: 2},
		{name: "a packet and a reply", with: []csp.Packet{data(2, "x")}, reply: 300 * time.Millisecond, after: 300 * time.Millisecond, acks: 2},
		{name: "a packet that came before", with: []csp.Packet{data(1, "x")}, acks: 1},
		{name: "one that came before and a new one", with: []csp.Packet{data(1, "x"), data(2, "x")}, acks: 2},
		{name: "64 KiB", with: []csp.Packet{data(2, strings.Repeat("x", 64<<10))}, acks: 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, s, _ := open(t, csp.Options{})
				deliver(t, s, data(1, "before"))
				s.Deliver(test.with, false)
				link, err := s.Attach(0, nil)
				if err != nil {
					t.Fatal(err)
				}
				link.Patient()
				if test.reply > 0 {
					time.AfterFunc(test.reply, func() { s.Send(buffer.Copy([]byte("reply")), 0) })
				}
				began := time.Now()
				var b csp.Batch
				ok, err := link.Next(t.Context(), hold, &b, 1<<20)
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took != test.after {
					t.Errorf("answered after %v, want %v", took, test.after)
				}
				if ok && (!b.HasAck || b.Ack != test.acks) {
					t.Errorf("the answer acknowledges %v %d, want %d", b.HasAck, b.Ack, test.acks)
				}
				if ok == (test.after == hold) {
					t.Errorf("something to say: %v", ok)
				}
				b.Release()
				link.Detach()
			})
		})
	}
}
