package tcpsocket

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"encke/cause"
	"encke/whitelist"
)

// answers is a Resolver that gives these addresses, a list for each call.
type answers struct {
	lists [][]string
	calls int
	err   error
	block bool
}

func (a *answers) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	a.calls++
	if a.block {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if a.err != nil {
		return nil, a.err
	}
	var out []netip.Addr
	for _, s := range a.lists[min(a.calls, len(a.lists))-1] {
		out = append(out, netip.MustParseAddr(s))
	}
	return out, nil
}

func rulesFor(t testing.TB, rules ...string) *whitelist.Rules {
	t.Helper()
	r, err := whitelist.New(rules...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestDialCauses(t *testing.T) {
	dest, _ := listen(t)
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := netip.MustParseAddrPort(gone.Addr().String()).Port()
	gone.Close()
	for _, tt := range []struct {
		name     string
		rules    []string
		dest     whitelist.Dest
		resolver *answers
		family   int
		want     cause.Code
	}{
		{"ok", []string{"127.0.0.1:*"}, dest, nil, 0, cause.Closed},
		{"refused", []string{"127.0.0.1:*"}, whitelist.Dest{Host: "127.0.0.1", Port: closed}, nil, 0, cause.Refused},
		{"no rule", []string{"a.test:80"}, dest, nil, 0, cause.Denied},
		{"name without a rule is not looked up", []string{"a.test:80"}, whitelist.Dest{Host: "b.test", Port: 80}, &answers{}, 0, cause.Denied},
		{"name resolves to loopback", []string{"a.test:*"}, whitelist.Dest{Host: "a.test", Port: dest.Port}, &answers{lists: [][]string{{"127.0.0.1"}}}, 0, cause.Denied},
		{"one of two addresses is loopback", []string{"a.test:*"}, whitelist.Dest{Host: "a.test", Port: 8080}, &answers{lists: [][]string{{"192.0.2.1", "127.0.0.1"}}}, 0, cause.Denied},
		{"metadata", []string{"a.test:*"}, whitelist.Dest{Host: "a.test", Port: 8080}, &answers{lists: [][]string{{"169.254.169.254"}}}, 0, cause.Denied},
		{"does not resolve", []string{"a.test:*"}, whitelist.Dest{Host: "a.test", Port: 8080}, &answers{err: &net.DNSError{IsNotFound: true}}, 0, cause.NameNotFound},
		{"name server is silent", []string{"a.test:*"}, whitelist.Dest{Host: "a.test", Port: 8080}, &answers{block: true}, 0, cause.TimedOut},
		{"wrong family", []string{"127.0.0.1:*"}, dest, nil, 6, cause.NameNotFound},
	} {
		t.Run(tt.name, func(t *testing.T) {
			opts := DialOptions{DNSTimeout: 50 * time.Millisecond}
			if tt.resolver != nil {
				opts.Resolver = tt.resolver
			}
			conn, err := NewDialer(rulesFor(t, tt.rules...), opts).Open(t.Context(), Caller{}, tt.dest, OpenOptions{Family: tt.family})
			if tt.want == cause.Closed {
				if err != nil {
					t.Fatal(err)
				}
				conn.Close()
				return
			}
			if !errors.Is(err, tt.want.Err()) {
				t.Errorf("%v, want %v", err, tt.want)
			}
			if tt.resolver != nil && tt.resolver.calls > 1 {
				t.Errorf("the name was looked up %d times", tt.resolver.calls)
			}
			if tt.want == cause.Denied && tt.rules[0] == "a.test:80" && tt.resolver != nil && tt.resolver.calls > 0 {
				t.Error("a denied name was looked up")
			}
		})
	}
}

// A name that answers differently the second time must not get there.
func TestRebinding(t *testing.T) {
	dest, conns := listen(t)
	resolver := &answers{lists: [][]string{{"127.0.0.2"}, {"127.0.0.1"}}}
	rules := rulesFor(t, "a.test:*", "127.0.0.2:*")
	_, err := NewDialer(rules, DialOptions{Resolver: resolver, ConnectTimeout: time.Second}).Open(t.Context(), Caller{}, whitelist.Dest{Host: "a.test", Port: dest.Port}, OpenOptions{})
	if err == nil {
		t.Error("connected")
	}
	select {
	case c := <-conns:
		t.Errorf("the second answer was dialed: %v", c.RemoteAddr())
	default:
	}
	if resolver.calls != 1 {
		t.Errorf("the resolver was asked %d times", resolver.calls)
	}
}

// The last look, right before the connection, refuses by itself what the rules refuse,
// should an address ever get there unchecked.
func TestTheLastLook(t *testing.T) {
	dest, conns := listen(t)
	d := NewDialer(rulesFor(t, "a.test:*"), DialOptions{})
	at := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), dest.Port)
	conn, err := d.connect(t.Context(), d.rules.From(""), whitelist.Dest{Host: "a.test", Port: dest.Port}, at, OpenOptions{})
	if !errors.Is(err, cause.Denied.Err()) {
		t.Errorf("%v, want denied", err)
	}
	if err == nil {
		conn.Close()
		(<-conns).Close()
	}
	good := NewDialer(rulesFor(t, "a.test:*", "127.0.0.1:*"), DialOptions{})
	if _, err := good.connect(t.Context(), good.rules.From(""), whitelist.Dest{Host: "a.test", Port: dest.Port - 1}, at, OpenOptions{}); !errors.Is(err, cause.Denied.Err()) {
		t.Errorf("another port: %v, want denied", err)
	}
}

