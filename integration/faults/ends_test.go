package faults

import (
	"io"
	"strings"

	"encke/cause"
	"encke/integration/backend"
	"encke/integration/proxy"
	"encke/tcpsocket"
)

// halfClosed: either end finishes first, and the other goes on to its own end.
func halfClosed(f *fault) {
	f.start(proxy.Options{})
	const n = 100_000
	p := f.peer()

	pageFirst := backend.HalfClose(f.T) // answers only after our FIN
	conn, err := p.Open(f.Context(), pageFirst.Host(), pageFirst.Port())
	if err != nil {
		f.Fatal(err)
	}
	if err := pour(conn, streamKey, n); err != nil {
		f.Fatal(err)
	}
	if err := conn.CloseWrite(); err != nil {
		f.Fatal(err)
	}
	if err := drain(conn, streamKey, n); err != nil {
		f.Errorf("after our FIN: %v", err)
	}
	f.ended(pageFirst)

	backendFirst := backend.FirstFin(f.T, "hello", streamKey, n)
	conn, err = p.Open(f.Context(), backendFirst.Host(), backendFirst.Port())
	if err != nil {
		f.Fatal(err)
	}
	if got, err := io.ReadAll(conn); string(got) != "hello" || err != nil {
		f.Errorf("up to the backend's FIN: %q, %v", got, err)
	}
	if err := pour(conn, streamKey, n); err != nil {
		f.Errorf("after the backend's FIN: %v", err)
	}
	if err := conn.CloseWrite(); err != nil {
		f.Error(err)
	}
	f.ended(backendFirst)
	if p.Err() != nil {
		f.Errorf("the session ended: %v", p.Err())
	}
}

// resetBackend: a backend sends and resets, while nobody reads. What it sent before
// comes, then the cause.
func resetBackend(f *fault) {
	f.start(proxy.Options{})
	const n = 200_000
	sent := make([]byte, n)
	backend.Fill(sent, streamKey, 0)
	b := backend.Reset(f.T, string(sent))
	p := f.peer()
	conn, err := p.Open(f.Context(), b.Host(), b.Port())
	if err != nil {
		f.Fatal(err)
	}
	// The first half is read, which shows that it has all been sent; the rest waits.
	got := make([]byte, n/2)
	if _, err := io.ReadFull(conn, got); err != nil {
		f.Fatal(err)
	}
	if _, err := conn.Write([]byte("!")); err != nil {
		f.Fatal(err)
	}
	f.ended(b)
	rest, err := io.ReadAll(conn)
	f.want("the end of the socket", err, cause.Reset)
	if got = append(got, rest...); len(got) != n {
		f.Errorf("%d bytes came before the cause, the backend sent %d", len(got), n)
	}
	if err := backend.Check(got, streamKey, 0); err != nil {
		f.Error(err)
	}
	if p.Err() != nil {
		f.Errorf("the session ended: %v", p.Err())
	}
}

// poisoned sends what no client sends, and then what makes a proxy panic in which that
// was planted. The session ends with a cause; others do not notice.
func poisoned(f *fault) {
	f.faulty = true
	f.startAs(planted(f), proxy.Options{Args: []string{"--linger", plantedLinger.String()}})
	b := backend.Echo(f.T)
	healthy := f.echo(f.peer(), b, 4)
	data := func(p []byte) []byte { return numbered([][]byte{p}, 0) }
	frames := func(all ...tcpsocket.Frame) []byte {
		var p []byte
		for i := range all {
			all[i].Host, all[i].Port = []byte(b.Host()), uint64(b.Port())
			p = all[i].Append(p)
		}
		return data(p)
	}
	for name, records := range map[string][]byte{
		"unknown record":         {0x6e},
		"record without an end":  {0x05, 0x7f, 'x'},
		"packet 0":               {0x04, 0x00, 0x05, 0x01, 'x'},
		"number above 2^53":      append([]byte{0x07}, strings.Repeat("\xff", 8)...),
		"ack of nothing":         {0x07, 0xff, 0x7f},
		"NEW again":              append([]byte{0x01, 0x01}, make([]byte, 16)...),
		"unknown frame":          data([]byte("\x7e\x01")),
		"frame of 1 GiB":         data([]byte("\x03\x01\xff\xff\xff\xff\x03")),
		"window too large":       frames(tcpsocket.Frame{Type: tcpsocket.Open, Socket: 1, N: 1}, tcpsocket.Frame{Type: tcpsocket.Window, Socket: 1, N: 1 << 31}),
		"OPEN of a lower number": frames(tcpsocket.Frame{Type: tcpsocket.Open, Socket: 2}, tcpsocket.Frame{Type: tcpsocket.Open, Socket: 1}),
	} {
		f.Logf("%s", name)
		r := f.openRaw()
		_ = r.send(records)
		f.want(name, r.ending(), cause.ProtocolError)
		if err := healthy.say(1000); err != nil {
			f.Fatalf("after %s: another session: %v", name, err)
		}
	}
	f.panics(healthy)
	if err := healthy.end(); err != nil {
		f.Error(err)
	}
}
