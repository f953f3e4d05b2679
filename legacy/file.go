package legacy

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-multierror"
)

// ReadFile lets parse read the file that an option names. Each error begins with the two.
func ReadFile(option, name string, parse func(io.Reader) error) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("--%s: %w", option, err)
	}
	defer f.Close()
	err = parse(f)
	var all *multierror.Error
	if errors.As(err, &all) {
		for i, e := range all.Errors {
			all.Errors[i] = fmt.Errorf("--%s %s: %w", option, name, e)
		}
		return all
	}
	if err != nil {
		return fmt.Errorf("--%s %s: %w", option, name, err)
	}
	return nil
}

// Reread is a value that files of the operator hold. It is made again when it is asked for and
// one of them has changed; if that cannot be, the old one stays, and the log says why.
type Reread[T any] struct {
	files []string
	read  func() (T, error)

	mu    sync.Mutex
	state []fileState
	value T
}

// fileState tells that a file has changed.
type fileState struct {
	changed time.Time
	size    int64 // -1: it is not there
}

// NewReread returns what read makes of the files, and its error.
func NewReread[T any](files []string, read func() (T, error)) (*Reread[T], error) {
	r := &Reread[T]{files: files, read: read}
	r.state = r.look()
	var err error
	r.value, err = read()
	return r, err
}

func (r *Reread[T]) look() []fileState {
	all := make([]fileState, len(r.files))
	for i, name := range r.files {
		all[i].size = -1
		if info, err := os.Stat(name); err == nil {
			all[i] = fileState{info.ModTime(), info.Size()}
		}
	}
	return all
}

// Value returns the value as the files have it now.
func (r *Reread[T]) Value(log *slog.Logger) T {
	now := r.look()
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.Equal(now, r.state) {
		return r.value
	}
	r.state = now // also after an error: it is told once
	value, err := r.read()
	var all *multierror.Error
	switch errors.As(err, &all); {
	case err == nil:
		r.value = value
		log.Info("read again", "files", r.files)
	case all != nil && len(all.Errors) > 1:
		log.Error("a file has changed and is not used", "error", all.Errors[0], "more", len(all.Errors)-1)
	case all != nil:
		log.Error("a file has changed and is not used", "error", all.Errors[0])
	default:
		log.Error("a file has changed and is not used", "error", err)
	}
	return r.value
}
