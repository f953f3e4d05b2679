package faults

import (
	"context"
	"fmt"
	"net"
	"syscall"

	"encke/cause"
	"encke/integration/backend"
	"encke/integration/proxy"
)

// unreachable opens what cannot be opened: a port on which nobody listens, one that is
// not allowed, one that takes no connection and does not say so. The session lives.
func unreachable(f *fault) {
	b := backend.Echo(f.T)
	refusing, hole := backend.Refuse(f.T), blackHole(f)
	var allow []string
	for _, port := range []int{b.Port(), refusing, hole} {
		allow = append(allow, fmt.Sprintf("127.0.0.1:%d", port))
	}
	f.nextDoor = b
	f.start(proxy.Options{Allow: allow, Args: []string{"--dial-timeout", "2s"}})
	p := f.peer()
	for _, target := range []struct {
		what string
		port int
		want cause.Code
	}{
		{"a port on which nobody listens", refusing, cause.Refused},
		{"a port that is not allowed", backend.Echo(f.T).Port(), cause.Denied},
		{"a port that does not answer", hole, cause.TimedOut},
	} {
		ctx, cancel := context.WithTimeout(f.Context(), patience)
		_, err := p.Open(ctx, "127.0.0.1", target.port)
		cancel()
		f.want(target.what, err, target.want)
	}
	e := f.echo(p, b, 8)
	if err := e.say(1000); err != nil {
		f.Errorf("after that: %v; the session: %v", err, p.Err())
	}
	if err := e.end(); err != nil {
		f.Error(err)
	}
}

// blackHole returns a port of 127.0.0.1 that drops what asks for a connection: it listens
// and its queue is full.
func blackHole(f *fault) int {
	f.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		f.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil { // room for one
		f.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		f.Fatal(err)
	}
	port := name.(*syscall.SockaddrInet4).Port
	conn, err := net.DialTCP("tcp4", nil, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = conn.Close() })
	return port
}
