package tcpsocket

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the right-hand side of the vectors in testdata")

// vector is a frame as testdata writes it; static/client reads the same file.
type vector struct {
	Type    string   `json:"type"`
	Socket  uint64   `json:"socket"`
	Window  uint64   `json:"window"`
	Port    uint64   `json:"port"`
	Host    string   `json:"host"`
	Options [][2]any `json:"options"`
	Remote  string   `json:"remote"`
	Local   string   `json:"local"`
	Data    string   `json:"data"`
	N       uint64   `json:"n"`
	Cause   uint64   `json:"cause"`
	Text    string   `json:"text"`
	Retry   uint64   `json:"retry"`
}

var typeNames = map[string]Type{
	"OPEN": Open, "OPENED": Opened, "DATA": Data, "WINDOW": Window,
	"EOF": EOF, "CLOSE": Close, "RESET": Reset, "GOAWAY": GoAway,
}

func (v vector) frame(t *testing.T) Frame {
	t.Helper()
	typ, ok := typeNames[v.Type]
	if !ok {
		t.Fatalf("vector type %q", v.Type)
	}
	f := Frame{
		Type: typ, Socket: v.Socket, N: v.Window + v.N, Port: v.Port, Cause: v.Cause, Retry: v.Retry,
		Host: []byte(v.Host), Remote: []byte(v.Remote), Local: []byte(v.Local), Text: []byte(v.Text), Data: unhex(t, v.Data),
	}
	for _, o := range v.Options {
		f.Option = append(f.Option, Option{uint64(o[0].(float64)), unhex(t, o[1].(string))})
	}
	return f
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	p, err := hex.DecodeString(s)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return p
}

// describe makes frames comparable.
func describe(f Frame) string {
	var opts strings.Builder
	for _, o := range f.Option {
		fmt.Fprintf(&opts, " %d=%x", o.Key, o.Value)
	}
	return fmt.Sprintf("type %d socket %d n %d port %d host %q remote %q local %q data %x cause %d text %q retry %d options%s",
		f.Type, f.Socket, f.N, f.Port, f.Host, f.Remote, f.Local, f.Data, f.Cause, f.Text, f.Retry, opts.String())
}

func TestFrameVectors(t *testing.T) {
	const path = "testdata/frames.txt"
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out, stream strings.Builder
	var all []Frame
	for line := range strings.Lines(string(src)) {
		line = strings.TrimSuffix(line, "\n")
		left, right, isVector := strings.Cut(line, "\t")
		if !isVector || strings.HasPrefix(line, "#") {
			fmt.Fprintln(&out, line)
			continue
		}
		var v vector
		if err := json.Unmarshal([]byte(left), &v); err != nil {
			t.Fatalf("%s: %v", left, err)
		}
		f := v.frame(t)
		got := hex.EncodeToString(f.Append(nil))
		if *update {
			right = got
		}
		if got != right {
			t.Errorf("%s\n got %s\nwant %s", left, got, right)
		}
		fmt.Fprintf(&out, "%s\t%s\n", left, right)
		stream.WriteString(right)
		all = append(all, f)
	}
	if *update {
		if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// The whole file as one stream, cut into pieces of every size.
	wire := unhex(t, stream.String())
	for size := 1; size <= len(wire); size++ {
		got := collect(t, wire, size)
		if len(got) != len(all) {
			t.Fatalf("in pieces of %d: %d frames, want %d", size, len(got), len(all))
		}
		for i := range all {
			if g, w := describe(got[i]), describe(all[i]); g != w {
				t.Fatalf("in pieces of %d, frame %d:\n got %s\nwant %s", size, i, g, w)
			}
		}
	}
}

// collect parses wire in pieces of size and joins the pieces of Data frames.
func collect(t *testing.T, wire []byte, size int) []Frame {
	t.Helper()
	var p parser
	var f Frame
	var all []Frame
	more := false
	for len(wire) > 0 {
		n := min(size, len(wire))
		piece := append([]byte(nil), wire[:n]...)
		wire = wire[n:]
		err := p.feed(piece, &f, func(f *Frame) error {
			if f.Type == Data && more {
				last := &all[len(all)-1]
				last.Data = append(last.Data, f.Data...)
			} else {
				all = append(all, clone(f))
			}
			more = f.Type == Data && p.left > 0
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		clear(piece) // the parser must not keep it
	}
	return all
}

func clone(f *Frame) Frame {
	c := *f
	for _, p := range [...]*[]byte{&c.Host, &c.Remote, &c.Local, &c.Data, &c.Text} {
		*p = append([]byte(nil), *p...)
	}
	c.Option = nil
	for _, o := range f.Option {
		c.Option = append(c.Option, Option{o.Key, append([]byte(nil), o.Value...)})
	}
	return c
}

func TestMalformedFrames(t *testing.T) {
	for _, tt := range []struct{ name, wire string }{
		{"unknown type", "0901"},
		{"type 0", "0001"},
		{"empty data", "030100"},
		{"data of more than 1 MiB", "0301818040"},
		{"socket above 2^53-1", "05ffffffffffffff7f"},
		{"number of nine bytes", "05ffffffffffffffffff01"},
		{"host of more than a header", "010100018040"},
		{"five options", "01010001016105" + strings.Repeat("010100", 5)},
	} {
		var p parser
		var f Frame
		err := p.feed(unhex(t, tt.wire), &f, func(*Frame) error { return nil })
		if err == nil {
			t.Errorf("%s: %s was accepted", tt.name, tt.wire)
		}
	}
}

func TestHeaderWithoutEndIsBounded(t *testing.T) {
	var p parser
	var f Frame
	wire := append([]byte{byte(Reset), 1, 7, 0xff, 0x1f}, make([]byte, 2*maxHeader)...) // text of 4095 bytes
	var err error
	for i := 0; i < len(wire) && err == nil; i++ {
		err = p.feed(wire[i:i+1], &f, func(*Frame) error { return nil })
		if len(p.partial) > maxHeader {
			t.Fatalf("%d bytes are kept", len(p.partial))
		}
	}
	if err == nil {
		t.Error("a header of more than 4 KiB was accepted")
	}
}
