package csp_test

import (
	"errors"
	"testing"

	"encke/cause"
	"encke/csp"
)

// Admit is asked once for each session, and told once when it is over.
func TestAdmit(t *testing.T) {
	asked, live := 0, 0
	server := csp.NewServer(csp.Options{
		Accept: func(*csp.Session) csp.Handler { return nopHandler{} },
		Admit: func(p csp.Peer) (func(), error) {
			asked++
			if live == 1 {
				return nil, cause.Limit.With("%s has enough", p.Addr)
			}
			live++
			return func() { live-- }, nil
		},
	})
	defer server.Close(cause.Closed.Err())
	peer := csp.Peer{Addr: "192.0.2.1:5"}
	s, err := server.Open(peer, csp.Key{1})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := server.Open(peer, csp.Key{1}); again != s || err != nil || asked != 1 {
		t.Errorf("a repeated NEW: %v, asked %d times, want once", err, asked)
	}
	if _, err := server.Open(peer, csp.Key{2}); !errors.Is(err, cause.Limit.Err()) {
		t.Errorf("a session that was not admitted: %v", err)
	}
	if st := server.Stats(); st.Live != 1 || st.Opened != 1 {
		t.Errorf("%d sessions live, %d opened, want 1", st.Live, st.Opened)
	}
	s.Close(cause.Closed.Err())
	s.Close(cause.Closed.Err())
	if live != 0 {
		t.Errorf("%d live after the end", live)
	}
	if _, err := server.Open(peer, csp.Key{2}); err != nil {
		t.Errorf("the next: %v", err)
	}
}
