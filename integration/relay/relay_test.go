package relay_test

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"

	"encke/integration/backend"
	"encke/integration/relay"
)

func dial(t *testing.T, r *relay.Relay) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn.(*net.TCPConn)
}

// say sends a text to an echo and reads it back.
func say(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := conn.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != text {
		t.Fatalf("echo of %q was %q, %v", text, got, err)
	}
}

// readAll dials and reads until the end. A RST may come so early that dialling reports it.
func readAll(r *relay.Relay) ([]byte, error) {
	conn, err := net.Dial("tcp", r.Addr())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return io.ReadAll(conn)
}

// isOver reads until the connection ends; a RST and a FIN both count.
func isOver(conn net.Conn) error {
	if _, err := io.Copy(io.Discard, conn); err != nil && !errors.Is(err, syscall.ECONNRESET) {
		return err
	}
	return nil
}

func TestPassesBytesAndFins(t *testing.T) {
	const n = 3 << 20
	b := backend.Exchange(t, 1, 2, n)
	r := relay.New(t, b.Addr())
	conn := dial(t, r)
	go func() { // until everything is written
		p := make([]byte, n)
		backend.Fill(p, 2, 0)
		_, _ = conn.Write(p)
		_ = conn.CloseWrite()
	}()
	got, err := io.ReadAll(conn)
	if err != nil || len(got) != n {
		t.Fatalf("read %d bytes, %v", len(got), err)
	}
	if err := backend.Check(got, 1, 0); err != nil {
		t.Error(err)
	}
	if err := <-b.Ended(); err != nil {
		t.Error(err)
	}
	if r.Passed() != 2*n || r.Links() != 1 {
		t.Errorf("passed %d bytes on %d links, want %d on 1", r.Passed(), r.Links(), 2*n)
	}
}

func TestCutEachIsExact(t *testing.T) {
	b := backend.Source(t, 4, 1<<20)
	r := relay.New(t, b.Addr())
	done := r.CutEach(7777, 3)
	for i := range 3 {
		got, err := readAll(r)
		// A RST may overtake bytes that were passed; a FIN may not.
		wantErr := i%2 == 0
		if errors.Is(err, syscall.ECONNRESET) != wantErr || !wantErr && (err != nil || len(got) != 7777) || len(got) > 7777 {
			t.Errorf("cut %d: %d bytes, %v", i, len(got), err)
		}
	}
	<-done
	got, err := readAll(r)
	if err != nil || len(got) != 1<<20 {
		t.Errorf("after the cuts: %d bytes, %v", len(got), err)
	}
	if want := int64(3*7777 + 1<<20); r.Passed() != want {
		t.Errorf("passed %d, want %d", r.Passed(), want)
	}
}

func TestCutRefuseBlockFreeze(t *testing.T) {
	b := backend.Echo(t)
	r := relay.New(t, b.Addr())

	first := dial(t, r)
	say(t, first, "one")
	r.Cut(relay.FIN)
	if _, err := first.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("after a cut with FIN: %v", err)
	}

	r.Refuse(true)
	if got, err := readAll(r); len(got) > 0 || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a refused link: read %q, %v", got, err)
	}
	r.Refuse(false)

	r.Block("GET /bad")
	second := dial(t, r)
	say(t, second, "GET /good, and a text cut in two: GET")
	if _, err := second.Write([]byte(" /bad")); err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(second); len(got) != 0 {
		t.Errorf("a blocked link passed %q", got)
	}
	r.Block("")

	third := dial(t, r)
	say(t, third, "GET /bad is free again")
	r.Freeze()
	if _, err := third.Write([]byte("lost")); err != nil {
		t.Fatal(err)
	}
	fourth := dial(t, r)
	say(t, fourth, "a new link passes")
	_ = fourth.CloseWrite()
	if _, err := io.ReadAll(fourth); err != nil {
		t.Error(err)
	}
	sent := "one" + "GET /good, and a text cut in two: GET" + "GET /bad is free again" + "a new link passes"
	if b.Read() != int64(len(sent)) {
		t.Errorf("the backend read %d bytes, want %d", b.Read(), len(sent))
	}
	r.Cut(relay.RST)
	if err := isOver(third); err != nil {
		t.Errorf("a cut frozen link: %v", err)
	}
}

func TestTargetGone(t *testing.T) {
	r := relay.New(t, "127.0.0.1:1")
	if got, err := readAll(r); len(got) > 0 || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read %q, %v", got, err)
	}
}
