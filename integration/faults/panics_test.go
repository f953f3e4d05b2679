package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"encke/cause"
	"encke/integration/backend"
	"encke/integration/proxy"
	"encke/tcpsocket"
)

// plantedLinger is how long sessions of row 34 wait for a link.
const plantedLinger = 3 * time.Second

// plants make a command panic that receives certain words, where a fault of ours would.
var plants = []proxy.Edit{
	{File: "csp/planted.go", New: `package csp

import (
	"bytes"
	"sync"
)

var planted sync.Map // names by sessions

// plant panics when a page says so, or takes note where it shall.
func plant(s *Session, data [][]byte) {
	_, name, found := bytes.Cut(bytes.Join(data, nil), []byte("planted: "))
	name, _, _ = bytes.Cut(name, []byte(";"))
	switch {
	case !found || string(name) == "socket":
	case string(name) == "receive":
		panic("planted")
	default:
		planted.Store(s, string(name))
	}
}

func spring(s *Session, name string) {
	if is, _ := planted.Load(s); is == name {
		panic("planted")
	}
}
`},
	{File: "csp/session.go", Old: "\tif len(data) > 0 {\n", New: "\tplant(s, data)\n\tif len(data) > 0 {\n"},
	{File: "csp/lateacks.go", Old: "func (s *Session) ackNow() {\n", New: "func (s *Session) ackNow() {\n\tspring(s, \"ack\")\n"},
	{File: "csp/lifetime.go", Old: "func (s *Session) expire() {\n", New: "func (s *Session) expire() {\n\tspring(s, \"linger\")\n"},
	{File: "csp/lifetime.go", Old: "func (s *Session) gapOpen() {\n", New: "func (s *Session) gapOpen() {\n\tspring(s, \"gap\")\n"},
	{File: "tcpsocket/planted.go", New: `package tcpsocket

import "bytes"

func plant(p []byte) {
	if bytes.Contains(p, []byte("planted: socket;")) {
		panic("planted")
	}
}
`},
	{File: "tcpsocket/read.go", Old: "\tb.Extend(n)\n", New: "\tb.Extend(n)\n\tplant(b.Bytes())\n"},
}

// planted returns the command with plants.
func planted(f *fault) proxy.Command {
	f.Helper()
	_ = encke(f.T) // makes the folder
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.planted != "" {
		return shared.planted
	}
	dir := filepath.Join(shared.dir, "planted")
	if err := os.Mkdir(dir, 0o755); err != nil {
		f.Fatal(err)
	}
	var err error
	if shared.planted, err = proxy.BuildWatched(dir, raceDetector, plants...); err != nil {
		f.Fatal(err)
	}
	return shared.planted
}

// panics has a session of its own meet each fault, and checks that it ends with internal,
// its backend too, and that another goes on.
func (f *fault) panics(healthy *echo) {
	names := []string{"receive", "socket", "linger"}
	if f.transport == "websocket" {
		names = append(names, "ack") // elsewhere answers acknowledge
	}
	if full {
		names = append(names, "gap") // after 30 s
	}
	for _, name := range names {
		f.Logf("a fault of ours: %s", name)
		b := backend.Echo(f.T)
		r := f.openRaw()
		open := tcpsocket.Frame{Type: tcpsocket.Open, Socket: 1, N: 1 << 20, Port: uint64(b.Port()), Host: []byte(b.Host())}
		data := tcpsocket.Frame{Type: tcpsocket.Data, Socket: 1, Data: fmt.Appendf(nil, "planted: %s;", name)}
		hello := tcpsocket.Frame{Type: tcpsocket.Data, Socket: 1, Data: []byte("hello")}
		all := [][]byte{open.Append(nil), hello.Append(nil), data.Append(nil), data.Append(nil), data.Append(nil)}
		_ = r.send(numbered(all, 0))
		_ = r.send(numbered(all, 1))
		until(f, "hello", func() bool { return b.Read() > 0 }) // a dial that is given up ends cleanly
		_ = r.send(numbered(all, 2))                           // an error where the panic has cut the connection
		switch name {
		case "gap":
			_ = r.send(numbered(all, 4))
		case "linger":
			r.leave()
		}
		if name == "gap" && r.ws == nil { // polls leave a session without a link for longer than it lingers
			until(f, "the end of the connection to the backend", func() bool { _ = r.send(nil); return b.Open() == 0 })
		}
		if err := await(f, "the end of the connection to the backend", b.Ended()); err == nil {
			f.Errorf("%s: the backend saw a clean end", name)
		}
		if r.ws == nil {
			f.want(name, r.ending(), cause.Internal)
		}
		if err := healthy.say(1000); err != nil {
			f.Fatalf("after %s: another session: %v", name, err)
		}
	}
}
