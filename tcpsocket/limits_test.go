package tcpsocket

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/whitelist"
)

// answersTo returns the answers to the frames: the cause of the RESET for each
// socket that was refused.
func (m *muxOnly) refusals() map[uint64]cause.Code {
	all := make(map[uint64]cause.Code)
	for {
		select {
		case f := <-m.sent:
			if f.Type == Reset {
				all[f.Socket] = cause.Code(f.Cause)
			}
		default:
			return all
		}
	}
}

func (m *muxOnly) mustReceive(t *testing.T, frames ...Frame) {
	t.Helper()
	if err := m.Receive(wireOf(frames...)); err != nil {
		t.Fatal(err)
	}
}

// A page may open its sockets at once, but not go on like that.
func TestOpenRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMux(t, Options{MaxSockets: 10_000, OpenBurst: 64})
		id := uint64(0)
		opened := func(n int) (refused int) {
			for range n {
				id++
				m.mustReceive(t, openFrame(id))
				synctest.Wait()
			}
			for _, code := range m.refusals() {
				if code != cause.Limit {
					t.Errorf("refused with %v, want limit", code)
				}
				refused++
			}
			return refused
		}
		if n := opened(64); n != 0 {
			t.Errorf("%d of 64 sockets at once were refused", n)
		}
		if n := opened(10); n != 10 {
			t.Errorf("%d of 10 more were refused, want all", n)
		}
		time.Sleep(time.Second)
		if n := opened(20); n != 10 {
			t.Errorf("a second later %d of 20 were refused, want 10", n)
		}
		if n := m.server.Stats().LimitRate; n != 20 {
			t.Errorf("%d counted, want 20", n)
		}
	})
}

// All pages together open 1,000 sockets to one target, and as many to another.
func TestSocketsPerTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMux(t, Options{MaxPerTarget: 3})
		other := &muxOnly{sent: make(chan Frame, 100)}
		other.Mux = m.server.Mux(other, Caller{})
		defer other.Closed(cause.SessionLost.Err())
		m.mustReceive(t, openFrame(1), openFrame(2))
		other.mustReceive(t, openFrame(1), openFrame(2))
		synctest.Wait()
		if got := other.refusals(); len(m.refusals()) != 0 || len(got) != 1 || got[2] != cause.Limit {
			t.Errorf("refused: %v, want the fourth socket", got)
		}
		elsewhere := openFrame(3)
		elsewhere.Port = 81
		other.mustReceive(t, elsewhere, Frame{Type: Reset, Socket: 1}, openFrame(4))
		synctest.Wait()
		if got := other.refusals(); len(got) != 0 {
			t.Errorf("refused: %v; one socket was for another port, one had ended", got)
		}
		if n := m.server.Stats().LimitTarget; n != 1 {
			t.Errorf("%d counted, want 1", n)
		}
	})
}

// What a socket takes of its caller's share it gives back, whatever becomes of it.
func TestSocketsPerCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMux(t, Options{MaxPerTarget: 2})
		var mu sync.Mutex
		taken := 0
		m.Mux = m.server.Mux(m, Caller{
			Take: func() bool {
				mu.Lock()
				defer mu.Unlock()
				if taken == 3 {
					return false
				}
				taken++
				return true
			},
			Give: func() {
				mu.Lock()
				defer mu.Unlock()
				taken--
			},
		})
		elsewhere := openFrame(4)
		elsewhere.Port = 81
		last := openFrame(5)
		last.Port = 82
		m.mustReceive(t, openFrame(1), openFrame(2), openFrame(3), elsewhere, last)
		synctest.Wait()
		if got := m.refusals(); len(got) != 2 || got[3] != cause.Limit || got[5] != cause.Limit {
			t.Errorf("refused: %v, want the third, for its target, and the fifth", got)
		}
		if st := m.server.Stats(); st.LimitCaller != 1 || st.LimitTarget != 1 {
			t.Errorf("%d and %d counted, want 1 each", st.LimitCaller, st.LimitTarget)
		}
		m.mustReceive(t, Frame{Type: Reset, Socket: 1}, Frame{Type: Close, Socket: 2})
		m.Closed(cause.SessionLost.Err())
		m.server.Wait()
		if taken != 0 {
			t.Errorf("%d sockets still count", taken)
		}
	})
}

// No page learns from the limit of a target that it is not allowed anyway, and no
// ended or refused socket counts.
func TestTargetsAreForgotten(t *testing.T) {
	m := newMux(t, Options{MaxSockets: 2, OpenBurst: 3})
	m.mustReceive(t, openFrame(1), openFrame(2), openFrame(3), openFrame(4), openFrame(5),
		Frame{Type: Open, Socket: 6, Port: 0}, Frame{Type: Reset, Socket: 1})
	m.Closed(cause.SessionLost.Err())
	m.server.Wait()
	if n := len(m.server.targets.n); n != 0 {
		t.Errorf("%d targets are counted after the end of all sockets", n)
	}
}

