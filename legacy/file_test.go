package legacy

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-multierror"
)

// A file that has changed is read again, once; while it is bad or away, what it had stays, and
// the log says so once.
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
	reads := 0
	r, err := NewReread([]string{name}, func() (got string, err error) {
		reads++
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
		{"bad", func() { write("bad") }, "two", 3, "level=ERROR msg=\"a file has changed and is not used\" error=\"--words NAME: line 1: a bad word\" more=1\n"},
		{"away", func() { os.Remove(name) }, "two", 4, "level=ERROR msg=\"a file has changed and is not used\" error=\"--words: open NAME: no such file or directory\"\n"},
		{"back", func() { write("three") }, "three", 5, "level=INFO msg=\"read again\" files=[NAME]\n"},
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
