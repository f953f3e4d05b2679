package faults

import (
	"sync/atomic"

	"encke/integration/backend"
	"encke/integration/proxy"
	"encke/integration/relay"
)

// way is how rows 1, 2, 7 and 8 cut: which bytes they count, and how it looks.
type way struct {
	counts relay.Way
	mode   relay.Mode
}

const (
	both, up, down = relay.Both, relay.Up, relay.Down
	reset, fin     = relay.RST, relay.FIN
)

// small is the exchange that is cut: bytes up, and the same back.
const small = 150

// abridged is how many places the short set cuts at.
const abridged = 40

// cutsAt does a small exchange again and again and cuts all links after 0, 1, 2 ... bytes
// of it, up to all there are, heads of requests and answers included.
func cutsAt(w way) func(*fault) {
	return func(f *fault) {
		f.start(proxy.Options{})
		b := backend.Echo(f.T)
		p := f.peer(freshConns)
		e := f.echo(p, b, 5)
		do := func(what string, at int64) {
			if err := e.say(small); err != nil {
				f.Fatalf("%s %d: %v; the session: %v; %+v", what, at, err, p.Err(), p.Stats())
			}
		}
		do("warm-up", 0)
		most := int64(0) // bytes of an exchange that is not cut
		for i := range 5 {
			was := f.relay.Passed()
			do("measured exchange", int64(i))
			most = max(most, f.relay.Passed()-was)
		}
		id := p.ID()
		var cuts atomic.Int64
		for n := int64(0); n <= most; n++ {
			at := n
			if !full {
				if n >= abridged {
					break
				}
				at = f.rng.Int64N(most)
			}
			if at == 0 {
				f.relay.Cut(w.mode)
				cuts.Add(1)
			} else {
				f.relay.AfterOn(w.counts, at, func() { f.relay.Cut(w.mode); cuts.Add(1) })
			}
			do("cut after", at)
		}
		f.relay.Never()
		do("after the last cut", 0)
		if err := e.end(); err != nil {
			f.Error(err)
		}
		st := p.Stats()
		f.result.Cuts, f.result.Resumed = int(cuts.Load()), st.Resumes
		f.Logf("%d cuts within %d bytes; %+v", cuts.Load(), most, st)
		if p.ID() != id || p.Err() != nil {
			f.Errorf("the session did not live: %v", p.Err())
		}
		if cuts.Load() < min(abridged, most)/8 {
			f.Errorf("only %d cuts: the row shows nothing", cuts.Load())
		}
	}
}
