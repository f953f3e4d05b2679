package faults

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"encke/cause"
	"encke/integration/backend"
	"encke/integration/nameserver"
	"encke/integration/proxy"
)

// unreachable opens what cannot be opened: a port on which nobody listens, one that is
// not allowed, one that takes no connection and does not say so; names that do not exist,
// of which the name server does not speak, and of hosts inside. The session lives.
func unreachable(f *fault) {
	b := backend.Echo(f.T)
	refusing, hole := backend.Refuse(f.T), blackHole(f)
	var allow []string
	for _, port := range []int{b.Port(), refusing, hole} {
		allow = append(allow, fmt.Sprintf("127.0.0.1:%d", port))
	}
	f.nextDoor = b
	if os.Geteuid() != 0 {
		f.skip("a name server of the proxy's own needs root")
	}
	names := nameServer(f)
	names.Silence("silent.test")
	names.Set("inside.test", []string{"10.0.0.1", "192.168.1.1"})
	allow = append(allow, "absent.test:80", "silent.test:80", "inside.test:80")
	files := map[string]string{"/etc/resolv.conf": "nameserver " + host(names.Addr()) + "\n"}
	f.startAs(withFiles(f, files), proxy.Options{Allow: allow, Args: []string{"--dial-timeout", either("6s", "2s")}})
	p := f.peer()
	var all sync.WaitGroup
	for _, target := range []struct {
		what string
		host string
		port int
		want cause.Code
	}{
		{"a port on which nobody listens", "127.0.0.1", refusing, cause.Refused},
		{"a port that is not allowed", "127.0.0.1", backend.Echo(f.T).Port(), cause.Denied},
		{"a port that does not answer", "127.0.0.1", hole, cause.TimedOut},
		{"a name that does not exist", "absent.test", 80, cause.NameNotFound},
		{"a name of which the name server does not speak", "silent.test", 80, cause.TimedOut},
		{"a name of hosts inside", "inside.test", 80, cause.Denied},
	} {
		all.Go(func() { // until it is refused
			ctx, cancel := context.WithTimeout(f.Context(), patience)
			defer cancel()
			began := time.Now()
			_, err := p.Open(ctx, target.host, target.port)
			f.want(target.what, err, target.want)
			f.Logf("%s: %v after %v", target.what, err, time.Since(began))
		})
	}
	all.Wait()
	for _, name := range []string{"absent.test", "silent.test", "inside.test"} {
		if a, aaaa := names.Count(name); a == 0 || aaaa == 0 {
			f.Errorf("the name server was asked for %s %d and %d times: the row shows nothing", name, a, aaaa)
		}
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
	hosts := map[string]string{"/etc/hosts": "::1 localhost\n127.0.0.1 localhost\n"}
	f.startAs(withFiles(f, hosts), proxy.Options{Allow: []string{fmt.Sprintf("localhost:%d", b.Port()), b.Addr()}})
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

// withFiles is the command with other contents of some files, by their paths, in a mount
// namespace that ends with it.
func withFiles(f *fault, files map[string]string) proxy.Command {
	f.Helper()
	dir := f.TempDir()
	var mounts strings.Builder
	for path, text := range files {
		own := filepath.Join(dir, filepath.Base(path))
		if err := os.WriteFile(own, []byte(text), 0o644); err != nil {
			f.Fatal(err)
		}
		fmt.Fprintf(&mounts, "mount --bind %s %s && ", own, path)
	}
	script := filepath.Join(dir, "encke")
	text := fmt.Sprintf("#!/bin/sh\nexec unshare --mount sh -c '%sexec \"$0\" \"$@\"' %s \"$@\"\n", mounts.String(), encke(f.T))
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		f.Fatal(err)
	}
	return proxy.Command(script)
}

// nameServer starts a name server where a file resolv.conf can name it: on port 53, at an
// address that nobody else uses.
func nameServer(f *fault) *nameserver.Server {
	f.Helper()
	for range 20 {
		s, err := nameserver.New(f.T, fmt.Sprintf("127.%d.%d.%d:53", 1+f.rng.IntN(250), f.rng.IntN(250), 1+f.rng.IntN(250)))
		if err == nil {
			return s
		}
		f.Log(err)
	}
	f.Fatal("no address has a free port 53")
	return nil
}

func host(addr string) string {
	h, _, _ := net.SplitHostPort(addr)
	return h
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
