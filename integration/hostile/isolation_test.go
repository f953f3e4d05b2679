package hostile

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"encke/cause"
	"encke/csp"
	"encke/tcpsocket"
)

// TestSocketsBelongToTheirSession: socket numbers mean nothing in another session. Every
// frame for a socket that only a neighbour has open is answered as if nobody had.
func TestSocketsBelongToTheirSession(t *testing.T) {
	r := newRig(t)
	victim := visit(t, r.addr, listed)
	const socket = 7
	if f := victim.open(socket, r.backend.Host(), uint64(r.backend.Port())); f.Type != tcpsocket.Opened {
		t.Fatalf("%+v", f)
	}
	echoes := func(text string) {
		t.Helper()
		victim.say(tcpsocket.Frame{Type: tcpsocket.Data, Socket: socket, Data: []byte(text)})
		got := ""
		for got != text {
			f := victim.hear()
			if f.Socket != socket || f.Type != tcpsocket.Data && f.Type != tcpsocket.Window {
				t.Fatalf("the victim hears %+v", f)
			}
			got += string(f.Data)
			if !strings.HasPrefix(text, got) {
				t.Fatalf("the victim reads %q, want %q", got, text)
			}
		}
	}
	echoes("before")
	for _, f := range []tcpsocket.Frame{
		{Type: tcpsocket.Data, Socket: socket, Data: []byte("eViL")},
		{Type: tcpsocket.Window, Socket: socket, N: 1 << 20},
		{Type: tcpsocket.EOF, Socket: socket},
		{Type: tcpsocket.Close, Socket: socket},
		{Type: tcpsocket.Reset, Socket: socket, Cause: 7},
	} {
		for _, page := range []string{listed, another} {
			t.Run(fmt.Sprintf("frame 0x%02x from a page of %s", byte(f.Type), page), func(t *testing.T) {
				p := visit(t, r.addr, page)
				p.say(f)
				if f.Type == tcpsocket.Reset { // not answered; what comes next is
					p.say(tcpsocket.Frame{Type: tcpsocket.EOF, Socket: socket})
				}
				got := p.hear()
				if got.Type != tcpsocket.Reset || got.Socket != socket || cause.FromWire(got.Cause) != cause.ProtocolError || string(got.Text) != "this socket was never opened" {
					t.Errorf("the answer is %+v", got)
				}
				p.leave()
				echoes("still there")
			})
		}
	}
	// The same number in a neighbour is another socket.
	p := visit(t, r.addr, listed)
	if f := p.open(socket, r.backend.Host(), uint64(r.backend.Port())); f.Type != tcpsocket.Opened {
		t.Fatalf("%+v", f)
	}
	p.say(tcpsocket.Frame{Type: tcpsocket.Reset, Socket: socket, Cause: 7})
	p.leave()
	echoes("after")
}

// TestSessionIDsAreChosenByTheProxy: no part of a request has a say in the id.
func TestSessionIDsAreChosenByTheProxy(t *testing.T) {
	r := newRig(t)
	const fixed = "n0.eViLeViLeViLeViLeViL00"
	seen := make(map[string]bool)
	for _, e := range those(func(e endpoint) bool { return e.name == "send" || e.name == "jsonp-send" || e.name == "long-polling" }) {
		for _, with := range []func(request) request{
			func(q request) request { return q },
			func(q request) request { return q.query("session=" + fixed) },
			func(q request) request { return q.query("id=" + fixed) },
			func(q request) request { return q.query("s=" + fixed) },
			func(q request) request { return q.query("key=" + fixed) },
			func(q request) request { return q.query("node=eViL") },
			func(q request) request { return q.query("node=n1&node=" + fixed) },
			func(q request) request { return q.adding("Cookie: session=" + fixed + "; id=" + fixed) },
			func(q request) request { return q.adding("X-Session-ID: " + fixed) },
			func(q request) request { return q.adding("Authorization: Bearer " + fixed) },
			func(q request) request { return q.adding("Last-Event-ID: " + fixed) },
		} {
			q := with(e.plain(r, fresh()))
			got, err := exchange(r.addr, e.method, q.bytes())
			if err != nil || len(got) != 1 || got[0].StatusCode != 200 {
				t.Fatalf("%+v, %v", got, err)
			}
			at := strings.Index(got[0].text, "n0.")
			if at < 0 || len(got[0].text) < at+25 {
				t.Fatalf("no id in %q", got[0].text)
			}
			id := got[0].text[at : at+25]
			if marked.MatchString(got[0].text) || seen[id] {
				t.Errorf("%.100q got the id %s", q.bytes(), id)
			}
			seen[id] = true
			for _, problem := range headers(got[0]) {
				t.Error(problem)
			}
		}
	}
}

