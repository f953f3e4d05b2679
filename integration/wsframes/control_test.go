package wsframes

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Pings are answered with their payload, in order; pongs that nobody asked for are
// ignored.
func TestPingsAndPongs(t *testing.T) {
	var all []trial
	for _, size := range []int{0, 1, 2, 4, 10, 63, 64, 124, 125} {
		for _, chop := range []int{0, 1, 7} {
			payload := pattern(size)
			all = append(all,
				trial{name: fmt.Sprintf("ping with %d bytes in writes of %d", size, chop), wire: frame(fin|ping, payload), chop: chop, pongs: []string{payload}},
				trial{name: fmt.Sprintf("pong with %d bytes in writes of %d", size, chop), wire: frame(fin|pong, payload), chop: chop},
			)
		}
	}
	for _, size := range []int{126, 127, 200, 65535, 65536} {
		for _, first := range []byte{ping, pong} {
			all = append(all, trial{name: fmt.Sprintf("%x with %d bytes", first, size), wire: frame(fin|first, strings.Repeat("x", size)), code: 1002})
		}
	}
	for _, first := range []byte{ping, pong} {
		for _, payload := range []string{"", "x"} {
			all = append(all,
				trial{name: fmt.Sprintf("fragment of %x with %d bytes", first, len(payload)), wire: frame(first, payload), code: 1002},
				trial{name: fmt.Sprintf("two fragments of %x with %d bytes", first, len(payload)), wire: slices.Concat(frame(first, payload), frame(fin|continuation, payload)), code: 1002},
			)
		}
	}
	var ten []byte
	var answers []string
	for i := range 10 {
		payload := fmt.Sprint("ping ", i)
		ten, answers = append(ten, frame(fin|ping, payload)...), append(answers, payload)
	}
	message := frame(fin|binaryData, forSocket("data"))
	all = append(all,
		trial{name: "ten pings", wire: ten, pongs: answers},
		trial{name: "ten pings a byte at a time", wire: ten, chop: 1, pongs: answers},
		trial{name: "pong, then ping", wire: slices.Concat(frame(fin|pong, "pong"), frame(fin|ping, "ping")), pongs: []string{"ping"}},
		trial{name: "ping between messages", wire: slices.Concat(message, frame(fin|ping, "p"), message), pongs: []string{"p"}, echo: []string{"data", "data"}},
		trial{name: "ping that is no text", wire: frame(fin|ping, "\xff\xfe\x00"), pongs: []string{"\xff\xfe\x00"}},
		trial{name: "ping that looks like a close frame", wire: frame(fin|ping, "\x03\xe8"), pongs: []string{"\x03\xe8"}},
		trial{name: "100 pings", wire: slices.Repeat(frame(fin|ping, ""), 100), pongs: slices.Repeat([]string{""}, 100)},
		trial{name: "100 pongs", wire: slices.Repeat(frame(fin|pong, "x"), 100)},
		trial{name: "pongs without end", wire: slices.Repeat(frame(fin|pong, "x"), 100_000), code: 1008},
	)
	play(t, all)
}

// Without an extension, a reserved bit on any frame is an error.
func TestReservedBits(t *testing.T) {
	var all []trial
	for bits := byte(rsv3); bits <= rsv1|rsv2|rsv3; bits += rsv3 {
		for _, first := range []byte{fin | binaryData, fin | text, fin | ping, fin | pong, fin | closing, fin | continuation, binaryData} {
			all = append(all, trial{name: fmt.Sprintf("%02x", bits|first), wire: frame(bits|first, pingRecord), code: 1002})
		}
		all = append(all,
			trial{name: fmt.Sprintf("%02x behind a message", bits|fin|binaryData), wire: slices.Concat(frame(fin|binaryData, forSocket("kept")), frame(bits|fin|binaryData, forSocket("not"))), code: 1002, echo: []string{"kept"}},
			trial{name: fmt.Sprintf("%02x in the second fragment", bits|fin|continuation), wire: slices.Concat(frame(binaryData, forSocket("not")), frame(bits|fin|continuation, "")), code: 1002},
			trial{name: fmt.Sprintf("%02x a byte at a time", bits|fin|ping), wire: frame(bits|fin|ping, "x"), chop: 1, code: 1002},
		)
	}
	play(t, all)
}

// Opcodes without a meaning are an error, wherever they come.
func TestOpcodes(t *testing.T) {
	var all []trial
	for _, opcode := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		all = append(all,
			trial{name: fmt.Sprintf("%x, empty", opcode), wire: frame(fin|opcode, ""), code: 1002},
			trial{name: fmt.Sprintf("%x with a payload", opcode), wire: frame(fin|opcode, pingRecord), code: 1002},
			trial{name: fmt.Sprintf("%x, a fragment", opcode), wire: frame(opcode, pingRecord), code: 1002},
			trial{name: fmt.Sprintf("%x behind a message", opcode), wire: slices.Concat(frame(fin|binaryData, forSocket("kept")), frame(fin|opcode, "x"), frame(fin|ping, "")), code: 1002, echo: []string{"kept"}},
			trial{name: fmt.Sprintf("%x in a message, a byte at a time", opcode), wire: slices.Concat(frame(binaryData, forSocket("not")), frame(fin|opcode, "x")), chop: 1, code: 1002},
		)
	}
	play(t, all)
}
