package csp

import (
	"encoding/base64"
	"math/rand/v2"
	"strconv"
	"testing"
)

func TestBase64(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 300 {
		p := make([]byte, n)
		for i := range p {
			p[i] = byte(r.Uint32())
		}
		dst := append(make([]byte, 0, r.IntN(500)), "before"...)
		if got, want := string(appendBase64(dst, p)), "before"+base64.RawURLEncoding.EncodeToString(p); got != want {
			t.Fatalf("%d bytes: %q, want %q", n, got, want)
		}
	}
}

func TestBase64IsTakenAsClientsWriteIt(t *testing.T) {
	for in, want := range map[string]string{
		"AAH7_w": "\x00\x01\xfb\xff", "AAH7_w==": "\x00\x01\xfb\xff", "AAH7/w": "\x00\x01\xfb\xff", "AAH7/w==": "\x00\x01\xfb\xff",
		"+_-/": "\xfb\xff\xbf", "": "",
		"A": "error", "AA=": "error", "AAH7_w=": "error", "A===": "error", "AAH7_w==AA": "error", "AB": "error", "A*AA": "error", `AAH7\n`: "error", `AA\r\nH7`: "error",
	} {
		got := ""
		if err := ParseText([]byte(`[[1,1,"`+in+`"]]`), func(r *Record) error { got = string(r.Data); return nil }); err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func BenchmarkBase64(b *testing.B) {
	for _, n := range []int{64, 32 << 10} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			p := make([]byte, n)
			for i := range p {
				p[i] = byte(i)
			}
			dst := make([]byte, 0, 64<<10)
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				appendBase64(dst, p)
			}
		})
	}
}

func BenchmarkBase64OfTheLibrary(b *testing.B) {
	p := make([]byte, 32<<10)
	dst := make([]byte, 0, 64<<10)
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		base64.RawURLEncoding.AppendEncode(dst, p)
	}
}