// The windows of a session are bounded together: what does not fit stays at the
// first 64 KiB, and gets along with it.
func TestWindowsOfASession(t *testing.T) {
	r := newRig(t, nil, Options{Window: 256 << 10, MaxWindows: 300 << 10})
	first, firstFar := r.pair()
	second, secondFar := r.pair()
	for _, tt := range []struct {
		name string
		s    *Conn
		far  *net.TCPConn
		want int
	}{{"first", first, firstFar, 256 << 10}, {"second", second, secondFar, 64 << 10}} {
		r.mux.mu.Lock()
		span := r.mux.sockets[tt.s.id].span
		r.mux.mu.Unlock()
		if span != tt.want {
			t.Errorf("the %s window is %d, want %d", tt.name, span, tt.want)
		}
		go func() { tt.s.Write(make([]byte, 1<<20)); tt.s.CloseWrite() }()
		if n := discard(tt.far); n != 1<<20 {
			t.Errorf("%d bytes came through the %s window", n, tt.name)
		}
		tt.far.Close()
	}
	eventually(t, "both have ended", func() bool { return r.mux.Len() == 0 })
	if n := r.server.Stats().SmallWindows; n != 1 || r.mux.extra != 0 {
		t.Errorf("%d counted, %d bytes given out; want 1, 0", n, r.mux.extra)
	}
}

func discard(c net.Conn) (n int) {
	buf := make([]byte, 64<<10)
	for {
		k, err := c.Read(buf)
		n += k
		if err != nil {
			return n
		}
	}
}

// What waits for backends is counted, and no more once the session is over.
func TestQueuedBytesAreCounted(t *testing.T) {
	budget := buffer.NewBudget(1 << 30)
	r := newRig(t, nil, Options{Budget: budget})
	s, far := r.pair()
	far.SetReadBuffer(4 << 10)
	s.SetWriteDeadline(time.Now().Add(time.Second))
	for {
		if _, err := s.Write(make([]byte, 64<<10)); err != nil {
			break // the backend does not read
		}
	}
	queued := int64(r.mux.Queued())
	if used := budget.Used(); queued < 128<<10 || queued > 512<<10 || used < queued || used > queued+(4<<10) {
		t.Errorf("%d bytes wait, %d are counted", queued, used)
	}
	r.mux.Closed(cause.SessionLost.Err())
	eventually(t, "nothing is counted", func() bool { return budget.Used() == 0 && r.mux.Queued() == 0 })
}

// A page that has thousands of sockets refused fills no disk, and nothing is hidden.
func TestRefusedSocketsAreLoggedInBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		m := &muxOnly{sent: make(chan Frame, 10_000)}
		server := NewServer(dialFunc(func(context.Context, whitelist.Dest, OpenOptions) (net.Conn, error) {
			return nil, cause.Denied.Err()
		}), Options{Log: slog.New(slog.NewJSONHandler(&out, nil))})
		m.Mux = server.Mux(m, Caller{Session: "x"})
		for id := range uint64(1000) {
			m.mustReceive(t, openFrame(id+1))
			synctest.Wait()
		}
		time.Sleep(time.Second)
		m.mustReceive(t, openFrame(2000))
		synctest.Wait()
		for id := range uint64(10) {
			m.mustReceive(t, openFrame(2001+id))
		}
		synctest.Wait()
		m.Closed(cause.SessionLost.Err())
		server.Wait()
		lines, leftOut := 0, 0
		for dec := json.NewDecoder(&out); dec.More(); lines++ {
			var line struct {
				LeftOut int `json:"left_out"`
			}
			if err := dec.Decode(&line); err != nil {
				t.Fatal(err)
			}
			leftOut += line.LeftOut
		}
		if lines > 30 || lines+leftOut != 1011+1 {
			t.Errorf("%d lines, which say that %d were left out; want at most 30, and 1011 sockets in all", lines, leftOut)
		}
		if n := server.Stats().LeftOut; n != uint64(leftOut) {
			t.Errorf("%d counted, want %d", n, leftOut)
		}
	})
}

