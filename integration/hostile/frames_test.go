package hostile

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"encke/cause"
)

// wrongFrames are well-formed packets whose bytes break the socket protocol. They end
// the session that sent them.
func wrongFrames(_ *testing.T, r *rig) (all []attack) {
	const huge = 1<<53 - 1
	number := "number above 2^53-1"
	for _, e := range endpoints {
		add := func(name, frames, text string) {
			on := func(id string) request { return e.plain(r, resume(id, 0)+seq(1)+data(frames)) }
			all = append(all, attack{name: e.name + ": " + name, on: on, want: e.refusal(400, cause.ProtocolError, text)})
		}
		for _, kind := range []byte{0x00, 0x09, 0x0a, 0x10, 0x7f, 0x80, 0xff} {
			add(fmt.Sprintf("frame type 0x%02x", kind), string([]byte{kind, 1}), fmt.Sprintf("unknown frame type 0x%02x", kind))
		}
		for name, n := range map[string]string{"2^53": uvarint(1 << 53), "2^64-1": uvarint(math.MaxUint64), "that never ends": strings.Repeat("\xff", 40)} {
			add("socket number "+name, "\x05"+n, number)
			add("credit "+name, "\x04\x01"+n, number)
			add("DATA length "+name, "\x03\x01"+n, number)
			add("window "+name, "\x01\x01"+n, number)
			add("port "+name, "\x01\x01\x00"+n, number)
			add("host length "+name, "\x01\x01\x00\x50"+n, number)
			add("number of options "+name, "\x01\x01\x00\x50\x04eViL"+n, number)
		}
		add("socket number 0", "\x01\x00\x00\x50\x04eViL\x00", "socket number 0 used again")
		add("DATA of no bytes", "\x03\x01\x00", "data frame of 0 bytes")
		for _, n := range []uint64{1<<20 + 1, 1 << 31, huge} {
			add(fmt.Sprintf("DATA of %d bytes", n), "\x03\x01"+uvarint(n), fmt.Sprintf("data frame of %d bytes", n))
		}
		for _, n := range []uint64{4097, 1 << 20, huge} {
			add(fmt.Sprintf("a host of %d bytes", n), "\x01\x01\x00\x50"+uvarint(n), fmt.Sprintf("field of %d bytes", n))
			add(fmt.Sprintf("a RESET text of %d bytes", n), "\x07\x01\x00"+uvarint(n), fmt.Sprintf("field of %d bytes", n))
		}
		add("5 options", "\x01\x01\x00\x50\x04eViL\x05"+strings.Repeat("\x01\x01\x01", 5), "more than 4 options")
		add("2^53-1 options", "\x01\x01\x00\x50\x04eViL"+uvarint(huge)+strings.Repeat("\x01\x01\x01", 5), "more than 4 options")
		add("a frame that does not end", "\x01\x01\x00\x50"+uvarint(4096)+strings.Repeat("e", 4096), "frame of more than 4096 bytes")
		add("101 frames for sockets that never were", strings.Repeat("\x05\x07", 101), "too many frames for sockets that were never opened")
	}
	return all
}
