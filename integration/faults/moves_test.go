package faults

import (
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"encke/csp"
	"encke/integration/backend"
	"encke/integration/proxy"
)

// moved moves a session to another technique and back, 50 times in all, while bytes go
// both ways.
func moved(f *fault) {
	f.start(proxy.Options{})
	partner := "websocket"
	if f.transport == partner {
		partner = "long-polling"
	}
	p := f.peer()
	e := f.echo(p, backend.Echo(f.T), 6)
	stop := make(chan struct{})
	var worst, said atomic.Int64
	var talk sync.WaitGroup
	var failure error
	talk.Go(func() { // until stop
		for failure == nil {
			select {
			case <-stop:
				return
			default:
			}
			began := time.Now()
			if failure = e.say(4000); failure == nil {
				worst.Store(max(worst.Load(), int64(time.Since(began))))
				said.Add(1)
			}
		}
	})
	for i := range 50 {
		to := partner
		if i%2 == 1 {
			to = f.transport
		}
		was := said.Load()
		ctx, cancel := context.WithTimeout(f.Context(), patience)
		if err := p.Switch(ctx, to); err != nil {
			f.Errorf("move %d to %s: %v", i+1, to, err)
		}
		cancel()
		until(f, "an echo after the move", func() bool { return said.Load() > was || p.Err() != nil })
	}
	close(stop)
	talk.Wait()
	if failure != nil {
		f.Fatalf("%v; the session: %v", failure, p.Err())
	}
	f.Logf("50 moves, %d echoes of 4,000 bytes, the longest took %v", said.Load(), time.Duration(worst.Load()))
	if full && worst.Load() > int64(time.Second) {
		f.Errorf("a pause of %v", time.Duration(worst.Load()))
	}
	if err := e.end(); err != nil {
		f.Error(err)
	}
}

// intruded lets others resume the session of a peer, two at once, again and again: the
// one that came last has it, the others are told, and nobody loses a byte.
func intruded(f *fault) {
	f.start(proxy.Options{})
	p := f.peer()
	e := f.echo(p, backend.Echo(f.T), 7)
	if err := e.say(1000); err != nil {
		f.Fatal(err)
	}
	const times = 10
	for i := range times {
		hello := (&csp.Record{Kind: csp.Resume, Session: []byte(p.ID()), ID: 0}).Append(nil)
		ends := make(chan error, 2)
		for range 2 {
			go func() { ends <- f.intrude(p.ID(), hello) }() // until displaced
		}
		if err := e.say(1000); err != nil {
			f.Fatalf("intrusion %d: %v; the session: %v", i+1, err, p.Err())
		}
		for range 2 {
			if err := await(f, "the end of an intruder's link", ends); err != nil {
				f.Errorf("intrusion %d: %v", i+1, err)
			}
		}
	}
	if st := p.Stats(); st.Failed > 20*times {
		f.Errorf("%d links failed after %d intrusions: the two are in a loop", st.Failed, 2*times)
	}
	f.Logf("%+v", p.Stats())
	if err := e.end(); err != nil {
		f.Error(err)
	}
}

// intrude resumes a session on a link of its own and reads to its end.
func (f *fault) intrude(id string, hello []byte) error {
	ctx, cancel := context.WithTimeout(f.Context(), patience)
	defer cancel()
	r := f.newRaw()
	r.id = id
	if f.transport != "websocket" {
		resp, err := r.request(ctx, f.transport, hello)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	ws, _, err := websocket.Dial(ctx, "http://"+f.relay.Addr()+"/session/websocket", &websocket.DialOptions{
		HTTPClient: r.http, HTTPHeader: http.Header{"Origin": {"http://" + f.relay.Addr()}},
	})
	if err != nil {
		return err
	}
	defer ws.CloseNow()
	ws.SetReadLimit(csp.MaxBody)
	if err := ws.Write(ctx, websocket.MessageBinary, hello); err != nil {
		return err
	}
	for {
		_, _, err := ws.Read(ctx)
		switch {
		case websocket.CloseStatus(err) == 4000+15: // displaced
			return nil
		case err != nil:
			return err
		}
	}
}
