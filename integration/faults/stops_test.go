package faults

import (
	"errors"
	"io"
	"net"
	"syscall"
	"time"

	"encke/cause"
	"encke/integration/backend"
	"encke/integration/peer"
	"encke/integration/process"
	"encke/integration/proxy"
	"encke/tcpsocket"
)

// drained: the proxy is asked to stop while bytes move. It takes no new connection, lets
// what is under way come to its end, tells the clients, and exits with status 0.
func drained(f *fault) {
	n := either[int64](4<<20, 512<<10)
	p := encke(f.T).Start(f.T, proxy.Options{Allow: []string{"127.0.0.1:*"}, Args: []string{"--drain", "1m"}})
	b, rest := backend.Exchange(f.T, 26, 27, n), backend.Echo(f.T)
	session, idle := f.direct(p), f.direct(p)
	parked := f.echo(idle, rest, 5)
	if err := parked.say(small); err != nil {
		f.Fatal(err)
	}
	done := f.exchange(session, b, 26, 27, n)
	// Up too: it then has all connections that it needs, and gets no more.
	until(f, "bytes to move both ways", func() bool { return b.Read() > n/10 && b.Written() > n/10 })
	p.Terminate()
	until(f, "the listener to close", func() bool {
		conn, err := net.Dial("tcp", p.Addr)
		if err == nil {
			_ = conn.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	})
	if err := await(f, "what was under way", done); err != nil {
		f.Errorf("I1: %v; the session: %v", err, session.Err())
	}
	if _, err := session.Open(f.Context(), rest.Host(), rest.Port()); err == nil {
		f.Error("a socket was opened while the proxy drains")
	}
	// An idle socket would hold the proxy for the whole of its drain time.
	if err := parked.say(small); err != nil {
		f.Errorf("I1: a socket that was open: %v", err)
	}
	if err := parked.end(); err != nil {
		f.Errorf("I1: a socket that was open: %v", err)
	}
	for _, s := range []*peer.Peer{session, idle} {
		await(f, "the end of a session", s.Done())
		if !errors.Is(s.Err(), cause.GoingAway.Err()) {
			f.Errorf("I2: a session ended with %v, want going-away", s.Err())
		}
	}
	await(f, "the proxy's end", p.Ended()) // its status is checked when the test ends
}

// direct opens a session without a relay.
func (f *fault) direct(p *proxy.Proxy, change ...func(*peer.Options)) *peer.Peer {
	f.Helper()
	o := peer.Options{Base: "http://" + p.Addr, Transport: f.transport}
	for _, c := range change {
		c(&o)
	}
	s, err := peer.Dial(f.Context(), o)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	return s
}

// killed: the proxy is killed and another one takes its place. Clients learn at their
// next request that the session is lost, backends hear it from the kernel.
func killed(f *fault) {
	options := proxy.Options{Allow: []string{"127.0.0.1:*"}, Args: brisk}
	first := encke(f.T).Start(f.T, options)
	b := backend.Source(f.T, 28, 1<<40)
	p := f.direct(first, briskly)
	conn, err := p.Open(f.Context(), b.Host(), b.Port())
	if err != nil {
		f.Fatal(err)
	}
	pos, err := prefix(conn, 28, 300_000)
	if err != nil {
		f.Fatal(err)
	}
	first.Kill()
	if err := await(f, "the backend's end", b.Ended()); err == nil {
		f.Error("I2: the backend saw a clean end")
	}
	options.Listen = first.Addr
	began := time.Now()
	second := encke(f.T).Start(f.T, options)
	f.Logf("the second proxy listened after %v", time.Since(began))
	began = time.Now()
	await(f, "the end of the session", p.Done())
	f.Logf("the client knew after %v", time.Since(began))
	if !errors.Is(p.Err(), cause.SessionLost.Err()) {
		f.Errorf("I2: the session ended with %v, want session-lost", p.Err())
	}
	if full && time.Since(began) > 15*time.Second {
		f.Errorf("I2: the client knew only after %v", time.Since(began))
	}
	rest, err := prefix(conn, 28, 1<<40, pos)
	if !errors.Is(err, cause.SessionLost.Err()) {
		f.Errorf("I2: the socket ended after %d bytes more with %v, want session-lost", rest, err)
	}
	e := f.echo(f.direct(second), backend.Echo(f.T), 5)
	if err := errors.Join(e.say(small), e.end()); err != nil {
		f.Error(err)
	}
}

// prefix reads and checks n bytes of stream key, from a position on.
func prefix(r io.Reader, key uint32, n int64, from ...int64) (pos int64, err error) {
	if len(from) > 0 {
		pos = from[0]
	}
	buf := make([]byte, 16<<10)
	for pos < n {
		got, err := r.Read(buf[:min(int64(len(buf)), n-pos)])
		if wrong := backend.Check(buf[:got], key, pos); wrong != nil {
			return pos, wrong
		}
		pos += int64(got)
		if err != nil {
			return pos, err
		}
	}
	return pos, nil
}

// stalled: all threads of the proxy stop for a while, longer than it waits for a sign of
// life. Nobody is given up for that when they go on.
func stalled(f *fault) {
	f.everybody = true
	f.start(proxy.Options{Args: brisk})
	b := backend.Echo(f.T)
	var echoes []*echo
	var ids []string
	for range either(10, 3) {
		p := f.peer(briskly)
		e := f.echo(p, b, 5)
		if err := e.say(small); err != nil {
			f.Fatal(err)
		}
		echoes, ids = append(echoes, e), append(ids, p.ID())
	}
	pid := process.Process(f.proxy.PID())
	pid.Stop(f.T)
	f.Cleanup(pid.Continue)
	time.Sleep(either(30*time.Second, 3*time.Second))
	pid.Continue()
	for i, e := range echoes {
		p := f.peers[i]
		if err := e.say(1000); err != nil {
			f.Errorf("I1: session %d: %v; %v", i, err, p.Err())
			continue
		}
		if p.ID() != ids[i] {
			f.Errorf("session %d is another one", i)
		}
		if err := e.end(); err != nil {
			f.Errorf("session %d: %v", i, err)
		}
	}
}

// noDescriptors: the proxy has no descriptor left. Sessions that exist go on, it does not
// spin, and when there are some again it takes new sessions.
func noDescriptors(f *fault) {
	f.start(proxy.Options{})
	b := backend.Echo(f.T)
	p := f.peer()
	e := f.echo(p, b, 5)
	if err := e.say(small); err != nil {
		f.Fatal(err)
	}
	pid := process.Process(f.proxy.PID())
	restore := pid.LimitFiles(f.T, pid.Files()+8)
	defer restore()
	var hogs []net.Conn
	for range 40 { // more than it can take, fewer than wait in the kernel
		conn, err := net.Dial("tcp", f.proxy.Addr)
		if err != nil {
			break
		}
		hogs = append(hogs, conn)
		if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"); err != nil {
			break
		}
	}
	until(f, "the descriptors to run out", func() bool { return pid.Files() >= f.before.files+8 })
	var err error
	var conn *tcpsocket.Conn
	if conn, err = p.Open(f.Context(), b.Host(), b.Port()); err == nil {
		_ = conn.Close() // it may have got the last one
	} else if why := new(cause.Error); !errors.As(err, &why) {
		f.Errorf("I2: a socket that can not be had: %v", err)
	} else {
		f.Logf("a socket that can not be had: %v", err)
	}
	used, began := pid.CPU(), time.Now()
	for time.Since(began) < 2*time.Second {
		if err := e.say(small); err != nil {
			f.Fatalf("I1: a session that was there: %v; %v", err, p.Err())
		}
		time.Sleep(100 * time.Millisecond)
	}
	share := (pid.CPU() - used).Seconds() / time.Since(began).Seconds()
	f.Logf("%.1f%% of a processor while there was no descriptor", share*100)
	if share > 0.2 {
		f.Errorf("the proxy used %.0f%% of a processor while there was no descriptor", share*100)
	}
	for _, hog := range hogs {
		_ = hog.Close()
	}
	restore()
	began = time.Now()
	again := f.peer()
	f.Logf("a new session after %v", time.Since(began))
	n := f.echo(again, b, 6)
	if err := errors.Join(n.say(small), n.end(), e.end()); err != nil {
		f.Error(err)
	}
}
