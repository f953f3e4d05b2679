package tcpsocket

import (
	"context"
	"net"
	"testing"

	"golang.org/x/sys/unix"

	"encke/whitelist"
)

// What the page has sent arrives at the backend with the end of the handshake.
func TestConnectWithData(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dest := whitelist.Dest{Host: "127.0.0.1", Port: uint16(l.Addr().(*net.TCPAddr).Port)}
	d := NewDialer(rulesFor(t, l.Addr().String()), DialOptions{})
	for _, early := range []bool{true, false} {
		conn, err := d.Open(t.Context(), Caller{}, dest, OpenOptions{NoDelay: true, Early: func() bool { return early }})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		backend, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer backend.Close()
		if _, err := backend.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		segments := 3 // SYN, ACK, data
		if early {
			segments = 2
		}
		option(t, backend, func(fd int) {
			if info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO); err != nil || int(info.Segs_in) != segments {
				t.Errorf("early %v: %d segments until the first byte, want %d (%v)", early, info.Segs_in, segments, err)
			}
		})
	}
}

// After that nothing is acknowledged late. The backend says nothing, or the kernel would
// find out by itself.
func TestAcknowledgesAtOnce(t *testing.T) {
	dialed := make(chan net.Conn, 1)
	d := NewDialer(rulesFor(t, "127.0.0.1:*"), DialOptions{})
	r := newRig(t, dialFunc(func(ctx context.Context, dest whitelist.Dest, opts OpenOptions) (net.Conn, error) {
		eventually(t, "what the page has sent waits", opts.Early)
		conn, err := d.Open(ctx, Caller{}, dest, opts)
		if err == nil {
			dialed <- conn
		}
		return conn, err
	}), Options{})
	dest, backends := listen(t)
	open := Frame{Type: Open, Socket: 1, N: 1 << 16, Host: []byte(dest.Host), Port: uint64(dest.Port)}
	data := Frame{Type: Data, Socket: 1, Data: []byte("hello")}
	if err := r.mux.Receive([][]byte{data.Append(open.Append(nil))}); err != nil {
		t.Fatal(err)
	}
	defer (<-backends).Close()
	conn := <-dialed
	eventually(t, "TCP_QUICKACK is on", func() (quick bool) {
		option(t, conn, func(fd int) {
			n, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_QUICKACK)
			quick = err == nil && n == 1
		})
		return quick
	})
}

func option(t *testing.T, conn net.Conn, f func(fd int)) {
	t.Helper()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) { f(int(fd)) })
	}
	if err != nil {
		t.Fatal(err)
	}
}