// TestAForeignKeyOpensNothing: whoever has seen a page's opening key can not use it to
// get into the session from another origin.
func TestAForeignKeyOpensNothing(t *testing.T) {
	r := newRig(t)
	hello := fresh()
	id, _ := r.send(t, listed, hello)
	for _, origin := range []string{another, "http://" + r.addr} {
		got, recs := r.send(t, origin, hello)
		if got != "" || len(recs) != 1 || recs[0].Kind != csp.Close || cause.FromWire(recs[0].Cause) != cause.ProtocolError {
			t.Errorf("a page of %s gets session %q and %v", origin, got, recs)
		}
	}
	if again, _ := r.send(t, listed, hello); again != id {
		t.Errorf("the page itself, repeating its request, gets %q, want %q", again, id)
	}
	r.alive(t, id, 0)
}

// TestLostSessionsLookAlike: status, headers and body are the same for an id that never
// was, one that is malformed and one that expired, so nobody can tell which ids ever
// lived. How long the answers took is shown.
func TestLostSessionsLookAlike(t *testing.T) {
	r := newRig(t)
	e := endpoint{name: "send", method: "POST"}
	closed := r.open(t, listed)
	r.send(t, listed, resume(closed, 0)+bye)
	kinds := map[string]string{
		"never was": "n0.AAAAAAAAAAAAAAAAAAAAAA", "another node's": "n9.AAAAAAAAAAAAAAAAAAAAAA", "too short": "n0.A", "too long": "n0." + strings.Repeat("A", 4000),
		"malformed": "\x00\xff", "empty": "", "one letter off": closed[:24] + string('A'+(closed[24]+1)%26),
	}
	var first string
	times := make(map[string][]time.Duration)
	for range 50 {
		for kind, id := range kinds {
			wire := e.plain(r, resume(id, 0)).bytes()
			var got []reply
			var err error
			times[kind] = append(times[kind], took(func() { got, err = exchange(r.addr, "POST", wire) }))
			if err != nil || len(got) != 1 {
				t.Fatal(got, err)
			}
			got[0].Header.Del("Date")
			says := fmt.Sprint(got[0].StatusCode, got[0].Header, got[0].text)
			if first == "" {
				first = says
			}
			if says != first {
				t.Errorf("%s: %s\nothers: %s", kind, says, first)
			}
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(times)) {
		all := times[kind]
		sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
		t.Logf("%-15s median %v", kind, all[len(all)/2])
	}
	// A page is told for a minute how its own session ended; others are not.
	if _, recs := r.send(t, listed, resume(closed, 0)); len(recs) != 1 || recs[0].Kind != csp.Close {
		t.Errorf("the session that was closed answers %v", recs)
	}
}

// TestReplaysHaveNoEffect: a packet that was delivered is acknowledged again and not acted
// on, whatever is in it the second time.
func TestReplaysHaveNoEffect(t *testing.T) {
	r := newRig(t)
	before := r.app.Stats().Sockets.Opened
	open := func(socket uint64) string {
		f := tcpsocket.Frame{Type: tcpsocket.Open, Socket: socket, N: 1 << 16, Host: []byte(r.backend.Host()), Port: uint64(r.backend.Port())}
		return data(string(f.Append(nil)))
	}
	id := r.open(t, listed)
	for i, replay := range []struct {
		name, records string
		ack, sockets  uint64
	}{
		{"packets 1 and 2", seq(1) + open(1) + open(2), 2, 2},
		{"both again", seq(1) + open(1) + open(2), 2, 2},
		{"the first with another content", seq(1) + open(3), 2, 2},
		{"the second, then the first, with others", seq(2) + open(4) + seq(1) + open(5), 2, 2},
		{"the second twice and a third", seq(2) + open(6) + seq(2) + open(7) + seq(3) + open(8), 3, 3},
		{"the fourth twice", seq(4) + open(9) + seq(4) + open(10), 4, 4},
		{"the end of the stream as the first", seq(1) + "\x06", 4, 4},
	} {
		_, recs := r.send(t, listed, resume(id, 0)+replay.records)
		if len(recs) != 1 || recs[0].Kind != csp.Ack || recs[0].ID != replay.ack {
			t.Errorf("%d, %s: answered by %v, want ACK %d", i, replay.name, recs, replay.ack)
		}
		if n := r.app.Stats().Sockets.Opened - before; n != replay.sockets {
			t.Errorf("%d, %s: %d sockets were asked for, want %d", i, replay.name, n, replay.sockets)
		}
	}
	r.send(t, listed, resume(id, 0)+bye)
}
