package legacy

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"

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
// one of them has changed; if that cannot be, the old one stays, and the log says why, once.
type Reread[T any] struct {
	files []string
	read  func() (T, error)

	mu    sync.Mutex
	state []os.FileInfo // of each file; nil: it is none
	wrong string        // with what was read last; then it is tried each time
	value T
}

// NewReread returns what read makes of the files, and its error.
func NewReread[T any](files []string, read func() (T, error)) (*Reread[T], error) {
	r := &Reread[T]{files: files, read: read}
	r.state = r.look()
	var err error
	r.value, err = read()
	return r, err
}

// look returns the state of the files. A pipe has none: it is read once.
func (r *Reread[T]) look() []os.FileInfo {
	all := make([]os.FileInfo, len(r.files))
	for i, name := range r.files {
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			all[i] = info
		}
	}
	return all
}

// unchanged reports whether two states of a file are the same. Some who replace a file keep
// its time, so that is not enough.
func unchanged(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

// Value returns the value as the files have it now.
func (r *Reread[T]) Value(log *slog.Logger) T {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.look() // before it is read: what is written meanwhile is a change
	if r.wrong == "" && slices.EqualFunc(now, r.state, unchanged) {
		return r.value
	}
	r.state = now
	value, err := r.read()
	if err == nil {
		r.value, r.wrong = value, ""
		log.Info("read again", "files", r.files)
		return value
	}
	if err.Error() == r.wrong {
		return r.value
	}
	r.wrong = err.Error()
	more := 0
	var all *multierror.Error
	if errors.As(err, &all) {
		err, more = all.Errors[0], len(all.Errors)-1
	}
	log.Error("a file has changed and is not used", "error", err, "more", more)
	return r.value
}
