package csp_test

import (
	"testing"
	"testing/synctest"
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/csp"
)

// faulty is a Handler that breaks when its session ends.
type faulty struct{ recorder }

func (*faulty) Closed(*cause.Error) { panic("a fault") }

// A fault of ours in a timer ends the session whose timer it was; the server goes on, and
// counts the session no more.
func TestPanicsInTimers(t *testing.T) {
	for name, run := range map[string]func(*testing.T, *csp.Session){
		"linger": func(*testing.T, *csp.Session) {},
		"gap": func(t *testing.T, s *csp.Session) {
			attach(t, s, 0)
			if _, err := s.Deliver([]csp.Packet{{ID: 2, Data: []byte("b")}}, true); err != nil {
				t.Error(err)
			}
		},
		"lifetime": func(t *testing.T, s *csp.Session) { attach(t, s, 0) },
		"ack": func(t *testing.T, s *csp.Session) {
			l, err := s.Attach(0, func() { panic("a fault") })
			if err != nil {
				t.Fatal(err)
			}
			taken(t, l) // now it waits to be woken
			if _, err := s.Deliver([]csp.Packet{{ID: 1, Data: []byte("a")}}, false); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var broken []*csp.Session
				v := csp.NewServer(csp.Options{
					Accept: func(*csp.Session) csp.Handler { return &faulty{} },
					Budget: buffer.NewBudget(1 << 20), Lifetime: time.Hour,
					Panicked: func(_ any, s *csp.Session) { broken = append(broken, s) },
				})
				s, err := v.Open(csp.Peer{}, csp.Key{1})
				if err != nil {
					t.Fatal(err)
				}
				run(t, s)
				time.Sleep(2 * time.Second)
				if name != "ack" {
					time.Sleep(time.Hour)
					if n := v.Stats().Live; n != 0 {
						t.Errorf("%d sessions live, want none", n)
					}
				}
				synctest.Wait()
				if len(broken) != 1 || broken[0] != s {
					t.Errorf("told of the panics of %v, want one of %v", broken, s)
				}
				func() {
					defer func() { recover() }() // the faulty Handler's, where the session still lives
					s.Close(cause.Internal.Err())
				}()
				time.Sleep(time.Hour) // tombstones
			})
		})
	}
}