// One of several addresses is dead: the other one is used.
func TestDeadAddress(t *testing.T) {
	dest, conns := listen(t)
	resolver := &answers{lists: [][]string{{"::1", "127.0.0.2", "127.0.0.1"}}}
	rules := rulesFor(t, "a.test:*", "[::1]:*", "127.0.0.1:*", "127.0.0.2:*")
	conn, err := NewDialer(rules, DialOptions{Resolver: resolver}).Open(t.Context(), Caller{}, whitelist.Dest{Host: "a.test", Port: dest.Port}, OpenOptions{NoDelay: true, KeepAlive: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	(<-conns).Close()
}

func TestOrder(t *testing.T) {
	addrs := []netip.Addr{
		netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("2001:db8::1"),
	}
	for family, want := range map[int]string{
		0: "[2001:db8::1 192.0.2.1 192.0.2.2]", 4: "[192.0.2.1 192.0.2.2]", 6: "[2001:db8::1]",
	} {
		if got := order(addrs, family); sprint(got) != want {
			t.Errorf("family %d: %v, want %v", family, got, want)
		}
	}
}

func sprint(a []netip.Addr) string {
	s := "["
	for i, x := range a {
		if i > 0 {
			s += " "
		}
		s += x.String()
	}
	return s + "]"
}

// A backend whose page does not read is held: the kernel keeps little of what it sends.
func TestKernelKeepsLittle(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	rules, err := whitelist.New(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().(*net.TCPAddr)
	near, err := NewDialer(rules, DialOptions{}).Open(t.Context(), Caller{}, whitelist.Dest{Host: "127.0.0.1", Port: uint16(addr.Port)}, OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	raw, err := near.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var got int
	if ctl := raw.Control(func(fd uintptr) { got, err = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF) }); ctl != nil || err != nil {
		t.Fatal(ctl, err)
	}
	want := kernelBuffer
	if text, err := os.ReadFile("/proc/sys/net/core/rmem_max"); err == nil { // Linux doubles, within its bound
		most, _ := strconv.Atoi(strings.TrimSpace(string(text)))
		want = 2 * min(kernelBuffer, most)
	}
	if got != want {
		t.Errorf("the buffer for what a backend sends has %d bytes, want %d", got, want)
	}
}
