package legacy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// both are the two kinds of frames.
var both = []Frames{{Mark: ':'}, {Mark: ',', Comma: true}}

// feed feeds pieces to a fresh Frames and returns what came out, the pieces of a frame
// together, and the error.
func feed(d Frames, pieces ...string) ([]string, error) {
	var all []string
	var data []byte
	for _, p := range pieces {
		err := d.Feed([]byte(p), func(f Frame) error {
			data = append(data, f.Data...)
			if f.Last {
				all = append(all, fmt.Sprintf("%d %c %s", f.ID, f.Type, data))
				data = nil
			}
			return nil
		})
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

func TestFramesRefused(t *testing.T) {
	for _, c := range []struct {
		kind int
		in   string
	}{
		{0, "x"}, {0, ":1,0"}, {0, "-1:1,0"}, {0, "12345678:"}, {0, "3,1,0"}, {0, "3:,00"}, {0, "3:1:0"}, {0, "3:1,x"},
		{0, "2:1,0"}, {0, "0:1"}, {0, "14:12345678901,0"}, {0, "4: 1,0"}, {0, "3 :1,0"},
		{1, "3,0,00"}, {1, "4:0,0,"}, {1, "3,0,0,"}, {1, "4,0,0x"},
	} {
		if got, err := feed(both[c.kind], c.in); err == nil {
			t.Errorf("%q is taken for %q", c.in, got)
		}
	}
}

func TestFramesCutAnywhere(t *testing.T) {
	for _, d := range both {
		whole := d.NewFrame(1, '0', []byte("b.test,7")...)
		whole = append(whole, d.NewFrame(2, '2')...)
		whole = append(whole, d.NewFrame(1234567890, '2', []byte("data, 12:3,4")...)...)
		want := []string{"1 0 b.test,7", "2 2 ", "1234567890 2 data, 12:3,4"}
		for at := range whole {
			got, err := feed(d, string(whole[:at]), string(whole[at:]))
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("cut at %d: %q, %v, want %q", at, got, err, want)
			}
		}
	}
}

// FuzzFrames: what comes out does not depend on the cuts, and what went out comes in again.
func FuzzFrames(f *testing.F) {
	for _, seed := range []string{"14:1,0b.test,99999:1,2hello\n3:1,1", "4,0,0,10,0,2,hello\n4,0,1,", "99999999", "3:1,"} {
		f.Add([]byte(seed), 3)
	}
	f.Fuzz(func(t *testing.T, in []byte, at int) {
		at = min(max(at, 0), len(in))
		for _, d := range both {
			one, err1 := feed(d, string(in))
			two, err2 := feed(d, string(in[:at]), string(in[at:]))
			if !slices.Equal(one, two) || (err1 == nil) != (err2 == nil) {
				t.Errorf("%q whole: %q, %v; cut at %d: %q, %v", in, one, err1, at, two, err2)
			}
			again, err := feed(d, string(d.NewFrame(uint64(at), '2', in...)))
			if err != nil || len(again) != 1 || !strings.HasSuffix(again[0], string(in)) {
				t.Errorf("a frame of %q became %q, %v", in, again, err)
			}
		}
	})
}
