package csp_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"encke/csp"
)

// rightSides seeds a fuzz target with the wire side of a vector file.
func rightSides(f *testing.F, path string, decode func(string) []byte) {
	f.Helper()
	file, err := os.Open(path)
	if err != nil {
		f.Fatal(err)
	}
	defer file.Close()
	for sc := bufio.NewScanner(file); sc.Scan(); {
		if _, wire, ok := strings.Cut(sc.Text(), "\t"); ok {
			f.Add(decode(wire))
		}
	}
}

// What parses is written again as something that parses to the same; pieces of any
// size parse as the whole does.
func FuzzParse(f *testing.F) {
	rightSides(f, "testdata/records.txt", func(s string) []byte { p, _ := hex.DecodeString(s); return p })
	f.Fuzz(func(t *testing.T, src []byte) {
		var again []byte
		var ids []uint64
		next, err := csp.Parse(src, 1, func(r *csp.Record) error {
			if r.Kind == csp.Data || r.Kind == csp.End {
				if len(ids) == 0 || ids[len(ids)-1]+1 != r.ID {
					again = (&csp.Record{Kind: csp.Seq, ID: r.ID}).Append(again)
				}
				ids = append(ids, r.ID)
			}
			if len(r.Data) > len(src) || len(r.Text) > len(src) || len(r.Session) > len(src) {
				t.Fatal("a field is longer than the input")
			}
			again = r.Append(again)
			return nil
		})
		var d csp.Decoder
		var streamed []uint64
		derr := d.Feed((&csp.Record{Kind: csp.Seq, ID: 1}).Append(nil), func(*csp.Record) error { return nil })
		for i := 0; i < len(src) && derr == nil; i += 3 {
			derr = d.Feed(src[i:min(i+3, len(src))], func(r *csp.Record) error {
				if r.Kind == csp.Data || r.Kind == csp.End {
					streamed = append(streamed, r.ID)
				}
				return nil
			})
		}
		if err != nil {
			return
		}
		if derr != nil {
			t.Fatalf("%x parses whole but not in pieces: %v", src, derr)
		}
		if len(streamed) != len(ids) {
			t.Fatalf("%d packets whole, %d in pieces", len(ids), len(streamed))
		}
		var i int
		last, err := csp.Parse(again, 1, func(r *csp.Record) error {
			if r.Kind == csp.Data || r.Kind == csp.End {
				if r.ID != ids[i] {
					t.Fatalf("packet %d became %d", ids[i], r.ID)
				}
				i++
			}
			return nil
		})
		if err != nil || i != len(ids) {
			t.Fatalf("%x was written again as %x, which parses to %d of %d packets: %v", src, again, i, len(ids), err)
		}
		if len(ids) > 0 && last != ids[len(ids)-1]+1 && next != last {
			t.Fatalf("next id %d, then %d", next, last)
		}
	})
}

// What parses as text is written in binary and parses to the same.
func FuzzParseText(f *testing.F) {
	rightSides(f, "testdata/batches.txt", func(s string) []byte { return []byte(s) })
	f.Add([]byte("[[1,1,\"AA==\"]]"))
	f.Add([]byte(strings.Repeat("[", 10_000)))
	f.Fuzz(func(t *testing.T, src []byte) {
		_ = csp.ParseText(src, func(r *csp.Record) error {
			if len(r.Data) > len(src) || len(r.Text) > 3*len(src) {
				t.Fatalf("%d bytes of data and %d of text out of %d", len(r.Data), len(r.Text), len(src))
			}
			first := r.ID
			if r.Kind != csp.Data && r.Kind != csp.End {
				first = 0
			}
			kind, data, text, session := r.Kind, bytes.Clone(r.Data), bytes.Clone(r.Text), bytes.Clone(r.Session)
			if r.Kind == csp.Data && r.ID > csp.MaxID {
				t.Fatalf("id %d", r.ID)
			}
			if _, err := csp.Parse(r.Append(nil), first, func(again *csp.Record) error {
				if again.Kind != kind || !bytes.Equal(again.Data, data) || !bytes.Equal(again.Text, text) || !bytes.Equal(again.Session, session) || first != 0 && again.ID != first {
					t.Fatalf("%q: %+v became %+v", src, r, again)
				}
				return nil
			}); err != nil {
				t.Fatalf("%q: %v", src, err)
			}
			return nil
		})
	})
}
