package csp_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"encke/cause"
	"encke/csp"
)

func TestOpeningTwiceWithOneKeyGivesOneSession(t *testing.T) {
	server, s, _ := open(t, csp.Options{})
	again, err := server.Open(csp.Peer{}, csp.Key{1})
	if err != nil || again != s {
		t.Errorf("the same key opened another session (%v)", err)
	}
	if other, err := server.Open(csp.Peer{}, csp.Key{2}); err != nil || other == s {
		t.Errorf("another key opened the same session (%v)", err)
	}
	if _, err := server.Open(csp.Peer{Origin: "https://evil.test"}, csp.Key{1}); err == nil {
		t.Error("the key of another origin's session was accepted")
	}
	if _, err := server.Resume(s.ID()); err != nil {
		t.Fatal(err)
	}
	if later, err := server.Open(csp.Peer{}, csp.Key{1}); err != nil || later != s {
		t.Errorf("a NEW that came late, after a RESUME, opened another session (%v)", err)
	}
	s.Close(cause.Closed.Err())
	if _, err := server.Open(csp.Peer{}, csp.Key{1}); !errors.Is(err, cause.Closed.Err()) {
		t.Errorf("a NEW that came after the end: %v, want the session's cause", err)
	}
}

func TestIDs(t *testing.T) {
	server := csp.NewServer(csp.Options{Node: "node-7", MaxSessions: 10_000, Accept: func(*csp.Session) csp.Handler { return nopHandler{} }})
	defer server.Close(cause.Closed.Err())
	seen := make(map[string]bool)
	for i := range 5000 {
		s, err := server.Open(csp.Peer{}, csp.Key{byte(i), byte(i >> 8), 1})
		if err != nil {
			t.Fatal(err)
		}
		node, random, _ := strings.Cut(s.ID(), ".")
		if node != "node-7" || len(random) != 22 || seen[random] {
			t.Fatalf("session id %q", s.ID())
		}
		seen[random] = true
		if strings.Contains(s.ID(), s.Digest()) {
			t.Fatalf("digest %q is part of the id", s.Digest())
		}
	}
}

func TestUnknownSessions(t *testing.T) {
	server, s, _ := open(t, csp.Options{})
	for _, id := range []string{"", "n0", "n0.", "n0." + strings.Repeat("A", 22), s.ID() + "x", s.ID()[1:], strings.Repeat("x", 1<<20)} {
		if _, err := server.Resume(id); !errors.Is(err, cause.SessionLost.Err()) {
			t.Errorf("Resume(%.40q): %v", id, err)
		}
	}
	if n := server.Stats().Unknown; n != 7 {
		t.Errorf("%d counted", n)
	}
}

func TestLimitAndDrain(t *testing.T) {
	server, _, _ := open(t, csp.Options{MaxSessions: 2})
	if _, err := server.Open(csp.Peer{}, csp.Key{2}); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Open(csp.Peer{}, csp.Key{3}); !errors.Is(err, cause.Limit.Err()) {
		t.Errorf("a third session: %v, want limit", err)
	}
	server.Drain()
	if _, err := server.Open(csp.Peer{}, csp.Key{3}); !errors.Is(err, cause.GoingAway.Err()) {
		t.Errorf("while draining: %v, want going-away", err)
	}
}

func TestTombstonesAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, s, _ := open(t, csp.Options{})
		s.Close(cause.Limit.Err())
		time.Sleep(59 * time.Second)
		if _, err := server.Resume(s.ID()); !errors.Is(err, cause.Limit.Err()) {
			t.Errorf("after 59 s: %v", err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if _, err := server.Resume(s.ID()); !errors.Is(err, cause.SessionLost.Err()) {
			t.Errorf("after 61 s: %v", err)
		}
		if _, err := server.Open(csp.Peer{}, csp.Key{1}); err != nil {
			t.Errorf("the key is still taken: %v", err)
		}
		server.Close(cause.Closed.Err())
		time.Sleep(61 * time.Second)
		synctest.Wait()
		if n := len(server.Sessions()); n != 0 {
			t.Errorf("%d sessions are kept", n)
		}
	})
}
