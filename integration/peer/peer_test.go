package peer_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"encke/cause"
	"encke/cmd/encke/app"
	"encke/integration/backend"
	"encke/integration/inprocess"
	"encke/integration/peer"
	"encke/integration/relay"
	"encke/transports"
)

// start runs a proxy in this process that allows the backends.
func start(t *testing.T, allow ...*backend.Backend) *app.App {
	t.Helper()
	cfg := app.Config{Transports: transports.All(), Linger: 2 * time.Second, Heartbeat: 5 * time.Second}
	cfg.AddressHandshakes, cfg.AddressUpgrades = -1, -1 // all come from here
	for _, b := range allow {
		cfg.Allow = append(cfg.Allow, b.Addr())
	}
	return inprocess.Start(t, cfg)
}

func dial(t *testing.T, o peer.Options) *peer.Peer {
	t.Helper()
	p, err := peer.Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// exchange sends n bytes of stream in and FIN over a new socket to b, which is an
// Exchange, while it reads and checks n bytes of stream out.
func exchange(t *testing.T, p *peer.Peer, b *backend.Backend, out, in uint32, n int64) {
	t.Helper()
	conn, err := p.Open(t.Context(), b.Host(), b.Port())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	sent := make(chan error, 1)
	go func() { // until sent, or conn is closed
		data := make([]byte, n)
		backend.Fill(data, in, 0)
		_, err := conn.Write(data)
		if err == nil {
			err = conn.CloseWrite()
		}
		sent <- err
	}()
	got, err := io.ReadAll(conn)
	if err == nil {
		err = backend.Check(got, out, 0)
	}
	if err == nil && int64(len(got)) != n {
		err = fmt.Errorf("got %d of %d bytes", len(got), n)
	}
	if err := errors.Join(err, <-sent, <-b.Ended()); err != nil {
		t.Errorf("%v; the session: %v; %+v", err, p.Err(), p.Stats())
	}
}

func each(t *testing.T, f func(t *testing.T, transport string)) {
	for _, transport := range peer.Transports() {
		t.Run(transport, func(t *testing.T) { f(t, transport) })
	}
}

func TestExchange(t *testing.T) {
	const n = 300_000
	each(t, func(t *testing.T, transport string) {
		b := backend.Exchange(t, 1, 2, n)
		a := start(t, b)
		p := dial(t, peer.Options{Base: a.URL(), Transport: transport})
		exchange(t, p, b, 1, 2, n)
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if !errors.Is(p.Err(), cause.Closed.Err()) {
			t.Errorf("a closed session ended with %v", p.Err())
		}
		// The proxy answers that the session is over before it counts it.
		for end := time.Now().Add(10 * time.Second); a.Stats().Sessions.Live > 0 && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		if st := a.Stats().Sessions; st.Opened != 1 || st.Live != 0 || st.Closed[cause.Closed] != 1 {
			t.Errorf("the proxy had %d sessions, has %d, closed %v", st.Opened, st.Live, st.Closed)
		}
	})
}

func TestCut(t *testing.T) {
	each(t, func(t *testing.T, transport string) {
		b := backend.Echo(t)
		a := start(t, b)
		// On a connection used before, net/http repeats a GET by itself, as browsers do;
		// then nobody hears of the cut.
		p := dial(t, peer.Options{Base: a.URL(), Transport: transport, FreshConns: transport == "jsonp"})
		conn, err := p.Open(t.Context(), b.Host(), b.Port())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for i := range 30 {
			p.Cut()
			want := fmt.Appendf(nil, "after cut %d", i)
			if _, err := conn.Write(want); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, len(want))
			if _, err := io.ReadFull(conn, got); err != nil || string(got) != string(want) {
				t.Fatalf("echo of %q was %q, %v", want, got, err)
			}
		}
		if st := a.Stats().Sessions; st.Opened != 1 {
			t.Errorf("%d sessions were opened", st.Opened)
		}
		if st := p.Stats(); st.Cuts < 30 || st.Resumes+st.Repeated == 0 {
			t.Errorf("after 30 cuts: %+v", st)
		}
	})
}

func TestSwitch(t *testing.T) {
	const n = 1 << 20
	b, pong := backend.Exchange(t, 3, 4, n), backend.Echo(t)
	a := start(t, b, pong)
	p := dial(t, peer.Options{Base: a.URL()})
	ping, err := p.Open(t.Context(), pong.Host(), pong.Port())
	if err != nil {
		t.Fatal(err)
	}
	defer ping.Close()
	done := make(chan struct{})
	go func() { // until the exchange is over
		defer close(done)
		exchange(t, p, b, 3, 4, n)
	}()
	for range 2 {
		for _, transport := range peer.Transports() {
			if err := p.Switch(t.Context(), transport); err != nil {
				t.Errorf("switch to %s: %v", transport, err)
			}
			if got := p.Transport(); got != transport {
				t.Errorf("after the switch to %s the transport is %s", transport, got)
			}
			// The proxy knows a client that changes links often from two that fight for
			// a session by what it has received on each.
			var answer [1]byte
			if _, err := ping.Write([]byte{1}); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(ping, answer[:]); err != nil {
				t.Fatal(err)
			}
		}
	}
	<-done
	if st := a.Stats().Sessions; st.Opened != 1 {
		t.Errorf("%d sessions were opened", st.Opened)
	}
}

// What the proxy answers once is final for a peer: it neither hangs nor tries for ever.
func TestCauses(t *testing.T) {
	each(t, func(t *testing.T, transport string) {
		b := backend.Echo(t)
		a := start(t, b)
		p := dial(t, peer.Options{Base: a.URL(), Transport: transport})
		if _, err := p.Open(t.Context(), "127.0.0.1", backend.Refuse(t)); !errors.Is(err, cause.Denied.Err()) {
			t.Errorf("open of a target that is not allowed: %v", err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		<-p.Done()
		// Between two polls nobody can be told; then the proxy is gone.
		between := transport == "long-polling" || transport == "jsonp"
		if !errors.Is(p.Err(), cause.GoingAway.Err()) && !(between && errors.Is(p.Err(), cause.SessionLost.Err())) {
			t.Errorf("the session ended with %v", p.Err())
		}
	})
}

func TestNobodyListens(t *testing.T) {
	each(t, func(t *testing.T, transport string) {
		_, err := peer.Dial(t.Context(), peer.Options{Base: fmt.Sprintf("http://127.0.0.1:%d", backend.Refuse(t)), Transport: transport, GiveUp: time.Millisecond})
		if !errors.Is(err, cause.NoTransport.Err()) {
			t.Errorf("dial of a port on which nobody listens: %v", err)
		}
	})
}

// A network that swallows everything is noticed, and the session goes on.
func TestSilence(t *testing.T) {
	each(t, func(t *testing.T, transport string) {
		t.Parallel()
		b := backend.Echo(t)
		a := start(t, b)
		r := relay.New(t, a.Addr().String())
		p := dial(t, peer.Options{Base: "http://" + r.Addr(), Origin: "http://" + r.Addr(), Transport: transport, Hold: time.Second, Grace: time.Second, Answer: time.Second})
		conn, err := p.Open(t.Context(), b.Host(), b.Port())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		r.Freeze()
		if _, err := conn.Write([]byte("still there?")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, 12)); err != nil {
			t.Errorf("%v; the session: %v", err, p.Err())
		}
	})
}
