package cspdraft_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"encke/cause"
	"encke/legacy/cspdraft"
	"encke/legacy/legacytest"
)

// bulk is more than may wait for a backend.
var bulk = strings.Repeat("x", 300<<10)

// connected returns a rig with a client and its backend, which reads nothing.
func connected(t *testing.T) (*legacytest.Rig, *legacytest.Client) {
	t.Helper()
	r := legacytest.New(t, cspdraft.New)
	c := r.Client(t)
	c.Send("b.test:7\n")
	c.Next()
	return r, c
}

// While a backend does not take what came, the next send is not answered.
func TestSendWaitsForTheBackend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, c := connected(t)
		far := r.Backend(t)
		c.Send(bulk)
		answer := make(chan string, 1)
		go func() { // until it is answered
			text, err := c.TrySend(context.Background(), "tail")
			if err != nil {
				text = err.Error()
			}
			answer <- text
		}()
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if len(answer) > 0 {
			t.Errorf("send was answered by %q though the backend takes nothing", <-answer)
		}
		if got := legacytest.Heard(t, far); got != bulk+"tail" {
			t.Errorf("the backend got %d bytes, want %d", len(got), len(bulk)+4)
		}
		if got := <-answer; got != `("OK")` {
			t.Errorf("then send was answered by %q", got)
		}
	})
}

// The end of a session, and that of its client, free a send that waits.
func TestSendStopsWaiting(t *testing.T) {
	for name, end := range map[string]func(*legacytest.Rig, context.CancelFunc){
		"the session ends": func(r *legacytest.Rig, _ context.CancelFunc) { r.Sessions.Close(cause.GoingAway.Err()) },
		"the client goes":  func(_ *legacytest.Rig, cancel context.CancelFunc) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, c := connected(t)
				r.Backend(t)
				c.Send(bulk)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				answer := make(chan string, 1)
				go func() { // until the request ends
					text, _ := c.TrySend(ctx, "tail")
					answer <- text
				}()
				synctest.Wait()
				end(r, cancel)
				if got := <-answer; got == `("OK")` {
					t.Error("what was not delivered was answered as if it were")
				}
			})
		})
	}
}

// While a client does not ask, its backend is not read beyond a bound, and nothing is lost.
func TestBackendWaitsForTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, c := connected(t)
		far := r.Backend(t)
		written := 0
		done := make(chan struct{})
		go func() { // until all was read, or the test ends
			defer close(done)
			for range 200 {
				n, err := far.Write([]byte(strings.Repeat("y", 10<<10)))
				written += n
				if err != nil {
					return
				}
			}
		}()
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if written > 400<<10 {
			t.Errorf("%d bytes were read of the backend for a client that takes none", written)
		}
		got := 0
		for range 100 {
			for _, p := range c.Next() {
				got += len(p)
			}
		}
		<-done
		if got != 200*10<<10 {
			t.Errorf("the client got %d bytes, want %d", got, 200*10<<10)
		}
	})
}

// Sends that come again and again while one waits do not pile up, with their bodies.
func TestSendsDoNotPileUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, c := connected(t)
		far := r.Backend(t)
		c.Send(bulk)
		var answers [3]chan string
		for i := range answers {
			answers[i] = make(chan string, 1)
			go func() { // until it is answered
				text, _ := c.TrySend(context.Background(), "tail")
				answers[i] <- text
			}()
			synctest.Wait()
		}
		if len(answers[0]) != 0 || len(answers[1]) != 1 || len(answers[2]) != 0 {
			t.Errorf("answered: %d, %d, %d; want the second", len(answers[0]), len(answers[1]), len(answers[2]))
		}
		if got := legacytest.Heard(t, far); !strings.HasPrefix(got, bulk+"tail") {
			t.Errorf("the backend got %d bytes", len(got))
		}
		for _, i := range []int{0, 2} {
			if got := <-answers[i]; got != `("OK")` {
				t.Errorf("send %d was answered by %q", i, got)
			}
		}
	})
}
