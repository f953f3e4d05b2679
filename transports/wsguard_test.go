package transports

import (
	"testing"
	"time"

	"github.com/coder/websocket"
)

// clientFrame is a frame with a mask of zeros.
func clientFrame(first byte, payload string) []byte {
	return append([]byte{first, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
}

// What is before a violation passes, nothing of what is behind it does.
func TestGuardPassesWhatIsFine(t *testing.T) {
	fine := clientFrame(0x82, "fine")
	for _, size := range []int{1, 3, 1000} {
		var g frameGuard
		wire := append(append([]byte(nil), fine...), 0x82, 0x01, 'x') // the second has no mask
		var err error
		passed := 0
		for at := 0; at < len(wire) && err == nil; at += size {
			var n int
			n, err = g.check(wire[at:min(at+size, len(wire))], 0)
			passed += n
		}
		if bad, ok := err.(*violation); !ok || bad.code != websocket.StatusProtocolError || passed != len(fine)+1 {
			t.Errorf("in pieces of %d: %d bytes passed, then %v; want %d and 1002", size, passed, err, len(fine)+1)
		}
		if n, again := g.check(fine, 0); n != 0 || again != err {
			t.Errorf("behind a violation %d bytes passed, %v", n, again)
		}
	}
}

// Control frames are counted a second at a time.
func TestGuardCountsControlFrames(t *testing.T) {
	var g frameGuard
	second := func(now time.Duration, frames int) (n int) {
		for range frames {
			if _, err := g.check(clientFrame(0x89, ""), now); err != nil {
				return n
			}
			n++
		}
		return n
	}
	for s := range 5 {
		if n := second(2*time.Duration(s)*time.Second, maxControl); n != maxControl {
			t.Fatalf("in second %d only %d of %d pings passed", s, n, maxControl)
		}
	}
	if n := second(8*time.Second, 1); n != 0 {
		t.Errorf("ping %d of a second passed", maxControl+1)
	}
}