// The end of a session closes the connections of all its sockets, those that are
// being dialed too.
func TestEndOfSessionClosesBackends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan bool, 100)
		m := &muxOnly{sent: make(chan Frame, 1000)}
		server := NewServer(dialFunc(func(ctx context.Context, dest whitelist.Dest, _ OpenOptions) (net.Conn, error) {
			if dest.Port == 81 {
				<-ctx.Done()
				ended <- true
				return nil, ctx.Err()
			}
			near, far := net.Pipe()
			go func() { discard(far); ended <- true }()
			return near, nil
		}), Options{})
		m.Mux = server.Mux(m, Caller{})
		for id := range uint64(50) {
			f := openFrame(id + 1)
			f.Port = 80 + id%2
			m.mustReceive(t, f)
		}
		synctest.Wait()
		began := time.Now()
		m.Closed(cause.SessionLost.Err())
		for range 50 {
			<-ended
		}
		server.Wait()
		if took := time.Since(began); took > time.Second {
			t.Errorf("it took %v, want at most 1 s", took)
		}
	})
}

// A session's violations of the protocol are told apart by counters.
func TestViolationCounters(t *testing.T) {
	for _, tt := range []struct {
		name   string
		frames []Frame
		want   func(Stats) uint64
	}{
		{"window overrun", []Frame{openFrame(1), {Type: Data, Socket: 1, Data: make([]byte, firstWindow+1)}}, func(st Stats) uint64 { return st.WindowOverruns }},
		{"window overflow", []Frame{openFrame(1), {Type: Window, Socket: 1, N: 1<<31 - 1}}, func(st Stats) uint64 { return st.WindowOverflows }},
		{"number reused", []Frame{openFrame(1), openFrame(1)}, func(st Stats) uint64 { return st.NumbersReused }},
		{"stray", []Frame{{Type: EOF, Socket: 9}}, func(st Stats) uint64 { return st.Strays }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMux(t, Options{Window: firstWindow})
			m.Receive(wireOf(tt.frames...))
			if n := tt.want(m.server.Stats()); n != 1 {
				t.Errorf("%d counted, want 1", n)
			}
		})
	}
}

// What is not allowed costs no look-up and no dial, whatever it is: there is nothing
// in the answer or its time to learn from.
func TestDeniedTargetsAreAllAlike(t *testing.T) {
	dest, conns := listen(t)
	resolver := &answers{lists: [][]string{{"127.0.0.1"}}}
	d := NewDialer(rulesFor(t, "a.test:6667"), DialOptions{Resolver: resolver})
	denied := []whitelist.Dest{
		dest, {Host: "127.0.0.1", Port: 1}, {Host: "192.0.2.1", Port: 80}, {Host: "::1", Port: dest.Port},
		{Host: "localhost", Port: dest.Port}, {Host: "b.test", Port: 6667}, {Host: "a.test", Port: 6668},
		{Host: "x.a.test", Port: 6667}, {Host: "169.254.169.254", Port: 80},
	}
	for _, target := range denied {
		_, err := d.Open(t.Context(), Caller{}, target, OpenOptions{})
		var why *cause.Error
		if !errors.As(err, &why) || *why != *cause.Denied.With("this target is not allowed") {
			t.Errorf("%v: %v", target, err)
		}
	}
	if len(conns) != 0 || resolver.calls != 0 {
		t.Errorf("%d connections, %d look-ups; want none", len(conns), resolver.calls)
	}
	if st := d.Stats(); st.DeniedNames != uint64(len(denied)) || st.Failed[cause.Denied] != uint64(len(denied)) || st.Dials != uint64(len(denied)) {
		t.Errorf("counted %+v", st)
	}
}

func TestDialCounters(t *testing.T) {
	dest, _ := listen(t)
	for _, tt := range []struct {
		name     string
		host     string
		resolver *answers
		want     func(DialStats) uint64
	}{
		{"connected", "127.0.0.1", nil, func(st DialStats) uint64 { return st.Connected }},
		{"lookup failure", "a.test", &answers{err: &net.DNSError{IsNotFound: true}}, func(st DialStats) uint64 { return st.LookupFailures }},
		{"lookup timeout", "a.test", &answers{block: true}, func(st DialStats) uint64 { return st.LookupTimeouts }},
		{"denied address", "a.test", &answers{lists: [][]string{{"10.0.0.1"}}}, func(st DialStats) uint64 { return st.DeniedAddresses }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			opts := DialOptions{DNSTimeout: 10 * time.Millisecond}
			if tt.resolver != nil {
				opts.Resolver = tt.resolver
			}
			d := NewDialer(rulesFor(t, "127.0.0.1:*", "a.test:*"), opts)
			conn, err := d.Open(t.Context(), Caller{}, whitelist.Dest{Host: tt.host, Port: dest.Port}, OpenOptions{})
			if err == nil {
				conn.Close()
			}
			if n := tt.want(d.Stats()); n != 1 {
				t.Errorf("%d counted, want 1: %+v", n, d.Stats())
			}
		})
	}
}
