package logline_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"encke/cmd/encke/logline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		h := logline.NewHandler(slog.NewTextHandler(&out, nil), logline.Options{Rate: 10})
		log := slog.New(h)
		for range 1000 {
			log.Warn("refused")
		}
		log.With("session", "x").Info("socket ended") // not crowded out
		if n := strings.Count(out.String(), "msg=refused"); n != 50 {
			t.Errorf("%d of 1000 lines at once, want 50", n)
		}
		if !strings.Contains(out.String(), "socket ended") {
			t.Error("lines of one kind crowd out those of another")
		}
		out.Reset()
		time.Sleep(time.Second)
		for range 1000 {
			log.WithGroup("g").Warn("refused")
		}
		if n := strings.Count(out.String(), "msg=refused"); n != 10 || !strings.Contains(out.String(), "dropped=950\n") {
			t.Errorf("%d lines after a second, want 10, the first with dropped=950:\n%s", n, out.String())
		}
		if h.Dropped() != 950+990 {
			t.Errorf("%d counted as dropped, want 1940", h.Dropped())
		}
		for i := range 10_000 { // messages that are not constant have no more than their share
			log.Info(fmt.Sprint(i))
		}
		if n := strings.Count(out.String(), "\n"); n > 1000 {
			t.Errorf("%d lines", n)
		}
	})
}

// No text makes a line long, or another line; a stack is whole.
func TestTexts(t *testing.T) {
	long := strings.Repeat("a", 300)
	forged := "x\nlevel=ERROR msg=forged\r\x1b[2J"
	for name, make := range map[string]func(io.Writer) slog.Handler{
		"text": func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) },
		"json": func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) },
	} {
		var out bytes.Buffer
		log := slog.New(logline.NewHandler(make(&out), logline.Options{}))
		log.Warn(long, "a", long, "b", errors.New(long), "c", forged, slog.Group("g", "d", long), "stack", long)
		log.With("e", long, "f", forged).Info("x")
		s := out.String()
		if strings.Count(s, "\n") != 2 || strings.ContainsAny(s, "\r\x1b") {
			t.Errorf("%s: a text made a line of its own: %q", name, s)
		}
		if strings.Count(s, long[:256]) != 6 || strings.Count(s, long[:257]) != 1 {
			t.Errorf("%s: texts are not cut at 256 bytes: %s", name, s)
		}
		if name == "json" {
			for line := range strings.Lines(s) {
				if !json.Valid([]byte(line)) {
					t.Errorf("not JSON: %q", line)
				}
			}
		}
	}
}

// Who does not read the log does not stop whoever writes it.
func TestWriterDoesNotWait(t *testing.T) {
	r, pipe := io.Pipe()
	w := logline.NewWriter(pipe)
	h := logline.NewHandler(slog.NewTextHandler(w, nil), logline.Options{Rate: -1, Writer: w})
	log := slog.New(h)
	const n = 100_000
	for range n {
		log.Info("nobody reads this")
	}
	dropped := h.Dropped()
	if dropped == 0 || dropped == n {
		t.Errorf("%d of %d lines dropped, want some", dropped, n)
	}
	read := make(chan int)
	go func() {
		all, _ := io.ReadAll(r)
		read <- strings.Count(string(all), "\n")
	}()
	w.Close()
	pipe.Close()
	if got := <-read; got+int(h.Dropped()) != n {
		t.Errorf("%d lines came, %d were dropped, of %d", got, h.Dropped(), n)
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestLinesThatCannotBeWritten(t *testing.T) {
	w := logline.NewWriter(full{})
	log := slog.New(slog.NewTextHandler(w, nil))
	for range 10 {
		log.Info("x")
	}
	w.Close()
	log.Info("behind the end")
	if w.Dropped() != 11 {
		t.Errorf("%d dropped, want 11", w.Dropped())
	}
}

// The line behind a gap tells of it.
func TestGapsAreTold(t *testing.T) {
	r, pipe := io.Pipe()
	w := logline.NewWriter(pipe)
	log := slog.New(logline.NewHandler(slog.NewTextHandler(w, nil), logline.Options{Rate: -1, Writer: w}))
	for w.Dropped() == 0 {
		log.Info("nobody reads this")
	}
	all := make(chan string)
	p := make([]byte, 1<<20)
	for n := 0; n < 300<<10; { // all that was kept, and a little more for sure
		k, err := r.Read(p)
		if err != nil {
			t.Fatal(err)
		}
		if n += k; n > 200<<10 {
			break
		}
	}
	log.Info("after the gap")
	go func() {
		rest, _ := io.ReadAll(r)
		all <- string(rest)
	}()
	w.Close()
	pipe.Close()
	if s := <-all; !strings.Contains(s, `msg="after the gap" dropped=`) {
		t.Errorf("the gap is not told of: %.300q", s[max(0, len(s)-300):])
	}
}
