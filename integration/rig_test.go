package integration

import (
	"net"
	"strconv"
	"testing"
	"time"

	"encke/integration/backend"
	"encke/integration/browser"
	"encke/integration/pages"
	"encke/integration/proxy"
	"encke/integration/relay"
)

// cell is one place of the matrix: a browser and a transport.
type cell struct {
	browser   browser.Kind
	transport string
}

// rig is what a scenario runs on: a page, of another origin than the proxy, whose way to
// the proxy leads through a relay. It loads the client through the relay too, so that
// the client's default address of the proxy is the relay's.
type rig struct {
	t          *testing.T
	page       *browser.Page
	relay      *relay.Relay
	proxy      *proxy.Proxy
	transports []string
}

// rig starts a proxy that allows the backends, and opens a page that uses the cell's
// transport, or the given ones in their order.
func (c cell) rig(t *testing.T, allow []*backend.Backend, transports ...string) *rig {
	t.Helper()
	var targets []string
	for _, b := range allow {
		targets = append(targets, b.Addr())
	}
	return c.rigAllowing(t, targets, transports...)
}

// rigAllowing is rig for targets of any kind, HOST:PORT.
func (c cell) rigAllowing(t *testing.T, allow []string, transports ...string) *rig {
	t.Helper()
	if len(transports) == 0 {
		transports = []string{c.transport}
	}
	var site pages.Site
	origin := site.Serve(t)
	r := &rig{t: t, transports: transports}
	r.proxy = encke(t).Start(t, proxy.Options{Allow: allow, Origins: []string{origin}})
	r.relay = relay.New(t, r.proxy.Addr)
	r.page = launched(t, c.browser).Page(t)
	r.page.Goto(pages.URL(origin, "http://"+r.relay.Addr()+"/TCPSocket.js", "/scenarios.js"))
	return r
}

// hostPort is a target on this machine.
func hostPort(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// args are a scenario's arguments beside the target's host and the transports.
type args map[string]any

func (r *rig) complete(a args) args {
	a["host"] = "127.0.0.1"
	a["transports"] = r.transports
	return a
}

// run runs a scenario of pages/scenarios.js and puts what it returns into result, unless
// that is nil.
func (r *rig) run(result any, scenario string, a args) {
	r.t.Helper()
	r.page.Eval(result, `(name, args) => scenarios[name](args)`, scenario, r.complete(a))
}

// start starts a scenario that the test wants to disturb.
func (r *rig) start(scenario string, a args) {
	r.t.Helper()
	r.page.Eval(nil, `(name, args) => scenarios.start(name, args)`, scenario, r.complete(a))
}

// finish waits for the end of the scenario that start started.
func (r *rig) finish(result any) {
	r.t.Helper()
	r.page.Eval(result, `() => scenarios.finish()`)
}

// patience is a guard against hanging for ever, not a statement about how long anything
// takes.
const patience = 2 * time.Minute

// await waits for something that a channel tells.
func await[T any](t *testing.T, what string, from <-chan T) T {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(patience):
		t.Fatalf("still waiting for %s after %v", what, patience)
		panic("not reached")
	}
}

// wellEnded fails the test unless each of n connections to b ended as it should.
func wellEnded(t *testing.T, b *backend.Backend, n int) {
	t.Helper()
	for range n {
		if err := await(t, "the end of a connection to a backend", b.Ended()); err != nil {
			t.Error(err)
		}
	}
}
