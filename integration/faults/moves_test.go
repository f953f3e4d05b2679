package faults

import (
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"encke/cause"
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
		ctx, cancel := context.WithTimeout(f.Context(), patience)
		if err := p.Switch(ctx, to); err != nil {
			f.Errorf("move %d to %s: %v", i+1, to, err)
		}
		cancel()
		// The second one began after the move, so that the new link has carried it: a
		// link that carries nothing before the next comes is taken for a stranger's.
		was := said.Load()
		until(f, "echoes after the move", func() bool { return said.Load() > was+1 || p.Err() != nil })
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

// intruded lets others resume the session of a peer, two at once. Once, it gets over
// that: the one that came last has the session, the others are told, and no byte is lost.
// When they insist, it goes on like that or ends with a cause; it is not fought over for
// ever.
func intruded(f *fault) {
	f.start(proxy.Options{})
	p := f.peer()
	e := f.echo(p, backend.Echo(f.T), 7)
	if err := e.say(1000); err != nil {
		f.Fatal(err)
	}
	hello := (&csp.Record{Kind: csp.Resume, Session: []byte(p.ID()), ID: 0}).Append(nil)
	ends := make(chan error, 2)
	intrude := func() error {
		for range 2 {
			go func() { ends <- f.intrude(p.ID(), hello) }() // until displaced, or the session is over
		}
		err := e.say(1000)
		for range 2 {
			if end := await(f, "the end of an intruder's link", ends); end != nil && p.Err() == nil {
				f.Errorf("an intruder's link: %v", end)
			}
		}
		return err
	}
	if err := intrude(); err != nil {
		f.Fatalf("two intruders: %v; the session: %v", err, p.Err())
	}
	for i := range 20 {
		if err := intrude(); err != nil {
			f.Logf("the session ended with the intruders %d and %d", 2*i+3, 2*i+4)
			f.want("the end of a session that is fought over", err, cause.Displaced)
			return
		}
	}
	if st := p.Stats(); st.Failed > 400 {
		f.Errorf("%d links failed after 42 intruders: they are in a loop", st.Failed)
	}
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
