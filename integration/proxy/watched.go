package proxy

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// watcher is a file that BuildWatched adds to the command, which has nothing of the kind
// itself: on SIGUSR1 it says what only the process can count.
const watcher = `package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

func init() {
	ask := make(chan os.Signal, 1)
	signal.Notify(ask, syscall.SIGUSR1)
	go func() {
		for range ask {
			runtime.GC()
			runtime.GC() // pools keep what they hold over one collection
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			fmt.Fprintf(os.Stderr, "msg=watched goroutines=%d heap=%d\n", runtime.NumGoroutine(), m.HeapAlloc)
		}
	}()
}
`

// BuildWatched is Build for a command of which Proxy.Inside tells.
func BuildWatched(dir string, race bool) (Command, error) {
	_, file, _, _ := runtime.Caller(0)
	root := filepath.Join(filepath.Dir(file), "..", "..")
	source, overlay := filepath.Join(dir, "watched.go"), filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(source, []byte(watcher), 0o644); err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, "cmd", "encke", "watched.go"): source}})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(overlay, replace, 0o644); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "encke-watched")
	args := []string{"build", "-overlay", overlay, "-o", path}
	if race {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "./cmd/encke")...)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build encke: %w\n%s", err, out)
	}
	return Command(path), nil
}

// Inside is what the process counts of itself, after a garbage collection. It can be
// asked of a command from BuildWatched only.
func (p *Proxy) Inside() (goroutines int, heap int64) {
	p.t.Helper()
	answers := func() []string {
		var all []string
		for _, line := range strings.Split(p.Log(), "\n") {
			if rest, ok := strings.CutPrefix(line, "msg=watched "); ok {
				all = append(all, rest)
			}
		}
		return all
	}
	before := len(answers())
	if err := p.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		p.t.Fatalf("ask the proxy: %v", err)
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if all := answers(); len(all) > before {
			for _, field := range strings.Fields(all[before]) {
				name, value, _ := strings.Cut(field, "=")
				n, _ := strconv.ParseInt(value, 10, 64)
				if name == "goroutines" {
					goroutines = int(n)
				} else {
					heap = n
				}
			}
			return goroutines, heap
		}
	}
	p.t.Fatal("the proxy did not say anything about itself for a minute")
	return 0, 0
}
