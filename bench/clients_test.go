package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain makes the test binary do what the command does when it starts itself as a peer.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "relay":
			relayMain(os.Args[2:])
		case "floor":
			floorMain(os.Args[2:])
		}
	}
	os.Exit(m.Run())
}

// TestClients starts Encke and the peers that need nothing installed. That a peer starts
// means that echoes of all sizes came back unchanged.
func TestClients(t *testing.T) {
	dir := t.TempDir()
	encke := filepath.Join(dir, "encke")
	build := exec.Command("go", "build", "-o", encke, "./cmd/encke")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build encke: %v\n%s", err, out)
	}
	b, err := startBackend("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range peers {
		switch p.name {
		case "direct", "relay", "floor", "floor-session":
		default:
			if !strings.HasPrefix(p.name, "encke-") {
				continue
			}
		}
		t.Run(p.name, func(t *testing.T) {
			r, err := p.run(b, launch{dir: ".", scratch: dir, encke: encke}, lengths{touch: 64 << 10}, testing.Verbose())
			if err != nil {
				t.Fatal(err)
			}
			defer r.process.stop()
			carry(t, r)
			if s := r.idle(20, time.Second); s.Err != "" || p.name != limitPeer && s.RSS <= 0 {
				t.Errorf("idle: %+v", s)
			}
		})
	}
}

// carry sends and gets several windows and resend buffers full through one stream each.
func carry(t *testing.T, r *running) {
	t.Helper()
	const amount = 5 << 20
	down, err := r.open(1, header(roleBulk, 0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, down[0], amount); err != nil {
		t.Errorf("download: %v", err)
	}
	closeAll(down)
	for _, c := range []struct{ size, batch int }{{32 << 10, 1}, {messageSize, 64}} {
		up, err := r.open(1, header(roleSink, 0))
		if err != nil {
			t.Fatal(err)
		}
		before, sent := r.backend.sunk.Load(), int64(0)
		for ; sent < amount; sent += int64(c.size * c.batch) {
			if err := repeat(up[0], payload[:c.size], c.batch); err != nil {
				t.Fatalf("upload of %d times %d bytes: %v", c.batch, c.size, err)
			}
		}
		for r.backend.sunk.Load()-before < sent { // the test's own time limit bounds this
			time.Sleep(time.Millisecond)
		}
		closeAll(up)
	}
	for range 2 { // the second one finds a session on which others have poured before
		if up, err := r.open(3, header(roleSink, 0)); err != nil {
			t.Error(err)
		} else {
			pour(t, r, up, amount)
		}
	}
}

// pour has all streams sent on at once until the backend got several bounds of what may be
// unacknowledged, if they can do that.
func pour(t *testing.T, r *running, up []stream, amount int64) {
	defer closeAll(up)
	before := r.backend.sunk.Load()
	for _, s := range up {
		s, ok := s.(pourer)
		if !ok {
			return
		}
		s.Pour(payload[:32<<10])
	}
	for until := time.Now().Add(time.Minute); r.backend.sunk.Load()-before < 4*amount; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("after a minute the backend got %d bytes of %d", r.backend.sunk.Load()-before, 4*amount)
		}
	}
}
