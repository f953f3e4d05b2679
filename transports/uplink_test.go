package transports

import (
	"bytes"
	"testing"

	"encke/csp"
)

// A message full of acknowledgements leaves nothing behind but the highest.
func TestAcknowledgementsAreNotCollected(t *testing.T) {
	hello := (&csp.Record{Kind: csp.Resume, Session: []byte("n0-x")}).Append(nil)
	ack := (&csp.Record{Kind: csp.Ack, ID: 1}).Append(nil)
	body := append(hello, (&csp.Record{Kind: csp.Ack, ID: 7}).Append(nil)...)
	body = append(body, bytes.Repeat(ack, (csp.MaxBody-len(body))/len(ack))...)
	var u uplink
	if n := testing.AllocsPerRun(1, func() {
		u = uplink{}
		if _, err := u.parse(body); err != nil {
			t.Fatal(err)
		}
	}); n > 20 {
		t.Errorf("%v allocations", n)
	}
	if u.acked != 7 {
		t.Errorf("%d is acknowledged, want 7", u.acked)
	}
}
