package transports_test

import (
	"net/http"
	"slices"
	"testing"

	"encke/cause"
	"encke/csp"
	"encke/transports"
)

// refusedLimit fails the test unless recs is a CLOSE with limit and when to retry.
func refusedLimit(t *testing.T, what string, recs []csp.Record) {
	t.Helper()
	if len(recs) != 1 || recs[0].Kind != csp.Close || recs[0].Cause != uint64(cause.Limit) || recs[0].Retry == 0 {
		t.Errorf("%s: %+v, want CLOSE limit with retry", what, recs)
	}
}

func TestTooManySessionsOfOneAddress(t *testing.T) {
	r := newRig(t, transports.Options{AddressSessions: 2}, csp.Options{})
	first := r.open()
	r.open()
	resp := r.post("send", r.hello())
	if resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" {
		t.Errorf("the third session: status %d, Retry-After %q", resp.StatusCode, resp.Header.Get("Retry-After"))
	}
	refusedLimit(t, "the third session", r.records(resp))
	ws := r.websocket()
	r.say(ws, r.hello())
	_, msg, err := ws.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	refusedLimit(t, "over WebSocket", r.parse(msg))
	if resp := r.get("eventsource?" + query(r.hello())); resp.StatusCode != http.StatusOK {
		t.Errorf("EventSource: status %d, want 200, else the page learns nothing", resp.StatusCode)
	}
	if st := r.server.Stats(); st.Opened != 2 || r.h.Stats().Sessions != 3 {
		t.Errorf("%d sessions made, %d refused; want 2 and 3", st.Opened, r.h.Stats().Sessions)
	}
	if resp := r.post("send", resume(first, 0)); resp.StatusCode != http.StatusOK {
		t.Errorf("a session that is there: status %d", resp.StatusCode)
	}
	s, err := r.server.Resume(first)
	if err != nil {
		t.Fatal(err)
	}
	s.Close(cause.Closed.Err())
	r.open() // there is room again
}

// until calls f until it reports true, and returns the number of calls before that. A
// bucket fills up a little while the test runs, so their number is not exact.
func until(t *testing.T, f func() bool) int {
	t.Helper()
	for n := range 1000 {
		if f() {
			return n
		}
	}
	t.Fatal("no limit after 1000 times")
	return 0
}

func TestTooManyHandshakesOfOneAddress(t *testing.T) {
	r := newRig(t, transports.Options{AddressHandshakes: 1}, csp.Options{})
	var key uint16
	var last *http.Response
	n := until(t, func() bool {
		key++
		last = r.post("long-polling", (&csp.Record{Kind: csp.New, Version: csp.Version, Key: csp.Key{9, byte(key), byte(key >> 8)}}).Append(nil))
		return last.StatusCode != http.StatusOK
	})
	if n < 5 || last.StatusCode != http.StatusTooManyRequests || last.Header.Get("Retry-After") == "" {
		t.Errorf("after %d sessions: status %d, want 429 after 5 at least", n, last.StatusCode)
	}
	refusedLimit(t, "the last", r.records(last))
	if st := r.server.Stats(); int(st.Opened) != n || r.h.Stats().Handshakes != 1 {
		t.Errorf("%d sessions made, %d refused; want %d and 1", st.Opened, r.h.Stats().Handshakes, n)
	}
}

func TestTooManyUpgradesOfOneAddress(t *testing.T) {
	r := newRig(t, transports.Options{AddressUpgrades: 1}, csp.Options{})
	var last *http.Response
	n := until(t, func() bool {
		ws, resp, err := r.dial()
		if err == nil {
			ws.CloseNow()
		}
		last = resp
		return err != nil
	})
	if n < 5 || last == nil || last.StatusCode != http.StatusTooManyRequests || last.Header.Get("Retry-After") == "" {
		t.Errorf("after %d WebSockets: %+v, want 429 after 5 at least", n, last)
	}
	if got := r.h.Stats().Upgrades; got != 1 {
		t.Errorf("%d refusals counted, want 1", got)
	}
	r.open() // other techniques go on
}

// What browsers cannot do fast enough to be limited, an address without limits can.
func TestTooManyRequestsOfOneAddress(t *testing.T) {
	r := newRig(t, transports.Options{AddressRequests: 2}, csp.Options{})
	id := r.open()
	streams := []*http.Response{r.post("fetch-streaming", resume(id, 0)), r.post("fetch-streaming", resume(r.open(), 0))}
	resp := r.post("send", resume(id, 0))
	if resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" {
		t.Errorf("the third request: status %d, Retry-After %q", resp.StatusCode, resp.Header.Get("Retry-After"))
	}
	if _, err := r.server.Resume(id); err != nil {
		t.Errorf("the session: %v", err)
	}
	if n := r.h.Stats().Requests; n != 1 {
		t.Errorf("%d refused, want 1", n)
	}
	streams[1].Body.Close()
	for r.post("send", resume(id, 0)).StatusCode != http.StatusOK { // until the proxy has noticed
		if t.Context().Err() != nil {
			t.Fatal("there is no room again")
		}
	}
}

func TestNoLimits(t *testing.T) {
	r := newRig(t, transports.Options{AddressSessions: -1, AddressHandshakes: -1, AddressUpgrades: -1}, csp.Options{})
	for range 250 {
		r.open()
	}
	for range 110 {
		r.websocket().CloseNow()
	}
}

// Every class of refusals has its counter.
func TestRefusalsAreCounted(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{MaxSessions: 1})
	id := r.open()
	for _, tt := range []struct {
		name string
		do   func()
		want transports.Stats
	}{
		{"origin", func() { r.post("send", r.hello(), "Origin", "http://evil.test") }, transports.Stats{Origin: 1}},
		{"method", func() { r.get("send", "Origin", r.url) }, transports.Stats{Method: 1}},
		{"encoding", func() { r.post("send", r.hello(), "Content-Encoding", "gzip") }, transports.Stats{Encoded: 1}},
		{"records", func() { r.post("send", []byte{0xff}) }, transports.Stats{Malformed: 1}},
		{"variable", func() { r.post("send?hold=x", r.hello()) }, transports.Stats{Malformed: 1}},
		{"callback", func() { r.get("jsonp?callback=(&seq=1&" + query(r.hello())) }, transports.Stats{Malformed: 1}},
		{"body", func() { r.post("send", slices.Repeat([]byte{0}, csp.MaxBody+1)) }, transports.Stats{TooLarge: 1}},
		{"sessions in all", func() { r.post("send", r.hello()) }, transports.Stats{Unavailable: 1}},
		{"unknown session", func() { r.post("send", resume(id+"x", 0)) }, transports.Stats{Lost: 1}},
	} {
		before := r.h.Stats()
		tt.do()
		if got := difference(r.h.Stats(), before); got != tt.want {
			t.Errorf("%s: counted %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func difference(a, b transports.Stats) transports.Stats {
	return transports.Stats{
		Origin: a.Origin - b.Origin, Method: a.Method - b.Method, Encoded: a.Encoded - b.Encoded,
		Malformed: a.Malformed - b.Malformed, TooLarge: a.TooLarge - b.TooLarge, SlowBodies: a.SlowBodies - b.SlowBodies,
		Sessions: a.Sessions - b.Sessions, Handshakes: a.Handshakes - b.Handshakes, Upgrades: a.Upgrades - b.Upgrades, Requests: a.Requests - b.Requests,
		Unavailable: a.Unavailable - b.Unavailable, Lost: a.Lost - b.Lost, Panics: a.Panics - b.Panics,
	}
}
