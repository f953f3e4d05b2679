package integration

import (
	"slices"
	"testing"

	"encke/integration/backend"
)

// exchanged is what the page tells about an exchange.
type exchanged struct {
	Received   int64
	States     []string // that the link went through
	Transports []string // that carried the session, in their order
}

// exchange moves n bytes each way over r at the same time and checks all of them on both
// sides. harm is called with the relay once the exchange is set up: it tells the relay
// what to do and returns a function that is called while the exchange runs.
func exchange(t *testing.T, c cell, n int64, transports []string, harm func(*rig) (during func())) exchanged {
	t.Helper()
	const down, up = 31, 32 // the keys of the streams
	b := backend.Exchange(t, down, up, n)
	r := c.rig(t, list(b), transports...)
	during := harm(r)
	r.start("exchange", args{"port": b.Port(), "bytes": n, "down": down, "up": up})
	during()
	var got exchanged
	r.finish(&got)
	t.Logf("%d links, states %q, transports %q", r.relay.Links(), got.States, got.Transports)
	if got.Received != n {
		t.Errorf("the page got %d bytes, want %d", got.Received, n)
	}
	wellEnded(t, b, 1)
	return got
}

// moved is how much an exchange that is harmed moves each way.
func (c cell) moved() int64 { return min(c.bulk(), 4*MiB) }

// cuts: the link is cut again and again, with RST and FIN, in the middle of everything.
func cuts(t *testing.T, c cell) {
	times := 8
	if c.transport == "iframe" {
		times = 3 // nobody tells a page that the page in a frame was cut; the client takes seconds to find out
	}
	n := c.moved()
	got := exchange(t, c, n, nil, func(r *rig) func() {
		// At least 2n bytes pass, so that all cuts come before the end.
		done := r.relay.CutEach(2*n/int64(times+1), times)
		return func() { await(t, "the last cut", done) }
	})
	// A browser repeats a GET by itself when the connection it reused turns out to be
	// closed; then the page never hears of a cut.
	if c.transport != "jsonp" && (!slices.Contains(got.States, "reconnecting") || !slices.Contains(got.States, "online")) {
		t.Errorf("the socket's states were %q, want reconnecting and online among them", got.States)
	}
}

// frozenLink: the network swallows everything without a word. When the browser says that
// something has changed the client finds out, and goes on over new links. Bytes go down
// only: a client has more patience with a link on which much is under way upwards.
func frozenLink(t *testing.T, c cell) {
	const key = 41
	n := c.moved()
	source := backend.Source(t, key, n)
	r := c.rig(t, list(source))
	frozen := r.relay.After(n/2, r.relay.Freeze)
	r.start("download", args{"port": source.Port(), "key": key, "bytes": n})
	await(t, "the links to freeze", frozen)
	r.page.Eval(nil, `() => scenarios.quiet()`) // what comes after the event proves that the link is alive
	r.page.Eval(nil, `() => { dispatchEvent(new Event("online")) }`)
	var got struct{ Received int64 }
	r.finish(&got)
	if got.Received != n {
		t.Errorf("got %d bytes, want %d", got.Received, n)
	}
	wellEnded(t, source, 1)
}

// switches says which transport takes over when one no longer gets through.
var switches = map[string]string{
	"websocket":       "fetch-streaming",
	"fetch-streaming": "long-polling",
	"xhr-streaming":   "websocket",
	"eventsource":     "xhr-streaming",
	"long-polling":    "eventsource",
	"iframe":          "jsonp",
	"jsonp":           "iframe",
}

// switchOfTransport: in the middle of a transfer something on the way begins to refuse
// the transport. The session moves to another one and no byte is lost or doubled.
func switchOfTransport(t *testing.T, c cell) {
	n := c.moved()
	next := switches[c.transport]
	got := exchange(t, c, n, []string{c.transport, next}, func(r *rig) func() {
		blocked := r.relay.After(n, func() { r.relay.Block("/session/" + c.transport) })
		return func() { await(t, "the block", blocked) }
	})
	if len(got.Transports) < 2 || got.Transports[0] != c.transport || got.Transports[len(got.Transports)-1] != next {
		t.Errorf("the transports were %q, want first %s and last %s", got.Transports, c.transport, next)
	}
}

// leavingPage: what a page says as it goes arrives, and then the end.
func leavingPage(t *testing.T, c cell) {
	const key, n = 23, 20_000
	reads := make(chan struct{})
	close(reads)
	last := backend.NeverReads(t, key, n, reads)
	r := c.rig(t, list(last))
	r.run(nil, "leave", args{"port": last.Port(), "bytes": n, "key": key})
	r.page.Goto("about:blank")
	wellEnded(t, last, 1)
}
