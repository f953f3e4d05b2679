package transports_test

import (
	"io"
	"testing"
	"time"

	"github.com/coder/websocket"

	"encke/cause"
	"encke/csp"
	"encke/transports"
)

// Two clients that resume one session over and over lose it: neither link nor
// session goes back and forth for ever.
func TestTwoClientsOfOneSession(t *testing.T) {
	lost := 4000 + websocket.StatusCode(cause.Displaced)
	t.Run("websocket", func(t *testing.T) {
		r := newRig(t, transports.Options{AddressUpgrades: -1}, csp.Options{})
		old := r.websocket()
		r.say(old, r.hello())
		id := string(r.hear(old)[0].Session)
		n := 0
		for ; n < 20; n++ {
			ws := r.websocket()
			r.say(ws, resume(id, 0))
			if recs := r.hear(ws); recs[0].Kind == csp.Close {
				break
			}
			if code := r.closed(old); code != lost {
				t.Fatalf("take-over %d: the displaced WebSocket was closed with %d", n, code)
			}
			old = ws
		}
		r.overIn(id, n)
	})
	t.Run("long-polling", func(t *testing.T) {
		r := newRig(t, transports.Options{AddressUpgrades: -1}, csp.Options{})
		id := r.open()
		answers := make(chan int)
		poll := func() {
			go func() {
				resp, err := r.client.Do(r.request("POST", "long-polling", resume(id, 0)))
				if err != nil {
					answers <- 0
					return
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				answers <- resp.StatusCode
			}()
		}
		poll()
		poll()
		n := 0
		for ; n < 20; n++ { // whoever is displaced comes back
			if status := <-answers; status != 200 {
				break
			}
			if r.server.Stats().Live == 0 {
				break
			}
			poll()
		}
		<-answers
		r.overIn(id, n)
	})
}

// overIn checks that the session was ended as displaced, after n rounds.
func (r *rig) overIn(id string, n int) {
	r.t.Helper()
	_, err := r.server.Resume(id)
	var st csp.Stats
	for range 1000 { // it is told before it is counted
		if st = r.server.Stats(); st.Closed[cause.Displaced] > 0 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err == nil || st.Closed[cause.Displaced] != 1 || st.TakeOverLoops != 1 {
		r.t.Errorf("after %d take-overs: %v, %d loops counted", n, err, st.TakeOverLoops)
	}
}

// One client whose links are cut a thousand times, as fast as it can connect, keeps
// its session.
func TestManyCutsAreNoTakeOver(t *testing.T) {
	cuts := 1000
	if testing.Short() {
		cuts = 100
	}
	r := newRig(t, transports.Options{AddressUpgrades: -1}, csp.Options{})
	ws := r.websocket()
	r.say(ws, r.hello())
	id := string(r.hear(ws)[0].Session)
	for i := range cuts {
		if i%2 == 0 {
			ws.CloseNow() // and the next comes while the proxy may not have noticed
		}
		next := r.websocket()
		r.say(next, resume(id, 0))
		if recs := r.hear(next); recs[0].Kind != csp.Ack {
			t.Fatalf("after %d cuts: %v", i, recs)
		}
		ws.CloseNow() // without having read what the proxy said to it
		ws = next
	}
	if st := r.server.Stats(); st.TakeOvers != 0 {
		t.Errorf("%d take-overs counted, want none", st.TakeOvers)
	}
}
