package tcpsocket

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/whitelist"
)

// nowhere is a session that drops what is sent.
type nowhere struct{}

func (nowhere) Send(b *buffer.Buffer, _ int) error        { b.Release(); return nil }
func (nowhere) Reserve(n int, _ time.Duration, _ int) int { return n }
func (nowhere) Unreserve(int)                             {}

// BenchmarkReceive is the way of 64-byte frames, so many of them in a delivery, to a
// backend on loopback.
func BenchmarkReceive(b *testing.B) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	dial := dialFunc(func(ctx context.Context, _ whitelist.Dest, _ OpenOptions) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", ln.Addr().String())
	})
	const frames = 800
	server := NewServer(dial, Options{})
	m := server.Mux(nowhere{}, Caller{})
	defer server.Wait()
	defer m.Closed(cause.SessionLost.Err())
	open := openFrame(1)
	if err := m.Receive([][]byte{open.Append(nil)}); err != nil {
		b.Fatal(err)
	}
	far, err := ln.Accept()
	if err != nil {
		b.Fatal(err)
	}
	defer far.Close()
	var data [][]byte
	for range frames {
		data = append(data, (&Frame{Type: Data, Socket: 1, Data: make([]byte, 64)}).Append(nil))
	}
	buf := make([]byte, 64*frames)
	b.SetBytes(64)
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += frames {
		if err := m.Receive(data); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(far, buf); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSocket is a socket that is opened through the Dialer, brings one byte to a
// backend on loopback and ends.
func BenchmarkSocket(b *testing.B) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	dest, _ := whitelist.ParseHostPort(ln.Addr().String())
	const many = 1 << 30
	server := NewServer(NewDialer(rulesFor(b, dest.String()), DialOptions{}),
		Options{MaxSockets: many, OpenRate: many, OpenBurst: many, MaxPerTarget: many})
	m := server.Mux(nowhere{}, Caller{})
	defer server.Wait()
	defer m.Closed(cause.SessionLost.Err())
	b.ReportAllocs()
	socket := uint64(0)
	for b.Loop() {
		socket++
		open := Frame{Type: Open, Socket: socket, N: 1 << 20, Port: uint64(dest.Port), Host: []byte(dest.Host)}
		msg := (&Frame{Type: Data, Socket: socket, Data: []byte("x")}).Append(open.Append(nil))
		if err := m.Receive([][]byte{(&Frame{Type: Close, Socket: socket}).Append(msg)}); err != nil {
			b.Fatal(err)
		}
		far, err := ln.Accept()
		if err != nil {
			b.Fatal(err)
		}
		if got, err := io.ReadAll(far); string(got) != "x" || err != nil {
			b.Fatalf("%q, %v", got, err)
		}
		far.Close()
	}
}
