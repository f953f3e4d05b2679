package tcpsocket

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// What parses is written again as the same bytes, however it was cut, apart from
// numbers that were not written in their shortest form.
func FuzzFrames(f *testing.F) {
	src, err := os.ReadFile("testdata/frames.txt")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(src)) {
		if _, wire, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			p, _ := hex.DecodeString(wire)
			f.Add(p, byte(3))
		}
	}
	f.Fuzz(func(t *testing.T, wire []byte, size byte) {
		whole, err := frames(wire, len(wire)+1)
		pieces, perr := frames(wire, int(size)+1)
		if (err == nil) != (perr == nil) {
			t.Fatalf("%x: %v whole, %v in pieces of %d", wire, err, perr, int(size)+1)
		}
		if !bytes.Equal(whole, pieces) {
			t.Fatalf("%x: %x whole, %x in pieces of %d", wire, whole, pieces, int(size)+1)
		}
		again, err := frames(whole, len(whole)+1)
		if err != nil || !bytes.Equal(again, whole) {
			t.Fatalf("%x was written as %x and that as %x (%v)", wire, whole, again, err)
		}
	})
}

// frames parses wire in pieces and writes what it finds again, a frame for each
// byte of data.
func frames(wire []byte, size int) ([]byte, error) {
	var p parser
	var f Frame
	var out []byte
	for len(wire) > 0 {
		n := min(size, len(wire))
		err := p.feed(wire[:n], &f, func(f *Frame) error {
			if f.Type != Data {
				out = f.Append(out)
				return nil
			}
			for _, b := range f.Data {
				out = (&Frame{Type: Data, Socket: f.Socket, Data: []byte{b}}).Append(out)
			}
			return nil
		})
		if err != nil {
			return out, err
		}
		wire = wire[n:]
	}
	return out, nil
}
