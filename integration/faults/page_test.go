package faults

import (
	"slices"
	"time"

	"encke/integration/backend"
	"encke/integration/box"
	"encke/integration/browser"
	"encke/integration/pages"
	"encke/integration/proxy"
)

// visitor is a page in Chromium whose way to the proxy leads through a box.
type visitor struct {
	f          *fault
	page       *browser.Page
	box        *box.Box
	transports []string
}

// visit starts everything and opens a page that uses these transports, the best first.
func (f *fault) visit(h box.Habits, transports ...string) *visitor {
	f.Helper()
	if f.proxy == nil {
		f.origin = new(pages.Site).Serve(f.T)
		f.start(proxy.Options{Origins: []string{f.origin}, Args: []string{"--linger", "20s"}}) // a frame that was cut is silent for 15 s before the page knows
	}
	v := &visitor{f: f, box: box.New(f.T, f.proxy.Addr, h), transports: transports}
	v.page = chromium(f.T).Page(f.T)
	v.page.Goto(pages.URL(f.origin, "http://"+v.box.Addr()+"/TCPSocket.js", "/scenarios.js"))
	f.leaving = append(f.leaving, func() { v.page.Goto("about:blank") })
	f.resting = append(f.resting, v.box.Rest)
	return v
}

// talk does count echoes of size bytes over a new socket to b, each byte checked, and
// returns how long the longest took, that of the opening included, and the transport
// that carried the last one.
func (v *visitor) talk(b *backend.Backend, count, size int) (worst time.Duration, transport string) {
	v.f.Helper()
	var got struct {
		Took      []float64
		Opening   float64
		Transport string
	}
	v.page.Eval(&got, `(args) => scenarios.latency(args)`, map[string]any{
		"host": b.Host(), "port": b.Port(), "transports": v.transports, "count": count, "size": size,
	})
	ms := max(got.Opening, slices.Max(got.Took))
	v.f.Logf("%d echoes of %d bytes; the opening took %.0f ms, the longest echo %.0f ms; over %s", count, size, got.Opening, slices.Max(got.Took), got.Transport)
	return time.Duration(ms * float64(time.Millisecond)), got.Transport
}

// soon is within which a page has to notice that its transport does not get through, and
// to be elsewhere.
const soon = 5 * time.Second

// falls lets a page talk over the row's transport, which the box harms, and expects it to
// be on another one soon, and to stay there.
func (f *fault) falls(h box.Habits, habit, to string) {
	f.Helper()
	v := f.visit(h, f.transport, to)
	b := backend.Echo(f.T)
	worst, transport := v.talk(b, 100, 700)
	if transport != to {
		f.Errorf("the page is on %s, want %s", transport, to)
	}
	if v.box.Did(habit) == 0 {
		f.Errorf("the box did nothing: the row shows nothing")
	}
	if full && worst > soon {
		f.Errorf("it took the page %v to notice, want %v", worst, soon)
	}
	tried := v.box.Requests(f.transport)
	if _, transport = v.talk(b, 20, 700); transport != to {
		f.Errorf("the next socket is on %s, want %s", transport, to)
	}
	if again := v.box.Requests(f.transport) - tried; again > 1 { // one may be a try whether it works by now
		f.Errorf("the page tried %s %d times more", f.transport, again)
	}
}

// heldBack: a box holds answers until there are so many bytes.
func heldBack(f *fault) {
	sizes := []int{4 << 10}
	if full {
		sizes = []int{1 << 10, 4 << 10, 16 << 10, 64 << 10}
	}
	for _, size := range sizes {
		f.Logf("held until %d bytes", size)
		f.falls(box.Habits{Hold: size}, "hold", "long-polling")
	}
}

// heldToTheEnd: a box holds answers until their end.
func heldToTheEnd(f *fault) { f.falls(box.Habits{HoldAll: true}, "hold", "long-polling") }

// mutilated: a box does not know WebSocket, or passes no frame, or only one.
func mutilated(f *fault) {
	f.Log("without Upgrade")
	f.falls(box.Habits{NoUpgrade: true}, "upgrade", "long-polling")
	for frames := range 2 {
		f.Logf("%d frames down", frames)
		f.falls(box.Habits{Frames: &frames}, "frames", "long-polling")
	}
}

