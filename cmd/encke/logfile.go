package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// logFile is where log lines go: standard error, and from Open on a file of that name.
type logFile struct {
	name string

	mu   sync.Mutex
	file *os.File // nil: standard error
}

// Write appends to the file.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return os.Stderr.Write(p)
	}
	return l.file.Write(p)
}

// reopen opens the file by its name, which another file may have by now. After an error
// lines go on to where they went.
func (l *logFile) reopen() error {
	file, err := os.OpenFile(l.name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("--log-file: %w; it is opened as user %d, see --user", err, os.Geteuid())
	case err != nil:
		return fmt.Errorf("--log-file: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		l.file.Close()
	}
	l.file = file
	return nil
}

// Open opens the file, and again for each SIGHUP, of which it tells failed what prevents
// that, until stop is called. Without a file SIGHUP is left alone.
func (l *logFile) Open(failed func(error)) (stop func(), err error) {
	if l.name == "" {
		return func() {}, nil
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP) // before a line can tell anybody that we are there
	if err := l.reopen(); err != nil {
		signal.Stop(hangups)
		return func() {}, err
	}
	var done sync.WaitGroup
	done.Go(func() { // until stop closes hangups
		for range hangups {
			if err := l.reopen(); err != nil {
				failed(err)
			}
		}
	})
	return func() {
		signal.Stop(hangups)
		close(hangups)
		done.Wait()
	}, nil
}
