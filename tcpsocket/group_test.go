package tcpsocket

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"encke/cause"
	"encke/whitelist"
)

func newGroup(t *testing.T, opener Opener, opts Options) (*Server, *Group) {
	t.Helper()
	if opener == nil {
		rules, err := whitelist.New("127.0.0.1:*")
		if err != nil {
			t.Fatal(err)
		}
		opener = NewDialer(rules, DialOptions{})
	}
	v := NewServer(opener, opts)
	g := v.Group(Caller{})
	t.Cleanup(func() {
		g.Close(cause.Closed.Err())
		v.Wait()
	})
	return v, g
}

func (g *Group) mustDial(t *testing.T, dest whitelist.Dest) *Backend {
	t.Helper()
	b, err := g.Dial(t.Context(), dest, OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGroupRelaysAndHalfCloses(t *testing.T) {
	v, g := newGroup(t, nil, Options{})
	dest, conns := listen(t)
	b := g.mustDial(t, dest)
	far := <-conns
	defer far.Close()
	if _, err := b.Write([]byte("up")); err != nil {
		t.Fatal(err)
	}
	if err := b.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(far); err != nil || string(got) != "up" {
		t.Errorf("the backend got %q, %v, want up and the end", got, err)
	}
	if _, err := far.Write([]byte("down")); err != nil {
		t.Fatal(err)
	}
	far.Close()
	if got, err := io.ReadAll(b); err != nil || string(got) != "down" {
		t.Errorf("got %q, %v, want down and the end", got, err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := b.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a second Close: %v, want net.ErrClosed", err)
	}
	if s := v.Stats(); s.In != 2 || s.Out != 4 || s.Open != 0 || s.Opened != 1 || s.Ended[cause.Closed] != 1 {
		t.Errorf("counted %+v, want 2 bytes in, 4 out, one socket opened and closed", s)
	}
}

// Reader and Writer do what Read and Write do, and count it.
func TestGroupReadsWithoutABuffer(t *testing.T) {
	v, g := newGroup(t, nil, Options{})
	dest, conns := listen(t)
	b := g.mustDial(t, dest)
	far := <-conns
	if n, err := b.Writer()([]byte("up")); n != 2 || err != nil {
		t.Errorf("Writer wrote %d, %v, want 2", n, err)
	}
	var into []byte
	read := b.Reader(func() []byte { into = make([]byte, 16); return into }, func() { into = nil })
	if _, err := far.Write([]byte("down")); err != nil {
		t.Fatal(err)
	}
	if n, err := read(); err != nil || string(into[:n]) != "down" {
		t.Errorf("Reader read %q, %v, want down", into[:n], err)
	}
	far.Close()
	if _, err := read(); err == nil || into != nil {
		t.Errorf("at the end: %v and a buffer of %d, want an error and none", err, len(into))
	}
	b.Close()
	if s := v.Stats(); s.In != 2 || s.Out != 4 {
		t.Errorf("counted %d in and %d out, want 2 and 4", s.In, s.Out)
	}
}

// What a client sent before it closed arrives, though the backend said things that
// nobody read.
func TestGroupCloseKeepsTheTail(t *testing.T) {
	_, g := newGroup(t, nil, Options{})
	dest, conns := listen(t)
	b := g.mustDial(t, dest)
	far := <-conns
	defer far.Close()
	far.Write([]byte("unread"))
	b.Read(make([]byte, 1))
	b.Write([]byte("tail"))
	b.Close()
	if got, err := io.ReadAll(far); err != nil || string(got) != "tail" {
		t.Errorf("the backend got %q, %v, want tail and the end", got, err)
	}
}

func TestGroupHasTheLimitsOfAMux(t *testing.T) {
	dest, _ := listen(t)
	for _, c := range []struct {
		name   string
		opts   Options
		caller Caller
	}{
		{"of a session", Options{MaxSockets: 1, OpenBurst: 9}, Caller{}},
		{"of a target", Options{MaxPerTarget: 1}, Caller{}},
		{"in a time", Options{OpenRate: 1, OpenBurst: 1}, Caller{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, g := newGroup(t, nil, c.opts)
			g.mustDial(t, dest)
			if _, err := g.Dial(t.Context(), dest, OpenOptions{}); !errors.Is(err, cause.Limit.Err()) {
				t.Errorf("the second socket: %v, want limit", err)
			}
		})
	}
}

func TestGroupRefusesWhatRulesDo(t *testing.T) {
	v, g := newGroup(t, nil, Options{})
	dest, err := whitelist.ParseHostPort("127.0.0.2:80")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Dial(t.Context(), dest, OpenOptions{}); !errors.Is(err, cause.Denied.Err()) {
		t.Errorf("got %v, want denied", err)
	}
	if s := v.Stats(); s.Open != 0 || s.Ended[cause.Denied] != 1 {
		t.Errorf("counted %+v, want one denied and none open", s)
	}
}

func TestGroupCloseResetsBackends(t *testing.T) {
	for _, why := range []*cause.Error{cause.SessionLost.Err(), cause.Closed.Err()} {
		_, g := newGroup(t, nil, Options{})
		dest, conns := listen(t)
		g.mustDial(t, dest)
		far := <-conns
		defer far.Close()
		g.Close(why)
		if _, err := far.Read(make([]byte, 1)); err == nil || err == io.EOF {
			t.Errorf("%v: the backend read %v, want a reset", why, err)
		}
		if _, err := g.Dial(t.Context(), dest, OpenOptions{}); !errors.Is(err, why) {
			t.Errorf("%v: a socket after the end: %v", why, err)
		}
	}
}

// Who asked for a socket may want it no longer.
func TestGroupDialEndsWithItsContext(t *testing.T) {
	v, g := newGroup(t, dialFunc(func(ctx context.Context, _ whitelist.Dest, _ OpenOptions) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}), Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.Dial(ctx, whitelist.Dest{Host: "a.example", Port: 80}, OpenOptions{}); !errors.Is(err, cause.Closed.Err()) {
		t.Errorf("got %v, want closed", err)
	}
	if s := v.Stats(); s.Open != 0 || s.Ended[cause.Closed] != 1 {
		t.Errorf("counted %+v, want one closed and none open", s)
	}
}

// A group may be closed while a socket is connecting.
func TestGroupClosedWhileDialing(t *testing.T) {
	dialing, dialed := make(chan struct{}), make(chan struct{})
	near, far := net.Pipe()
	defer far.Close()
	_, g := newGroup(t, dialFunc(func(context.Context, whitelist.Dest, OpenOptions) (net.Conn, error) {
		close(dialing)
		<-dialed
		return near, nil
	}), Options{})
	result := make(chan error, 1)
	go func() {
		_, err := g.Dial(context.Background(), whitelist.Dest{Host: "a.example", Port: 80}, OpenOptions{})
		result <- err
	}()
	<-dialing
	g.Close(cause.GoingAway.Err())
	close(dialed)
	if err := <-result; !errors.Is(err, cause.GoingAway.Err()) {
		t.Errorf("got %v, want going-away", err)
	}
	if _, err := far.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the connection that came too late: %v, want it closed", err)
	}
}

// Server.Wait waits for the goroutines of a group; a panic in one ends the session.
func TestGroupGo(t *testing.T) {
	v := NewServer(dialFunc(nil), Options{})
	ended := make(chan *cause.Error, 1)
	g := v.Group(Caller{End: func(why *cause.Error) { ended <- why }})
	done := false
	release := make(chan struct{})
	g.Go(func() { <-release; done = true })
	g.Go(func() { panic("as a fault of ours would") })
	if why := <-ended; why.Code != cause.Internal {
		t.Errorf("the session ended with %v, want internal", why)
	}
	close(release)
	v.Wait()
	if !done {
		t.Error("Wait did not wait for a goroutine")
	}
	g.Close(cause.Closed.Err())
}
