package faults

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"encke/integration/backend"
	"encke/integration/netns"
	"encke/integration/peer"
	"encke/integration/proxy"
	"encke/integration/relay"
)

// TestFaults runs every row on every transport: TestFaults/row-07/long-polling.
func TestFaults(t *testing.T) {
	t.Logf("SEED=%d", seed)
	for _, r := range rows {
		if len(onlyRows) > 0 && !slices.Contains(onlyRows, strconv.Itoa(r.number)) ||
			len(onlyRows) == 0 && !full && !r.short {
			continue
		}
		t.Run(fmt.Sprintf("row-%02d", r.number), func(t *testing.T) {
			for _, transport := range transports {
				if len(onlyTransp) > 0 && !slices.Contains(onlyTransp, transport) {
					continue
				}
				if why, not := r.not[transport]; not {
					note(result{Row: r.number, Transport: transport, Result: notApplicable, Why: why})
					continue
				}
				t.Run(transport, func(t *testing.T) { r.test(t, transport) })
			}
		})
	}
}

// fault is one run of a row on one transport.
type fault struct {
	*testing.T
	row       row
	transport string
	rng       *rand.Rand // the same for the same SEED
	result    result

	proxy     *proxy.Proxy
	relay     *relay.Relay // between the peers and the proxy
	wire      *netns.Wire  // in its place, nil: the relay is there
	peers     []*peer.Peer
	leaving   []func() // ends what else has sessions
	resting   []func() // closes connections to the proxy that nothing uses
	origin    string   // of pages, once there are any
	neighbour *neighbour
	nextDoor  *backend.Backend // an echo for the neighbour; nil: one of its own
	before    inside
	everybody bool // the fault is the neighbour's too: it must live, not be answered
	loud      bool // the row makes the proxy log much
	faulty    bool // the row makes the proxy panic
}

func (r row) test(t *testing.T, transport string) {
	f := &fault{T: t, row: r, transport: transport, result: result{Row: r.number, Transport: transport}}
	f.rng = rand.New(rand.NewPCG(uint64(seed), uint64(r.number)<<8|uint64(slices.Index(transports, transport))))
	began := time.Now()
	t.Cleanup(func() { // last, when the proxy has ended too
		f.result.Seconds = time.Since(began).Seconds()
		switch {
		case t.Failed():
			f.result.Result = failed
		case t.Skipped():
			f.result.Result = skipped
		default:
			f.result.Result = passed
		}
		note(f.result)
	})
	r.run(f)
	if f.proxy != nil {
		f.settle()
	}
}

// skip ends the row because this machine cannot do what it needs.
func (f *fault) skip(why string) {
	f.Helper()
	f.result.Why = why
	f.Skip("SKIPPED: " + why)
}

// start starts the proxy, a relay in front of it, and the neighbour, and looks at the
// proxy before anything is broken. Options are completed: every port of this machine is
// allowed, except for a row that says otherwise.
func (f *fault) start(o proxy.Options) {
	f.Helper()
	f.startAs(encke(f.T), o)
}

// startAs is start for another command.
func (f *fault) startAs(c proxy.Command, o proxy.Options) {
	f.Helper()
	if o.Allow == nil {
		o.Allow = []string{"127.0.0.1:*"}
	}
	f.proxy = c.Start(f.T, o)
	f.relay = relay.New(f.T, f.proxy.Addr)
	f.begin()
}

// begin opens the neighbour's session and looks at the proxy before anything is broken.
func (f *fault) begin() {
	f.Helper()
	f.neighbour = settleIn(f)
	warm := f.peer()
	if err := warm.Close(); err != nil {
		f.Fatal(err)
	}
	f.peers = nil
	f.before = f.look()
}

// peer opens a session over the row's transport, through the relay.
func (f *fault) peer(change ...func(*peer.Options)) *peer.Peer {
	f.Helper()
	return f.peerOver(f.transport, change...)
}

func (f *fault) peerOver(transport string, change ...func(*peer.Options)) *peer.Peer {
	f.Helper()
	o := peer.Options{Transport: transport}
	if f.wire == nil {
		o.Base = "http://" + f.relay.Addr()
	} else {
		o.Base, o.Dial = "http://"+f.proxy.Addr, f.wire.Client.Dial
	}
	for _, c := range change {
		c(&o)
	}
	p, err := peer.Dial(f.Context(), o)
	if err != nil {
		f.Fatal(err)
	}
	f.peers = append(f.peers, p)
	f.Cleanup(func() { _ = p.Close() })
	return p
}

// freshConns makes a peer use a TCP connection for each request, so that net/http
// repeats none of them by itself.
func freshConns(o *peer.Options) { o.FreshConns = true }

// patience is a guard against hanging for ever, not a statement about how long anything
// takes.
const patience = 2 * time.Minute

// await waits for something that a channel tells.
func await[T any](f *fault, what string, from <-chan T) T {
	f.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(patience):
		f.Fatalf("still waiting for %s after %v", what, patience)
		panic("not reached")
	}
}

// until waits for something that can only be looked at.
func until(f *fault, what string, is func() bool) {
	f.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			f.Fatalf("still waiting for %s after %v", what, patience)
		}
	}
}
