package legacy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-multierror"
)

// A file that has changed is read again, once; while it is bad, away or not ours to read, what
// it had stays, and the log says so once.
func TestReread(t *testing.T) {
	name := filepath.Join(t.TempDir(), "words")
	times := time.Now()
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		times = times.Add(time.Second) // whatever the file system's clock does
		if err := os.Chtimes(name, times, times); err != nil {
			t.Fatal(err)
		}
	}
	write("one")
	reads, denied := 0, false
	r, err := NewReread([]string{name}, func() (got string, err error) {
		reads++
		if denied {
			return "", fs.ErrPermission
		}
		err = ReadFile("words", name, func(r io.Reader) error {
			text, err := io.ReadAll(r)
			got = string(text)
			if strings.Contains(got, "bad") {
				return multierror.Append(nil, errors.New("line 1: a bad word"), errors.New("line 2: another"))
			}
			return err
		})
		return got, err
	})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	for _, c := range []struct {
		name   string
		change func()
		want   string
		reads  int
		says   string
	}{
		{"as it was", func() {}, "one", 1, ""},
		{"changed", func() { write("two") }, "two", 2, "level=INFO msg=\"read again\" files=[NAME]\n"},
		{"bad", func() { write("bad") }, "two", 5, "level=ERROR msg=\"a file has changed and is not used\" error=\"--words NAME: line 1: a bad word\" more=1\n"},
		{"away", func() { os.Remove(name) }, "two", 8, "level=ERROR msg=\"a file has changed and is not used\" error=\"--words: open NAME: no such file or directory\" more=0\n"},
		{"back", func() { write("three") }, "three", 9, "level=INFO msg=\"read again\" files=[NAME]\n"},
		{"not ours", func() { write("four"); denied = true }, "three", 12, "level=ERROR msg=\"a file has changed and is not used\" error=\"permission denied\" more=0\n"},
		{"ours", func() { denied = false }, "four", 13, "level=INFO msg=\"read again\" files=[NAME]\n"},
		{"another of the same size and time", func() {
			other := name + ".new"
			err := os.WriteFile(other, []byte("five"), 0o600)
			if err = errors.Join(err, os.Chtimes(other, times, times), os.Rename(other, name)); err != nil {
				t.Fatal(err)
			}
		}, "five", 14, "level=INFO msg=\"read again\" files=[NAME]\n"},
	} {
		c.change()
		for range 3 {
			if got := r.Value(logger); got != c.want {
				t.Errorf("%s: %q, want %q", c.name, got, c.want)
			}
		}
		if reads != c.reads {
			t.Errorf("%s: it was read %d times, want %d", c.name, reads, c.reads)
		}
		if got := strings.ReplaceAll(log.String(), name, "NAME"); got != c.says {
			t.Errorf("%s: the log says\n%s\nwant\n%s", c.name, got, c.says)
		}
		log.Reset()
	}
}

// A pipe is read at the start only: its end is not a file without anything.
func TestPipeIsNotReread(t *testing.T) {
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to.WriteString("one")
	name := fmt.Sprintf("/dev/fd/%d", from.Fd())
	r, err := NewReread([]string{name}, func() (got string, err error) {
		b := make([]byte, 10)
		n, _ := from.Read(b)
		return string(b[:n]), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	to.Close()
	if err := os.Chtimes(name, time.Unix(1, 0), time.Unix(1, 0)); err != nil { // as a write does
		t.Fatal(err)
	}
	if got := r.Value(slog.New(slog.DiscardHandler)); got != "one" {
		t.Errorf("%q, want one", got)
	}
}
