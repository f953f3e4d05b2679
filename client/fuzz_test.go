package client

import (
	"errors"
	"testing"

	"encke/cause"
	"encke/csp"
	"encke/tcpsocket"
)

// Whatever a proxy says ends a link or a session at most, and what is taken as data
// is no more than came.
func FuzzLink(f *testing.F) {
	record := func(r csp.Record) []byte { return r.Append(nil) }
	frame := func(fr tcpsocket.Frame) []byte {
		return append(record(csp.Record{Kind: csp.Seq, ID: 1}), record(csp.Record{Kind: csp.Data, Data: fr.Append(nil)})...)
	}
	for _, msg := range [][]byte{
		record(csp.Record{Kind: csp.Welcome, Session: []byte("n0.x"), ID: 0, Window: 120, Heartbeat: 25}),
		record(csp.Record{Kind: csp.Ack, ID: 1}),
		record(csp.Record{Kind: csp.Close, Cause: 9, Retry: 1 << 40, Text: []byte("full")}),
		append(record(csp.Record{Kind: csp.Ping}), record(csp.Record{Kind: csp.End})...),
		frame(tcpsocket.Frame{Type: tcpsocket.Opened, Socket: 1, N: 1 << 20}),
		frame(tcpsocket.Frame{Type: tcpsocket.Reset, Socket: 7, Cause: 99}),
		frame(tcpsocket.Frame{Type: tcpsocket.GoAway, N: 2}),
		record(csp.Record{Kind: csp.New, Version: 1}),
	} {
		f.Add(msg, []byte{}, true)
		f.Add(msg, msg, false)
	}
	f.Fuzz(func(t *testing.T, first, second []byte, answered bool) {
		over := 0
		s := &session{over: func() { over++ }}
		s.csp = csp.NewSession(csp.Options{}, s)
		s.sockets = tcpsocket.NewClient(s.csp)
		defer s.csp.Close(cause.Closed.Err()) // stops its timers
		l := &link{s: s}
		if answered {
			var err error
			if l.uplink, err = s.csp.Attach(0, func() {}); err != nil {
				t.Fatal(err)
			}
		} else if answers(first) || answers(second) {
			return // the link begins to write, which needs a WebSocket
		}
		for _, msg := range [][]byte{first, second} {
			before := s.csp.Received()
			err := l.message(msg)
			size := 0
			for _, p := range l.packets {
				size += len(p.Data)
			}
			if size > len(msg) {
				t.Fatalf("%x: %d bytes of data", msg, size)
			}
			if !answered && err == nil && len(msg) > 0 && firstRecord(msg) != csp.Seq {
				t.Fatalf("%x was taken before the hello was answered", msg)
			}
			var why *cause.Error
			if errors.As(err, &why) && int(why.Code) >= cause.Count {
				t.Fatalf("%x: cause %d", msg, why.Code)
			}
			if why != nil && (why.Retry < 0 || why.Retry > 3600) {
				t.Fatalf("%x: stay away for %d s", msg, why.Retry)
			}
			if got := s.csp.Received(); got < before || got-before > uint64(len(msg)) {
				t.Fatalf("%x: %d packets received, then %d", msg, before, got)
			}
			if (s.csp.Err() != nil) != (over == 1) || over > 1 {
				t.Fatalf("%x: the session is over (%v), said %d times", msg, s.csp.Err(), over)
			}
			if err != nil {
				return
			}
		}
	})
}

func answers(msg []byte) bool {
	k := firstRecord(msg)
	return k == csp.Welcome || k == csp.Ack
}

// firstRecord is the kind of the first record that is no Seq; Seq if there is none.
func firstRecord(msg []byte) csp.Kind {
	kind := csp.Seq
	stop := errors.New("enough")
	csp.Parse(msg, 0, func(r *csp.Record) error {
		kind = r.Kind
		return stop
	})
	return kind
}
