package wsframes

import (
	"fmt"
	"slices"
	"testing"
)

// fragments returns a message in fragments of size bytes.
func fragments(opcode byte, message string, size int) []byte {
	var wire []byte
	for first := opcode; ; first = continuation {
		n := min(size, len(message))
		if n == len(message) {
			return append(wire, frame(fin|first, message)...)
		}
		wire = append(wire, frame(first, message[:n])...)
		message = message[n:]
	}
}

// Messages in fragments arrive whole or not at all.
func TestFragmentation(t *testing.T) {
	data := pattern(300)
	message := forSocket(data)
	var all []trial
	for _, size := range []int{1, 2, 3, 4, 7, 100, 125, 126, len(message) - 1} {
		for _, chop := range []int{0, 1, 64} {
			all = append(all, trial{name: fmt.Sprintf("fragments of %d in writes of %d", size, chop), wire: fragments(binaryData, message, size), chop: chop, echo: []string{data}})
		}
		count := (len(message) - 1) / size
		pings := min(count, 90)
		all = append(all, trial{
			name:  fmt.Sprintf("pings between the first fragments of %d", size),
			wire:  pinged(message, size, pings),
			pongs: slices.Repeat([]string{"between"}, pings), echo: []string{data},
		})
	}
	empty := frame(continuation, "")
	all = append(all,
		trial{name: "empty fragments around", wire: slices.Concat(frame(binaryData, ""), frame(continuation, message), frame(fin|continuation, "")), echo: []string{data}},
		trial{name: "all fragments empty", wire: slices.Concat(frame(binaryData, ""), empty, frame(fin|continuation, ""))},
		trial{name: "4096 frames", wire: slices.Concat(frame(binaryData, message), slices.Repeat(empty, 4094), frame(fin|continuation, "")), echo: []string{data}},
		trial{name: "4097 frames", wire: slices.Concat(frame(binaryData, message), slices.Repeat(empty, 4095), frame(fin|continuation, "")), code: 1008},
		trial{name: "empty fragments without end", wire: slices.Concat(frame(binaryData, ""), slices.Repeat(empty, 100_000)), code: 1008},
		trial{name: "4096 frames, twice", wire: slices.Repeat(slices.Concat(frame(binaryData, message), slices.Repeat(empty, 4094), frame(fin|continuation, "")), 2), echo: []string{data, data}},
		trial{name: "pong between fragments", wire: slices.Concat(frame(binaryData, message[:9]), frame(fin|pong, ""), frame(fin|continuation, message[9:])), echo: []string{data}},
		trial{name: "continuation of nothing", wire: frame(fin|continuation, message), code: 1002},
		trial{name: "continuation of nothing, not the last", wire: frame(continuation, message), code: 1002},
		trial{name: "empty continuation of nothing", wire: frame(fin|continuation, ""), code: 1002},
		trial{name: "continuation behind a whole message", wire: slices.Concat(frame(fin|binaryData, message), frame(fin|continuation, message)), code: 1002, echo: []string{data}},
		trial{name: "continuation behind two fragments", wire: slices.Concat(fragments(binaryData, message, 200), frame(continuation, "x")), code: 1002, echo: []string{data}},
		trial{name: "message inside a message", wire: slices.Concat(frame(binaryData, message[:9]), frame(fin|binaryData, message)), code: 1002},
		trial{name: "text inside a message", wire: slices.Concat(frame(binaryData, message[:9]), frame(fin|text, "x")), code: 1002},
		trial{name: "fragment inside a message", wire: slices.Concat(frame(binaryData, message[:9]), frame(binaryData, message[9:])), code: 1002},
		trial{name: "message inside a message, a byte at a time", wire: slices.Concat(frame(binaryData, message[:9]), frame(fin|binaryData, message)), chop: 1, code: 1002},
		trial{name: "close inside a message", wire: slices.Concat(frame(binaryData, message[:9]), frame(fin|closing, "\x03\xe8")), code: 1000},
		trial{name: "fragmented pong inside a message", wire: slices.Concat(frame(binaryData, message[:9]), frame(pong, ""), frame(fin|continuation, message[9:])), code: 1002},
		trial{name: "two messages in fragments", wire: slices.Repeat(fragments(binaryData, message, 50), 2), echo: []string{data, data}},
	)
	play(t, all)
}

// pinged returns message in fragments with a ping behind each of the first n.
func pinged(message string, size, n int) []byte {
	var wire []byte
	first := byte(binaryData)
	for range n {
		wire = append(append(wire, frame(first, message[:size])...), frame(fin|ping, "between")...)
		message, first = message[size:], continuation
	}
	return append(wire, frame(fin|first, message)...)
}
