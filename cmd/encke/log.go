package main

import (
	"fmt"
	"io"
	"log/slog"

	"encke/cmd/encke/logline"
)

// openLog returns a log to out that never waits for it. The returned function writes
// what is left and is to be called at the end.
func openLog(level, format string, rate int, out io.Writer) (*slog.Logger, func(), error) {
	l, err := checkLog(level, format)
	if err != nil {
		return nil, nil, err
	}
	w := logline.NewWriter(out)
	opts := &slog.HandlerOptions{Level: l}
	next := slog.Handler(slog.NewTextHandler(w, opts))
	if format == "json" {
		next = slog.NewJSONHandler(w, opts)
	}
	log := slog.New(logline.NewHandler(next, logline.Options{Rate: rate, Writer: w}))
	return log, func() { w.Close() }, nil
}

func checkLog(level, format string) (l slog.Level, err error) {
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return 0, fmt.Errorf("--log-level: %q is not debug, info, warn or error", level)
	}
	if format != "text" && format != "json" {
		return 0, fmt.Errorf("--log-format: %q is not text or json", format)
	}
	return l, nil
}