// impatient: a box cuts answers that are silent for long. The page makes them shorter, and
// the application sees nothing of it. Boxes that wait longer than the page ever is silent
// have nothing to cut.
func impatient(f *fault) {
	const idle = 10 * time.Second
	b := backend.Echo(f.T)
	hasty := f.parked(b, idle)
	var calm []*visitor
	longest := 60 * time.Second
	for _, idle := range []time.Duration{30 * time.Second, longest} {
		calm = append(calm, f.parked(b, idle))
	}
	began, cuts := time.Now(), 0
	for quiet := began; time.Since(quiet) < 3*idle || time.Since(began) < longest+idle; time.Sleep(idle / 10) {
		if now := hasty.box.Did("cut"); now != cuts {
			cuts, quiet = now, time.Now()
		}
		if cuts > 12 {
			f.Fatalf("%d answers were cut, and the page does not adapt", cuts)
		}
	}
	f.Logf("%d answers were cut until the page had adapted", cuts)
	if cuts == 0 {
		f.Error("nothing was cut: the row shows nothing")
	}
	for _, v := range append(calm, hasty) {
		var states []string
		v.page.Eval(&states, `() => scenarios.parkedStates()`)
		if len(states) != 1 || states[0] != "online" {
			f.Errorf("the state of the socket that waited is %q", states)
		}
		v.talk(b, 20, 700)
	}
	for _, v := range calm {
		if n := v.box.Did("cut"); n > 0 {
			f.Errorf("a box that is more patient than the page cut %d answers", n)
		}
	}
}

// parked is a page with a socket that has nothing to say, behind a box that cuts answers
// that are silent for so long.
func (f *fault) parked(b *backend.Backend, idle time.Duration) *visitor {
	f.Helper()
	v := f.visit(box.Habits{CutIdle: idle}, f.transport)
	v.page.Eval(nil, `(args) => scenarios.park(args)`, map[string]any{"host": b.Host(), "port": b.Port(), "transports": v.transports, "count": 1})
	return v
}

// rewritten: a box caches, compresses, adds a charset and repeats requests.
func rewritten(f *fault) {
	const down, up, n = 51, 52, 200_000
	h := box.Habits{Cache: true, Repeat: true, Charset: true, Gzip: true}
	v := f.visit(h, f.transport)
	b := backend.Exchange(f.T, down, up, n)
	var got struct{ Received int64 }
	v.page.Eval(&got, `(args) => scenarios.exchange(args)`, map[string]any{
		"host": b.Host(), "port": b.Port(), "transports": v.transports, "bytes": n, "down": down, "up": up,
	})
	f.ended(b)
	if got.Received != n {
		f.Errorf("the page got %d bytes, want %d", got.Received, n)
	}
	if v.box.Did("gzip") == 0 || v.box.Did("charset") == 0 {
		f.Error("the box rewrote nothing: the row shows nothing")
	}
	f.Logf("repeated %d, from the cache %d, compressed %d", v.box.Did("repeat"), v.box.Did("cache"), v.box.Did("gzip"))
	if get[f.transport] && f.transport != "jsonp" { // whose answers end, and each address is another
		f.stale()
	}
}

// stale: a box ends answers that say nothing, and gives them again to who asks the same.
func (f *fault) stale() {
	v := f.visit(box.Habits{Cache: true, EndIdle: 500 * time.Millisecond}, f.transport)
	b := backend.Echo(f.T)
	v.page.Eval(nil, `(args) => scenarios.park(args)`, map[string]any{"host": b.Host(), "port": b.Port(), "transports": v.transports, "count": 1})
	until(f, "answers to be ended", func() bool { return v.box.Did("end")+v.box.Did("cache") >= 5 })
	v.talk(b, 20, 700)
	f.Logf("%d answers were ended, %d came from the cache", v.box.Did("end"), v.box.Did("cache"))
	if n := v.box.Did("cache"); n > 0 {
		f.Errorf("the page asked %d times for what it had asked for before", n)
	}
}
