package transports

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"encke/csp"
)

// wireFrame is a frame as a client sends it.
func wireFrame(first byte, mask uint32, payload []byte) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	b = binary.LittleEndian.AppendUint32(b, mask)
	at := len(b)
	b = append(b, payload...)
	for i := range payload {
		b[at+i] ^= b[at-4+i%4]
	}
	return b
}

// readFrames takes complete frames apart: their first bytes and unmasked payload.
func readFrames(t *testing.T, p []byte) (first []byte, payload [][]byte) {
	t.Helper()
	for len(p) > 0 {
		f, ok := parseFrame(p)
		if !ok || uint64(len(p)) < uint64(f.head)+f.size {
			t.Fatalf("%d bytes of no whole frame at the end", len(p))
		}
		body := bytes.Clone(p[f.head : f.head+int(f.size)])
		for i := range body {
			body[i] ^= byte(f.mask >> (8 * (i % 4)))
		}
		first, payload = append(first, p[0]), append(payload, body)
		p = p[f.head+int(f.size):]
	}
	return first, payload
}

func dataRecord(n int) []byte {
	return (&csp.Record{Kind: csp.Data, Data: bytes.Repeat([]byte{byte(n)}, n)}).Append(nil)
}

func TestMergeMakesOneMessageOfSmallOnes(t *testing.T) {
	var wire, want []byte
	for n := range 300 {
		wire = append(wire, wireFrame(binaryFrame, rand.Uint32(), dataRecord(n))...)
		want = append(want, dataRecord(n)...)
	}
	var m frameMerger
	_, got := readFrames(t, m.merge(wire))
	if len(got) != 1 || !bytes.Equal(got[0], want) {
		t.Errorf("300 messages became %d of %d bytes, want one of %d", len(got), len(bytes.Join(got, nil)), len(want))
	}
}

// What is not a message with one DATA record stays as it is, and where it is.
func TestMergeLeavesTheRest(t *testing.T) {
	data := dataRecord(3)
	for _, c := range []struct {
		name  string
		first byte
		body  []byte
	}{
		{"text", 0x81, data},
		{"ping", 0x89, data},
		{"close", 0x88, []byte{3, 232}},
		{"first fragment", 0x02, data},
		{"last fragment", 0x80, data},
		{"reserved bit", 0xc2, data},
		{"two records", binaryFrame, append(bytes.Clone(data), data...)},
		{"another record", binaryFrame, []byte{byte(csp.Ack), 1}},
		{"half a record", binaryFrame, data[:3]},
		{"nothing", binaryFrame, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			small := wireFrame(binaryFrame, 1, data)
			odd := wireFrame(c.first, 0x01020304, c.body)
			wire := bytes.Join([][]byte{small, small, odd, odd, small, small}, nil)
			var m frameMerger
			first, got := readFrames(t, m.merge(wire))
			twice := append(bytes.Clone(data), data...)
			want := [][]byte{twice, c.body, c.body, twice}
			if string(first) != string([]byte{binaryFrame, c.first, c.first, binaryFrame}) || !bytes.Equal(bytes.Join(got, nil), bytes.Join(want, nil)) || len(got) != 4 {
				t.Errorf("became % x with % x, want % x in the middle of two merged ones", first, got, c.body)
			}
		})
	}
}

func TestMergeStopsAtTheBoundOfPackets(t *testing.T) {
	wire := bytes.Repeat(wireFrame(binaryFrame, 7, dataRecord(1)), csp.MaxPackets+10)
	var m frameMerger
	_, got := readFrames(t, m.merge(wire))
	if len(got) != 2 || len(got[0]) != 3*csp.MaxPackets || len(got[1]) != 3*10 {
		t.Errorf("%d messages, want one of %d packets and one of 10", len(got), csp.MaxPackets)
	}
}

// Whatever the borders of what is read are, the payload comes out unchanged and in order.
func TestMergeOfAnyPieces(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		var wire, want []byte
		for range 50 {
			body := dataRecord([]int{0, 1, 64, 118, 123, 124, 125, 126, 127, 200, 3000, 70000}[r.IntN(12)])
			first := byte(binaryFrame)
			if r.IntN(6) == 0 {
				first, body = 0x89, []byte("ping")
			}
			wire = append(wire, wireFrame(first, r.Uint32(), body)...)
			want = append(want, body...)
		}
		var m frameMerger
		var out []byte
		for len(wire) > 0 {
			n := min(1+r.IntN(1<<r.IntN(17)), len(wire))
			piece := append(bytes.Clone(m.rest()), wire[:n]...)
			wire = wire[n:]
			out = append(out, m.merge(piece)...)
		}
		_, got := readFrames(t, out)
		if m.have > 0 || m.left > 0 || !bytes.Equal(bytes.Join(got, nil), want) {
			t.Fatalf("seed %d: %d bytes came out, want %d", seed, len(bytes.Join(got, nil)), len(want))
		}
	}
}

// FuzzMerge gives the guard and the merger what a client may send, in two pieces: what
// the guard lets pass has the same payload behind the merger.
func FuzzMerge(f *testing.F) {
	small := wireFrame(binaryFrame, 1, dataRecord(3))
	f.Add(bytes.Repeat(small, 3), 5)
	f.Add(append(wireFrame(0x89, 2, []byte("ping")), small...), 1)
	f.Add(append(bytes.Clone(small), binaryFrame, 1, 'x'), 9)
	f.Fuzz(func(t *testing.T, wire []byte, cut int) {
		if len(wire) == 0 || cut < 0 {
			return
		}
		var g frameGuard
		fine, _ := g.check(bytes.Clone(wire), 0)
		wire = wire[:fine]
		cut = min(cut, len(wire))
		var m frameMerger
		out := bytes.Clone(m.merge(bytes.Clone(wire[:cut])))
		out = append(out, m.merge(append(bytes.Clone(m.rest()), wire[cut:]...))...)
		if got, want := payloadOf(append(out, m.rest()...)), payloadOf(wire); !bytes.Equal(got, want) {
			t.Errorf("% x came out, want % x", got, want)
		}
	})
}

// payloadOf returns the unmasked payload of frames, of which the last may end early.
func payloadOf(p []byte) (all []byte) {
	for {
		f, ok := parseFrame(p)
		if !ok {
			return all
		}
		n := int(min(f.size, uint64(len(p)-f.head)))
		for i, b := range p[f.head : f.head+n] {
			all = append(all, b^byte(f.mask>>(8*(i%4))))
		}
		p = p[f.head+n:]
	}
}

// BenchmarkMerge is the way of a small message through the guard and the merger.
func BenchmarkMerge(b *testing.B) {
	wire := bytes.Repeat(wireFrame(binaryFrame, 0x01020304, dataRecord(67)), 800)
	var g frameGuard
	p := make([]byte, len(wire))
	b.ReportAllocs()
	for n := 0; n < b.N; n += 800 {
		copy(p, wire)
		if _, err := g.check(p, 0); err != nil {
			b.Fatal(err)
		}
		new(frameMerger).merge(p)
	}
}
