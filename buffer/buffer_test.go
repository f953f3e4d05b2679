package buffer_test

import (
	"bytes"
	"testing"

	"encke/buffer"
)

func TestContentSurvivesFraming(t *testing.T) {
	for _, n := range []int{0, 1, 200, 232, 233, 2000, 5000, 40000, buffer.Max, buffer.Max + 1, 1 << 20} {
		b := buffer.Get(n)
		if len(b.Room()) < n {
			t.Fatalf("Get(%d): room for %d bytes", n, len(b.Room()))
		}
		want := bytes.Repeat([]byte{0xa5}, n)
		b.Append(want)
		b.Prepend([]byte("head"))
		if got := b.Bytes(); !bytes.Equal(got, append([]byte("head"), want...)) {
			t.Fatalf("Get(%d): content of %d bytes differs", n, len(got))
		}
		b.Trim(4)
		b = b.Fit()
		if !bytes.Equal(b.Bytes(), want) {
			t.Fatalf("Fit changed the content of %d bytes", n)
		}
		b.Release()
	}
}

func TestFitGivesBackLargeArrays(t *testing.T) {
	b := buffer.Get(buffer.Max)
	b.Append([]byte("short"))
	b = b.Fit()
	if len(b.Room()) > 512 {
		t.Errorf("a 5 byte message keeps %d bytes of room", len(b.Room()))
	}
	if string(b.Bytes()) != "short" {
		t.Errorf("content is %q", b.Bytes())
	}
}

func TestFitKeepsAFullBufferWithItsHeaders(t *testing.T) {
	b := buffer.Get(buffer.Max)
	b.Extend(buffer.Max)
	b.Prepend(make([]byte, buffer.Headroom))
	if b.Fit() != b {
		t.Error("a full buffer with headers was copied to a larger one")
	}
}

func TestTruncateKeepsTheFront(t *testing.T) {
	b := buffer.Copy([]byte("header and more"))
	b.Trim(7)
	b.Truncate(3)
	if string(b.Bytes()) != "and" {
		t.Errorf("content is %q, want %q", b.Bytes(), "and")
	}
	b.Append([]byte("!"))
	if string(b.Bytes()) != "and!" {
		t.Errorf("content after Append is %q, want %q", b.Bytes(), "and!")
	}
}

func TestMisusePanics(t *testing.T) {
	for name, f := range map[string]func(b *buffer.Buffer){
		"release twice":          func(b *buffer.Buffer) { b.Release(); b.Release() },
		"prepend past headroom":  func(b *buffer.Buffer) { b.Prepend(make([]byte, buffer.Headroom+1)) },
		"trim more than content": func(b *buffer.Buffer) { b.Trim(1) },
		"truncate beyond it":     func(b *buffer.Buffer) { b.Truncate(1) },
		"extend past the end":    func(b *buffer.Buffer) { b.Extend(len(b.Room()) + 1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f(buffer.Get(buffer.Max + 1))
		}()
	}
}
