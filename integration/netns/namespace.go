package netns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Namespace is a network namespace: interfaces, addresses, routes and rules of its own.
type Namespace struct {
	t    testing.TB
	file *os.File
}

// commands are what the package runs.
var commands = []string{"ip", "nft", "tc", "ss"}

// Missing says why no namespace can be made here, or "".
func Missing() string {
	if os.Geteuid() != 0 {
		return "network namespaces need root"
	}
	for _, command := range commands {
		if _, err := exec.LookPath(command); err != nil {
			return "there is no command " + command + ": run integration/install.sh"
		}
	}
	ns, err := unshare()
	if err != nil {
		return err.Error()
	}
	_ = ns.Close()
	return ""
}

// New makes a namespace whose loopback is up; it goes with t.
func New(t testing.TB) *Namespace {
	t.Helper()
	if why := Missing(); why != "" {
		t.Skipf("SKIPPED: %s", why)
	}
	file, err := unshare()
	if err != nil {
		t.Fatal(err)
	}
	n := &Namespace{t: t, file: file}
	t.Cleanup(func() { _ = file.Close() })
	n.Run("ip", "link", "set", "lo", "up")
	return n
}

// unshare returns a new namespace. It is made by a thread that ends, since a thread
// which failed to return to its namespace must not be used again.
func unshare() (*os.File, error) {
	type result struct {
		file *os.File
		err  error
	}
	made := make(chan result, 1)
	go func() { // ends with its thread, which it does not unlock
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			made <- result{err: fmt.Errorf("unshare the network: %w", err)}
			return
		}
		file, err := os.Open(threadNamespace())
		made <- result{file, err}
	}()
	r := <-made
	return r.file, r.err
}

func threadNamespace() string {
	return fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid())
}

// path names the namespace to other processes, as long as this one lives.
func (n *Namespace) path() string {
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.file.Fd())
}

// Do calls f in a thread that is in the namespace: sockets that f makes itself, not in
// a goroutine, and processes that it starts are in it and stay there.
func (n *Namespace) Do(f func()) {
	runtime.LockOSThread()
	outside, err := os.Open(threadNamespace())
	if err != nil {
		panic(fmt.Sprintf("netns: %v", err))
	}
	defer func() {
		err := unix.Setns(int(outside.Fd()), unix.CLONE_NEWNET)
		_ = outside.Close()
		if err != nil {
			panic(fmt.Sprintf("netns: return to the namespace: %v", err))
		}
		runtime.UnlockOSThread()
	}()
	if err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
		panic(fmt.Sprintf("netns: enter the namespace: %v", err))
	}
	f()
}

// Dial connects from inside; addr must hold an IP address.
func (n *Namespace) Dial(ctx context.Context, network, addr string) (conn net.Conn, err error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if net.ParseIP(host) == nil {
		return nil, errors.New("netns: dial " + addr + ": not an IP address")
	}
	n.Do(func() { conn, err = new(net.Dialer).DialContext(ctx, network, addr) })
	return conn, err
}

// Run runs a command inside and returns what it printed; the test fails if it does.
func (n *Namespace) Run(command string, args ...string) string {
	n.t.Helper()
	out, err := n.run(command, args...)
	if err != nil {
		n.t.Fatal(err)
	}
	return out
}

func (n *Namespace) run(command string, args ...string) (string, error) {
	cmd := exec.Command(command, args...)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	var err error
	n.Do(func() { err = cmd.Start() })
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", command, strings.Join(args, " "), err, &out)
	}
	return out.String(), nil
}
