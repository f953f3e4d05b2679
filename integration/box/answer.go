package box

import (
	"bytes"
	"compress/gzip"
	"io"
	"log"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

var quiet = log.New(io.Discard, "", 0)

// kept is an answer in the cache.
type kept struct {
	header http.Header
	body   []byte
}

// rewrite applies the habits to an answer.
func (b *Box) rewrite(resp *http.Response) error {
	h, r := b.habits, resp.Request
	if resp.StatusCode == http.StatusSwitchingProtocols || !strings.Contains(r.URL.Path, "/session/") {
		return nil
	}
	body := resp.Body
	if idle, ok := r.Context().Value(idleKey{}).(*time.Timer); ok {
		body = &watched{body, func() { idle.Reset(h.CutIdle) }}
	}
	if h.EndIdle > 0 {
		body = newEnding(body, h.EndIdle, func() { b.did("end") })
	}
	if h.Cache && r.Method == http.MethodGet && resp.StatusCode == http.StatusOK {
		body = &keeping{ReadCloser: body, done: func(whole []byte) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.cache[r.URL.RequestURI()] = &kept{resp.Header.Clone(), whole}
		}}
	}
	if h.Hold > 0 || h.HoldAll {
		body = &held{ReadCloser: body, all: h.HoldAll, least: h.Hold, did: func() { b.did("hold") }}
	}
	if h.Charset {
		b.did("charset")
		plain, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
		resp.Header.Set("Content-Type", plain+"; charset=utf-8")
	}
	if h.Gzip && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		b.did("gzip")
		resp.Header.Set("Content-Encoding", "gzip")
		resp.Header.Del("Content-Length")
		resp.ContentLength = -1
		body = compress(body)
	}
	resp.Body = body
	return nil
}

// fromCache answers a GET if it has been answered before.
func (b *Box) fromCache(w http.ResponseWriter, r *http.Request) bool {
	b.mu.Lock()
	k := b.cache[r.URL.RequestURI()]
	b.mu.Unlock()
	if k == nil {
		return false
	}
	b.did("cache")
	for name, values := range k.header {
		w.Header()[name] = values
	}
	_, _ = w.Write(k.body)
	return true
}

// watched calls heard for each piece that arrives.
type watched struct {
	io.ReadCloser
	heard func()
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if n > 0 {
		w.heard()
	}
	return n, err
}

// ending ends when it was silent for a while.
type ending struct {
	io.ReadCloser
	idle  time.Duration
	timer *time.Timer
	over  atomic.Bool
}

func newEnding(body io.ReadCloser, idle time.Duration, did func()) *ending {
	e := &ending{ReadCloser: body, idle: idle}
	e.timer = time.AfterFunc(idle, func() { // wakes Read
		e.over.Store(true)
		did()
		_ = body.Close()
	})
	return e
}

func (e *ending) Read(p []byte) (int, error) {
	n, err := e.ReadCloser.Read(p)
	switch {
	case e.over.Load():
		return n, io.EOF
	case err != nil:
		e.timer.Stop()
	default:
		e.timer.Reset(e.idle)
	}
	return n, err
}

func (e *ending) Close() error {
	e.timer.Stop()
	return e.ReadCloser.Close()
}

// keeping hands over the whole body when its end was read.
type keeping struct {
	io.ReadCloser
	seen []byte
	done func([]byte)
}

func (k *keeping) Read(p []byte) (int, error) {
	n, err := k.ReadCloser.Read(p)
	k.seen = append(k.seen, p[:n]...)
	if err == io.EOF && k.done != nil {
		k.done(k.seen)
		k.done = nil
	}
	return n, err
}

// held gives nothing until there are enough bytes, or the end.
type held struct {
	io.ReadCloser
	all   bool
	least int
	did   func()

	ready bytes.Buffer
	err   error
}

func (h *held) Read(p []byte) (int, error) {
	if h.ready.Len() == 0 && h.err == nil {
		buf := make([]byte, 32<<10)
		for h.err == nil && (h.all || h.ready.Len() < h.least) {
			var n int
			n, h.err = h.ReadCloser.Read(buf)
			h.ready.Write(buf[:n])
			if n > 0 && h.err == nil {
				h.did()
			}
		}
	}
	if h.ready.Len() > 0 {
		return h.ready.Read(p)
	}
	return 0, h.err
}

// compress makes gzip of a body, piece by piece as it comes. Its goroutine ends with the
// body, or when the result is closed.
func compress(body io.ReadCloser) io.ReadCloser {
	out, in := io.Pipe()
	go func() {
		defer body.Close()
		z := gzip.NewWriter(in)
		p := make([]byte, 32<<10)
		for {
			n, err := body.Read(p)
			if n > 0 {
				if _, err := z.Write(p[:n]); err != nil {
					return
				}
				if err := z.Flush(); err != nil {
					return
				}
			}
			if err == io.EOF {
				_ = in.CloseWithError(z.Close())
				return
			}
			if err != nil {
				_ = in.CloseWithError(err)
				return
			}
		}
	}()
	return out
}
