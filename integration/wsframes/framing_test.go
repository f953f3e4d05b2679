package wsframes

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Lengths, masks, and where a frame is cut into writes.
func TestFraming(t *testing.T) {
	var all []trial
	for _, size := range []int{1, 2, 124, 125, 126, 127, 128, 255, 256, 4095, 4096, 16 << 10, 65534, 65535, 65536, 65537, 128 << 10, 256 << 10} {
		for _, chop := range []int{0, 1, 2, 3, 997, 4096} {
			if size > 4096 && chop > 0 && chop < 997 {
				continue
			}
			all = append(all, trial{name: fmt.Sprintf("%d bytes in writes of %d", size, chop), wire: frame(fin|binaryData, asking(size)), chop: chop, answers: 1})
		}
	}
	for _, size := range []int{1, 100, 119, 120, 121, 1000, 16 << 10, 65535, 65536} {
		data := pattern(size)
		for _, chop := range []int{0, 5, 1460} {
			if size > 1000 && chop == 5 {
				continue
			}
			all = append(all, trial{name: fmt.Sprintf("echo of %d bytes in writes of %d", size, chop), wire: frame(fin|binaryData, forSocket(data)), chop: chop, echo: []string{data}})
		}
	}
	for i := range 8 {
		all = append(all, trial{name: fmt.Sprintf("echo under mask %d", i), wire: frame(fin|binaryData, forSocket(pattern(50+i))), echo: []string{pattern(50 + i)}})
	}
	all = append(all,
		trial{name: "empty message", wire: frame(fin|binaryData, "")},
		trial{name: "100 empty messages", wire: slices.Repeat(frame(fin|binaryData, ""), 100)},
		trial{name: "five messages in one write", wire: slices.Repeat(frame(fin|binaryData, pingRecord), 5), answers: 5},
		trial{name: "messages of many sizes", wire: slices.Concat(frame(fin|binaryData, forSocket("a")), frame(fin|binaryData, forSocket(strings.Repeat("b", 300))), frame(fin|binaryData, forSocket("c"))), echo: []string{"a", strings.Repeat("b", 300), "c"}},
	)
	for _, first := range []byte{fin | binaryData, fin | text, fin | ping, fin | pong, fin | closing, fin | continuation, binaryData} {
		for _, payload := range []string{"", pingRecord, strings.Repeat(nopRecord, 125)} {
			all = append(all, trial{name: fmt.Sprintf("no mask on %02x with %d bytes", first, len(payload)), wire: unmasked(first, payload), code: 1002})
		}
	}
	all = append(all, trial{name: "no mask behind a message", wire: slices.Concat(frame(fin|binaryData, forSocket("kept")), unmasked(fin|binaryData, forSocket("not"))), code: 1002, echo: []string{"kept"}})
	for _, first := range []byte{fin | binaryData, fin | text, fin | ping, fin | closing} {
		for _, size := range []int{0, 1, 125, 126, 65535} {
			wide := binary.BigEndian.AppendUint64([]byte{127}, uint64(size))
			all = append(all, trial{name: fmt.Sprintf("%02x with %d bytes and a length of 8", first, size), wire: masked(first, wide, strings.Repeat(nopRecord, size)), code: 1002})
			if size < 126 {
				narrow := binary.BigEndian.AppendUint16([]byte{126}, uint16(size))
				all = append(all, trial{name: fmt.Sprintf("%02x with %d bytes and a length of 2", first, size), wire: masked(first, narrow, strings.Repeat(nopRecord, size)), code: 1002})
			}
		}
	}
	for _, size := range []uint64{1 << 63, 1<<63 + 5, 1<<64 - 1} {
		all = append(all, trial{name: fmt.Sprintf("length of %x", size), wire: masked(fin|binaryData, binary.BigEndian.AppendUint64([]byte{127}, size), nopRecord), code: 1002})
	}
	play(t, all)
}

// pattern returns data that shows bytes in the wrong place.
func pattern(size int) string {
	p := make([]byte, size)
	for i := range p {
		p[i] = byte(i*7 + i>>8)
	}
	return string(p)
}
