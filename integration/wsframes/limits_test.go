package wsframes

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Sizes up to the bound of 1 MiB for a message, and beyond it. What is announced
// counts: the proxy does not take a megabyte to find out.
func TestLimits(t *testing.T) {
	const most = 1 << 20
	announced := func(first byte, size uint64, payload string) []byte {
		return masked(first, binary.BigEndian.AppendUint64([]byte{127}, size), payload)
	}
	var all []trial
	for _, size := range []int{64 << 10, 256 << 10, 512 << 10, most - 1, most} {
		all = append(all, trial{name: fmt.Sprintf("message of %d", size), wire: frame(fin|binaryData, asking(size)), answers: 1})
		for _, piece := range []int{4 << 10, 16 << 10, 64 << 10, 256 << 10} {
			all = append(all, trial{name: fmt.Sprintf("message of %d in fragments of %d", size, piece), wire: fragments(binaryData, asking(size), piece), answers: 1})
		}
	}
	for _, opcode := range []byte{binaryData, text} {
		all = append(all,
			trial{name: fmt.Sprintf("a byte too many with opcode %d", opcode), wire: frame(fin|opcode, asking(most+1)), code: 1009},
			trial{name: fmt.Sprintf("16 MiB with opcode %d", opcode), wire: frame(fin|opcode, asking(16<<20)), code: 1009},
			trial{name: fmt.Sprintf("a byte too many in fragments with opcode %d", opcode), wire: fragments(opcode, asking(most+1), 64<<10), code: 1009},
			trial{name: fmt.Sprintf("announced 1 MiB and a byte with opcode %d", opcode), wire: announced(fin|opcode, most+1, "x"), code: 1009},
			trial{name: fmt.Sprintf("announced 2^32 with opcode %d", opcode), wire: announced(fin|opcode, 1<<32, ""), code: 1009},
			trial{name: fmt.Sprintf("announced 2^63-1 with opcode %d", opcode), wire: announced(fin|opcode, 1<<63-1, ""), code: 1009},
			trial{name: fmt.Sprintf("announced 2^62 in the second fragment with opcode %d", opcode), wire: slices.Concat(frame(opcode, "x"), announced(continuation, 1<<62, "")), code: 1009},
			trial{name: fmt.Sprintf("announced a byte too many in the second fragment with opcode %d", opcode), wire: slices.Concat(frame(opcode, "xx"), announced(continuation, most-1, "")), code: 1009},
		)
	}
	all = append(all,
		trial{name: "two messages of the largest size", wire: slices.Repeat(frame(fin|binaryData, asking(most)), 2), answers: 2},
		trial{name: "128 KiB through the socket", wire: slices.Repeat(frame(fin|binaryData, forSocket(pattern(16<<10))), 8), echo: slices.Repeat([]string{pattern(16 << 10)}, 8)},
		trial{name: "2000 small messages", wire: slices.Repeat(frame(fin|binaryData, forSocket("small")), 2000), echo: slices.Repeat([]string{"small"}, 2000)},
		trial{name: "2000 small messages in odd writes", wire: slices.Repeat(frame(fin|binaryData, forSocket("small")), 2000), chop: 1461, echo: slices.Repeat([]string{"small"}, 2000)},
		trial{name: "a message of 200 records", wire: frame(fin|binaryData, strings.Repeat(nopRecord, 199)+pingRecord), answers: 1},
	)
	play(t, all)
}
