package faults

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

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

// halfDead opens a name with two addresses, of which the first to be tried does not
// answer.
func halfDead(f *fault) {
	if os.Geteuid() != 0 {
		f.skip("a list of hosts of the proxy's own needs root")
	}
	b := backend.Echo(f.T)
	swallow(f, syscall.AF_INET6, &syscall.SockaddrInet6{Port: b.Port(), Addr: [16]byte(net.IPv6loopback)})
	f.nextDoor = b
	f.startAs(withHosts(f, "::1 localhost\n127.0.0.1 localhost\n"), proxy.Options{Allow: []string{fmt.Sprintf("localhost:%d", b.Port()), b.Addr()}})
	p := f.peer()
	ctx, cancel := context.WithTimeout(f.Context(), patience)
	defer cancel()
	began := time.Now()
	conn, err := p.Open(ctx, "localhost", b.Port())
	if err != nil {
		f.Fatal(err)
	}
	took := time.Since(began)
	f.Logf("connected to %v after %v", conn.RemoteAddr(), took)
	if full && took > time.Second {
		f.Errorf("it took %v to connect through the other address", took)
	}
	e := &echo{Conn: conn, key: 9}
	if err := e.say(1000); err != nil {
		f.Error(err)
	}
	if err := e.end(); err != nil {
		f.Error(err)
	}
}

// withHosts is the command with a file /etc/hosts of its own, in a mount namespace that
// ends with it.
func withHosts(f *fault, hosts string) proxy.Command {
	f.Helper()
	dir := f.TempDir()
	list, script := filepath.Join(dir, "hosts"), filepath.Join(dir, "encke")
	if err := os.WriteFile(list, []byte(hosts), 0o644); err != nil {
		f.Fatal(err)
	}
	text := fmt.Sprintf("#!/bin/sh\nexec unshare --mount sh -c 'mount --bind %s /etc/hosts && exec \"$0\" \"$@\"' %s \"$@\"\n", list, encke(f.T))
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		f.Fatal(err)
	}
	return proxy.Command(script)
}

// blackHole returns a port of 127.0.0.1 that drops what asks for a connection.
func blackHole(f *fault) int {
	f.Helper()
	return swallow(f, syscall.AF_INET, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
}

// swallow makes an address drop what asks for a connection, and returns its port: it
// listens, and its queue is full.
func swallow(f *fault, family int, addr syscall.Sockaddr) (port int) {
	f.Helper()
	fd, err := syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, addr); err != nil {
		f.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil { // room for one
		f.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		f.Fatal(err)
	}
	ip := net.IPv6loopback
	switch name := name.(type) {
	case *syscall.SockaddrInet4:
		ip, port = net.IPv4(127, 0, 0, 1), name.Port
	case *syscall.SockaddrInet6:
		port = name.Port
	}
	conn, err := net.DialTCP("tcp", nil, &net.TCPAddr{IP: ip, Port: port})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = conn.Close() })
	return port
}
