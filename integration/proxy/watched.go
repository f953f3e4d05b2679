package proxy

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"encke/cause"
)

// watcher is a file that BuildWatched adds to the command, which has nothing of the kind
// itself: on SIGUSR1 it says what only the process can count.
const watcher = `package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"encke/cmd/encke/app"
)

func watch(a *app.App) {
	ask := make(chan os.Signal, 1)
	signal.Notify(ask, syscall.SIGUSR1)
	go func() {
		for range ask {
			runtime.GC()
			runtime.GC() // pools keep what they hold over one collection
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			stats, err := json.Marshal(a.Stats())
			if err != nil {
				panic(err)
			}
			fmt.Fprintf(os.Stderr, "msg=watched {\"Goroutines\":%d,\"Heap\":%d,\"Counters\":%s}\n", runtime.NumGoroutine(), m.HeapAlloc, stats)
		}
	}()
}
`

// An Edit is a change that BuildWatched makes to a source file of the command, for what
// cannot be brought about from outside. The file itself stays as it is.
type Edit struct {
	File string // below the module's root
	Old  string // must be in it exactly once; empty: there is no such file yet
	New  string
}

// watching has the command call watch.
var watching = Edit{File: "cmd/encke/serve.go", Old: "\ta, err := app.Start(cfg)\n", New: "\ta, err := app.Start(cfg)\n\tif err == nil {\n\t\twatch(a)\n\t}\n"}

// BuildWatched is Build for a command of which Proxy.Inside tells, with edits.
func BuildWatched(dir string, race bool, edits ...Edit) (Command, error) {
	_, file, _, _ := runtime.Caller(0)
	root := filepath.Join(filepath.Dir(file), "..", "..")
	sources := map[string]string{"cmd/encke/watched.go": watcher}
	for _, e := range append(edits, watching) {
		text, ok := sources[e.File]
		if !ok && e.Old == "" {
			sources[e.File] = e.New
			continue
		}
		if !ok {
			original, err := os.ReadFile(filepath.Join(root, e.File))
			if err != nil {
				return "", err
			}
			text = string(original)
		}
		if n := strings.Count(text, e.Old); n != 1 {
			return "", fmt.Errorf("%s has %q %d times, want it once", e.File, e.Old, n)
		}
		sources[e.File] = strings.Replace(text, e.Old, e.New, 1)
	}
	replace := make(map[string]string)
	for name, text := range sources {
		source := filepath.Join(dir, strings.ReplaceAll(name, "/", "-"))
		if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
			return "", err
		}
		replace[filepath.Join(root, name)] = source
	}
	all, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, all, 0o644); err != nil {
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

// watched is how the lines begin by which a process tells.
const watched = "msg=watched "

// Inside is what a process counts of itself, after a garbage collection.
type Inside struct {
	Goroutines int
	Heap       int64    // bytes
	Counters   Counters // of all its layers
}

// Counters are an app.Stats: by names such as "Sessions.Live", and
// "Sessions.Closed.reset" where there is one for each cause.
type Counters map[string]int64

// Inside asks the process, which must be of a command from BuildWatched.
func (p *Proxy) Inside() Inside {
	p.t.Helper()
	answers := func() []string {
		var all []string
		for _, line := range strings.Split(p.Log(), "\n") {
			if rest, ok := strings.CutPrefix(line, watched); ok {
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
			var i Inside
			if err := json.Unmarshal([]byte(all[before]), &i); err != nil {
				p.t.Fatalf("the proxy says of itself %q: %v", all[before], err)
			}
			return i
		}
	}
	p.t.Fatal("the proxy did not say anything about itself for a minute")
	return Inside{}
}

// UnmarshalJSON reads an app.Stats.
func (c *Counters) UnmarshalJSON(text []byte) error {
	var tree map[string]any
	if err := json.Unmarshal(text, &tree); err != nil {
		return err
	}
	*c = make(Counters)
	c.add("", tree)
	return nil
}

func (c Counters) add(name string, value any) {
	switch value := value.(type) {
	case float64:
		c[name] = int64(value)
	case []any:
		for i, one := range value {
			c.add(name+"."+cause.Code(i).String(), one)
		}
	case map[string]any:
		for key, one := range value {
			c.add(strings.TrimPrefix(name+"."+key, "."), one)
		}
	}
}
