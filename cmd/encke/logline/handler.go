package logline

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// MaxText is how many bytes of a text are logged; stacks of panics are logged whole.
const MaxText = 256

// DefaultRate is how many lines of one kind are logged in a second.
const DefaultRate = 200

// Options are the settings of a Handler. The zero value is the recommended setting.
type Options struct {
	// Rate is how many lines with the same message are logged in a second, and five
	// times as many at once. Default DefaultRate; -1: no bound.
	Rate int

	// Writer, if it is not nil, is where the lines end up; what it drops is counted
	// with what the Handler drops.
	Writer *Writer
}

// Handler is a slog.Handler that passes on what is not too much. The next line with
// the same message says in its attribute dropped how many were left out.
type Handler struct {
	next slog.Handler
	*shared
}

// shared is what a Handler and those made by its With methods have in common.
type shared struct {
	opts    Options
	dropped atomic.Uint64 // by rate

	mu      sync.Mutex
	kinds   map[string]*kind // by message; messages are constants of the program
	noticed uint64           // of what the Writer dropped, already said
}

type kind struct {
	limiter *rate.Limiter
	missed  uint64 // since the last line
}

// maxKinds bounds the messages that are told apart, should one not be constant.
const maxKinds = 500

// NewHandler returns a Handler in front of next.
func NewHandler(next slog.Handler, opts Options) *Handler {
	if opts.Rate == 0 {
		opts.Rate = DefaultRate
	}
	return &Handler{next, &shared{opts: opts, kinds: make(map[string]*kind)}}
}

// Dropped returns how many lines were left out so far, for whatever reason.
func (h *Handler) Dropped() uint64 {
	n := h.dropped.Load()
	if h.opts.Writer != nil {
		n += h.opts.Writer.Dropped()
	}
	return n
}

// Enabled reports whether lines of this level are logged.
func (h *Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle logs a line, or counts it.
func (h *Handler) Handle(ctx context.Context, rec slog.Record) error {
	missed, ok := h.allow(rec.Time, rec.Message)
	if !ok {
		return nil
	}
	out := slog.NewRecord(rec.Time, rec.Level, clip(rec.Message), rec.PC)
	rec.Attrs(func(a slog.Attr) bool {
		out.AddAttrs(cut(a))
		return true
	})
	if missed > 0 {
		out.AddAttrs(slog.Uint64("dropped", missed))
	}
	return h.next.Handle(ctx, out)
}

func (s *shared) allow(now time.Time, message string) (missed uint64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opts.Rate >= 0 {
		k := s.kinds[message]
		if k == nil {
			if len(s.kinds) >= maxKinds {
				message = ""
			}
			if k = s.kinds[message]; k == nil {
				k = &kind{limiter: rate.NewLimiter(rate.Limit(s.opts.Rate), 5*s.opts.Rate)}
				s.kinds[message] = k
			}
		}
		if !k.limiter.AllowN(now, 1) {
			k.missed++
			s.dropped.Add(1)
			return 0, false
		}
		missed, k.missed = k.missed, 0
	}
	if w := s.opts.Writer; w != nil {
		if n := w.Dropped(); n > s.noticed {
			missed += n - s.noticed
			s.noticed = n
		}
	}
	return missed, true
}

// WithAttrs returns a Handler whose lines have these attributes too.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	all := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		all[i] = cut(a)
	}
	return &Handler{h.next.WithAttrs(all), h.shared}
}

// WithGroup returns a Handler whose lines have their attributes in a group.
func (h *Handler) WithGroup(name string) slog.Handler {
	return &Handler{h.next.WithGroup(name), h.shared}
}

// cut bounds the text of an attribute. Quoting is done by the handlers of slog.
func cut(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch {
	case a.Key == "stack":
	case v.Kind() == slog.KindString:
		return slog.String(a.Key, clip(v.String()))
	case v.Kind() == slog.KindGroup:
		group := v.Group()
		all := make([]slog.Attr, len(group))
		for i, g := range group {
			all[i] = cut(g)
		}
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(all...)}
	case v.Kind() == slog.KindAny:
		return slog.String(a.Key, clip(fmt.Sprint(v.Any())))
	}
	return a
}

func clip(s string) string {
	if len(s) > MaxText {
		return s[:MaxText]
	}
	return s
}
