package wsframes

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"encke/cause"
	"encke/csp"
)

func closeFrame(code int, reason string) []byte {
	return frame(fin|closing, string(binary.BigEndian.AppendUint16(nil, uint16(code)))+reason)
}

// A close frame is answered with its own code; one in bad form with 1002.
func TestClosing(t *testing.T) {
	var all []trial
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4013, 4999} {
		for _, chop := range []int{0, 1} {
			all = append(all, trial{name: fmt.Sprintf("%d in writes of %d", code, chop), wire: closeFrame(code, "bye"), chop: chop, code: code})
		}
	}
	for _, code := range []int{0, 1, 500, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 5001, 32768, 65535} {
		for _, reason := range []string{"", "bye"} {
			all = append(all, trial{name: fmt.Sprintf("%d, which is none, with %q", code, reason), wire: closeFrame(code, reason), code: 1002})
		}
	}
	for i, s := range valid {
		if len(s) <= 123 {
			all = append(all, trial{name: fmt.Sprintf("valid reason %d", i), wire: closeFrame(1000, s), code: 1000})
		}
	}
	for i, s := range invalid {
		if len(s) <= 123 {
			all = append(all,
				trial{name: fmt.Sprintf("invalid reason %d", i), wire: closeFrame(1000, s), code: 1007},
				trial{name: fmt.Sprintf("invalid reason %d a byte at a time", i), wire: closeFrame(1000, s), chop: 1, code: 1007},
			)
		}
	}
	message := frame(fin|binaryData, forSocket("kept"))
	late := frame(fin|binaryData, forSocket("not"))
	all = append(all,
		trial{name: "no code", wire: frame(fin|closing, ""), silent: true},
		trial{name: "half a code", wire: frame(fin|closing, "\x03"), code: 1002},
		trial{name: "reason of 123 bytes", wire: closeFrame(1000, strings.Repeat("*", 123)), code: 1000},
		trial{name: "reason of 124 bytes", wire: closeFrame(1000, strings.Repeat("*", 124)), code: 1002},
		trial{name: "reason of 1000 bytes", wire: closeFrame(1000, strings.Repeat("\xff", 1000)), code: 1002},
		trial{name: "fragment", wire: frame(closing, "\x03\xe8"), code: 1002},
		trial{name: "behind a message", wire: slices.Concat(message, closeFrame(1001, "")), code: 1001, echo: []string{"kept"}},
		trial{name: "message behind", wire: slices.Concat(closeFrame(1000, ""), late), code: 1000},
		trial{name: "ping behind", wire: slices.Concat(closeFrame(1000, ""), frame(fin|ping, "late")), code: 1000},
		trial{name: "text behind", wire: slices.Concat(closeFrame(1000, ""), frame(fin|text, "\xff")), code: 1000},
		trial{name: "nonsense behind", wire: slices.Concat(closeFrame(1000, ""), slices.Repeat([]byte{0xff}, 5000)), code: 1000},
		trial{name: "a megabyte behind", wire: slices.Concat(closeFrame(1000, ""), make([]byte, 1<<20)), code: 1000},
		trial{name: "twice", wire: slices.Concat(closeFrame(1000, ""), closeFrame(1001, "")), code: 1000},
		trial{name: "behind a ping", wire: slices.Concat(frame(fin|ping, "p"), closeFrame(1000, "")), pongs: []string{"p"}, code: 1000},
		trial{name: "masked with nought", wire: append([]byte{fin | closing, 0x82, 0, 0, 0, 0}, 0x03, 0xe8), code: 1000},
	)
	play(t, all)
}

// When the session ends, the WebSocket is closed with 4000 and its cause, behind a
// CLOSE record. What is wrong with records is the session's end.
func TestCauses(t *testing.T) {
	code := func(c cause.Code) int { return 4000 + int(c) }
	say := func(records ...string) []byte { return frame(fin|binaryData, strings.Join(records, "")) }
	var all []trial
	for _, c := range []cause.Code{cause.Closed, cause.Denied, cause.Reset, cause.Limit, cause.GoingAway, cause.SessionLost, cause.ProtocolError, cause.Internal} {
		all = append(all, trial{name: "the client closes the session: " + c.String(), wire: say(record(csp.Record{Kind: csp.Close, Cause: uint64(c)})), code: code(c), over: true})
	}
	for name, records := range map[string]string{
		"unknown record":               "\x7f",
		"second NEW":                   newRecord(),
		"RESUME behind NEW":            record(csp.Record{Kind: csp.Resume, Session: []byte("n0.x")}),
		"WELCOME from a client":        record(csp.Record{Kind: csp.Welcome, Session: []byte("n0.x")}),
		"truncated DATA":               "\x05\x09x",
		"record cut by the message":    "\x05",
		"acknowledgement of nothing":   record(csp.Record{Kind: csp.Ack, ID: 1 << 40}),
		"packet 0":                     record(csp.Record{Kind: csp.Seq}),
		"number above 2^53-1":          "\x07\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
		"frame of an unknown type":     record(csp.Record{Kind: csp.Data, Data: []byte{0x7f, 1}}),
		"OPEN with a used number":      record(csp.Record{Kind: csp.Data, Data: []byte("\x01\x01\x00\x50\x01a\x00")}),
		"packets too far above a gap":  record(csp.Record{Kind: csp.Seq, ID: 1000}) + strings.Repeat(record(csp.Record{Kind: csp.Data, Data: []byte("x")}), 65),
		"DATA larger than the message": "\x05\xff\xff\x3f",
	} {
		all = append(all, trial{name: name, wire: say(records), code: code(cause.ProtocolError), over: true})
	}
	all = append(all,
		trial{name: "1000 packets in a message", wire: say(strings.Repeat(forSocket("x"), 1000)), echo: slices.Repeat([]string{"x"}, 1000)},
		trial{name: "1001 packets in a message", wire: say(strings.Repeat(forSocket("x"), 1001)), code: code(cause.Limit), over: true},
	)
	play(t, all)
}
