// Package proxy runs the encke command as an operator would: built once, started with
// flags, stopped with SIGTERM. Tests learn about it what an operator does: its address
// from the log line "listening", its log and its exit status.
package proxy

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Command is a built encke binary.
type Command string

// Build builds the command into dir, with the race detector if race is set.
func Build(dir string, race bool) (Command, error) {
	_, file, _, _ := runtime.Caller(0)
	path := filepath.Join(dir, "encke")
	args := []string{"build", "-o", path}
	if race {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "./cmd/encke")...)
	build.Dir = filepath.Join(filepath.Dir(file), "..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build encke: %w\n%s", err, out)
	}
	return Command(path), nil
}

// Options are the flags of a run. The zero value of a field leaves its flag out, except
// where it says otherwise.
type Options struct {
	Listen     string   // default: 127.0.0.1:0
	Allow      []string // targets, HOST:PORT
	Origins    []string // origins of pages beside the proxy's own
	Hosts      []string // names that the proxy is reached by
	Prefix     string   // path below which everything is served
	Transports []string // default: all of them
	Limited    bool     // with the limits of one address; default: none, since all clients of a test share one
	Args       []string // further arguments, as they are
}

// Transports are the names of all transports.
var Transports = []string{"websocket", "fetch-streaming", "xhr-streaming", "eventsource", "long-polling", "iframe", "jsonp"}

func (o Options) args() []string {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Transports == nil {
		o.Transports = Transports
	}
	args := []string{"--listen", o.Listen, "--transports", strings.Join(o.Transports, ",")}
	for flag, values := range map[string][]string{"--allow": o.Allow, "--origin": o.Origins, "--host": o.Hosts} {
		for _, value := range values {
			args = append(args, flag, value)
		}
	}
	if o.Prefix != "" {
		args = append(args, "--prefix", o.Prefix)
	}
	args = append(args, "--drain", "2s")
	if !o.Limited {
		for _, limit := range []string{"connections", "sessions", "handshakes", "upgrades", "sockets", "requests"} {
			args = append(args, "--address-"+limit, "-1")
		}
	}
	return append(args, o.Args...)
}

// Proxy is a running encke.
type Proxy struct {
	Addr   string // where it listens, HOST:PORT
	Prefix string // as in Options

	t    testing.TB
	cmd  *exec.Cmd
	done chan struct{} // closed when its stderr has ended

	hearing sync.Mutex // held by Deafen

	mu  sync.Mutex
	log []string // its stderr, by lines
}

// Start starts the command for t and waits until it listens. When t ends the proxy gets
// SIGTERM and must exit with status 0; the log is shown when t failed.
func (c Command) Start(t testing.TB, o Options) *Proxy {
	t.Helper()
	p := &Proxy{Prefix: o.Prefix, t: t, cmd: exec.Command(string(c), o.args()...), done: make(chan struct{})}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // it does not outlive killed tests
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	listening := make(chan string, 1)
	go p.read(stderr, listening) // until the process ends
	t.Cleanup(p.stop)
	select {
	case p.Addr = <-listening:
		return p
	case <-p.done:
		t.Fatalf("encke %q ended before it listened", p.cmd.Args[1:])
	case <-time.After(time.Minute):
		t.Fatalf("encke %q does not listen after a minute", p.cmd.Args[1:])
	}
	return nil
}

// Log returns what the proxy has logged so far.
func (p *Proxy) Log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.log, "\n")
}

// PID is the id of the proxy's process.
func (p *Proxy) PID() int { return p.cmd.Process.Pid }

// Terminate asks the proxy to stop, as an operator does. Ended tells when it has.
func (p *Proxy) Terminate() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatalf("stop the proxy: %v", err)
	}
}

// Ended is closed when the proxy's process has ended, or is about to.
func (p *Proxy) Ended() <-chan struct{} { return p.done }

// Deafen lets nobody read what the proxy logs, but for a page or so, until hear is called.
// It must be before the test ends.
func (p *Proxy) Deafen() (hear func()) {
	p.hearing.Lock()
	return sync.OnceFunc(p.hearing.Unlock)
}

// Kill ends the proxy as a crash does. It must not be used after that.
func (p *Proxy) Kill() {
	p.t.Helper()
	_ = p.cmd.Process.Kill()
	<-p.done
	_ = p.cmd.Wait()
}

func (p *Proxy) read(stderr io.Reader, listening chan<- string) {
	defer close(p.done)
	lines := bufio.NewScanner(stderr)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		p.hearing.Lock() // taken only to wait for it
		p.hearing.Unlock()
		line := lines.Text()
		p.mu.Lock()
		p.log = append(p.log, line)
		p.mu.Unlock()
		if strings.Contains(line, "msg=listening") {
			for _, field := range strings.Fields(line) {
				if addr, ok := strings.CutPrefix(field, "addr="); ok && len(listening) == 0 {
					listening <- addr
				}
			}
		}
	}
}

// stop ends the proxy and checks how it ended.
func (p *Proxy) stop() {
	if p.cmd.ProcessState == nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		stop := context.AfterFunc(ctx, func() { _ = p.cmd.Process.Kill() })
		defer stop()
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		<-p.done
		if err := p.cmd.Wait(); err != nil {
			p.t.Errorf("encke ended with: %v", err)
		}
	}
	if p.t.Failed() {
		log := slices.DeleteFunc(strings.Split(p.Log(), "\n"), func(line string) bool { return strings.HasPrefix(line, watched) })
		p.t.Logf("the proxy's log:\n%s", strings.Join(log, "\n"))
	}
}
