package transports

import (
	"net/http/httptest"
	"testing"
	"time"

	"encke/csp"
)

// timed is a ResponseWriter that has a deadline.
type timed struct {
	*httptest.ResponseRecorder
	deadline time.Time
}

func (w *timed) SetWriteDeadline(t time.Time) error { w.deadline = t; return nil }

// The last piece of an answer leaves when its handler has returned: it needs the deadline
// then. While more may follow there must be none.
func TestWriteLeavesADeadlineForTheLastPiece(t *testing.T) {
	h, err := New(csp.NewServer(csp.Options{}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, more := range []bool{true, false} {
		w := &timed{ResponseRecorder: httptest.NewRecorder()}
		if err := h.Write(w, []byte("x"), more); err != nil {
			t.Fatal(err)
		}
		if w.deadline.IsZero() != more || w.Flushed != more {
			t.Errorf("more %v: deadline %v, flushed %v", more, w.deadline, w.Flushed)
		}
	}
}
