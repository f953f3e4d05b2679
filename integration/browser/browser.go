package browser

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// Kind names a browser engine.
type Kind string

// The browsers that driver.mjs can start.
const (
	Chromium Kind = "chromium"
	Firefox  Kind = "firefox"
)

// executables are the commands of each kind and the apt package that brings them.
var executables = map[Kind]struct {
	names []string
	apt   string
}{
	Chromium: {[]string{"chromium", "chromium-browser", "google-chrome"}, "chromium"},
	Firefox:  {[]string{"firefox-esr", "firefox"}, "firefox-esr"},
}

// Browser is one running browser and the Node process that drives it. All methods may
// be called from several goroutines.
type Browser struct {
	Version string // as the browser states it

	cmd   *exec.Cmd
	stdin io.WriteCloser
	ended chan struct{} // closed when the driver's stdout has ended

	mu      sync.Mutex // guards everything below and the order of writes to stdin
	lastID  int
	waiting map[int]chan answer // commands that are not answered yet
	pages   map[int]*Page
}

// answer is one line from the driver: the answer to command ID, or, with ID 0, a
// console line of a page.
type answer struct {
	ID    int
	Value json.RawMessage
	Error string
	Page  int
	Kind  string
	Text  string
}

// Launch starts a browser and waits until it takes commands, at most two minutes.
func Launch(kind Kind) (*Browser, error) {
	executable, err := Find(kind)
	if err != nil {
		return nil, err
	}
	dir, err := driverDir()
	if err != nil {
		return nil, err
	}
	node, err := findNode(dir)
	if err != nil {
		return nil, err
	}
	b := &Browser{
		cmd:     exec.Command(node, "driver.mjs", string(kind), executable),
		ended:   make(chan struct{}),
		waiting: make(map[int]chan answer),
		pages:   make(map[int]*Page),
	}
	b.cmd.Dir = dir
	b.cmd.Stderr = os.Stderr
	if b.stdin, err = b.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := b.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	ready := make(chan answer, 1)
	b.waiting[0] = ready // the driver answers 0 once the browser runs
	if err := b.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the driver of %s: %w", kind, err)
	}
	go b.read(stdout) // until the driver ends

	select {
	case first := <-ready:
		return b, json.Unmarshal(first.Value, &b.Version)
	case <-b.ended:
		return nil, fmt.Errorf("%s did not start: its driver ended (see its messages above)", kind)
	case <-time.After(2 * time.Minute):
		_ = b.cmd.Process.Kill()
		return nil, fmt.Errorf("%s did not start within two minutes", kind)
	}
}

// Close ends the browser and its driver and waits for them.
func (b *Browser) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, err := b.do(ctx, map[string]any{"op": "quit"})
	if err != nil {
		_ = b.stdin.Close() // the driver ends its browser when stdin ends
	}
	select {
	case <-b.ended:
	case <-ctx.Done():
		_ = b.cmd.Process.Kill()
	}
	return errors.Join(err, b.cmd.Wait())
}

// do sends a command and waits for its answer.
func (b *Browser) do(ctx context.Context, command map[string]any) (json.RawMessage, error) {
	reply := make(chan answer, 1)
	b.mu.Lock()
	b.lastID++
	id := b.lastID
	command["id"] = id
	b.waiting[id] = reply
	line, err := json.Marshal(command)
	if err == nil {
		_, err = b.stdin.Write(append(line, '\n'))
	}
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		delete(b.waiting, id)
		b.mu.Unlock()
	}()
	if err != nil {
		return nil, fmt.Errorf("browser %s: %w", command["op"], err)
	}
	select {
	case a := <-reply:
		if a.Error != "" {
			return nil, fmt.Errorf("browser %s: %s", command["op"], a.Error)
		}
		return a.Value, nil
	case <-b.ended:
		return nil, fmt.Errorf("browser %s: the driver ended", command["op"])
	case <-ctx.Done():
		return nil, fmt.Errorf("browser %s: no answer: %w", command["op"], ctx.Err())
	}
}

// read hands the driver's lines to those who wait for them, until its stdout ends.
func (b *Browser) read(stdout io.Reader) {
	defer close(b.ended)
	lines := bufio.NewReaderSize(stdout, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var a answer
		if err := json.Unmarshal(line, &a); err != nil {
			fmt.Fprintf(os.Stderr, "browser driver: %s", line)
			continue
		}
		b.mu.Lock()
		reply := b.waiting[a.ID]
		page := b.pages[a.Page]
		b.mu.Unlock()
		switch {
		case a.Page != 0 && page != nil:
			page.console(a.Kind, a.Text)
		case a.Page == 0 && reply != nil:
			reply <- a
		}
	}
}

// Find returns the browser's executable.
func Find(kind Kind) (string, error) {
	entry, ok := executables[kind]
	if !ok {
		return "", fmt.Errorf("no browser of the kind %q", kind)
	}
	for _, name := range entry.names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed: apt-get install %s", kind, entry.apt)
}

// driverDir returns the folder of driver.mjs, which is this file's folder.
func driverDir() (string, error) {
	_, file, _, _ := runtime.Caller(0)
	dir := filepath.Dir(file)
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		return "", fmt.Errorf("the browser driver has no node_modules: run sh integration/install.sh")
	}
	return dir, nil
}

// findNode returns the Node that install.sh has brought, else the one in PATH.
func findNode(driverDir string) (string, error) {
	brought := filepath.Join(driverDir, "..", ".tools", "node", "bin", "node")
	if _, err := os.Stat(brought); err == nil {
		return brought, nil
	}
	path, err := exec.LookPath("node")
	if err != nil {
		return "", errors.New("node is not installed: run sh integration/install.sh")
	}
	return path, nil
}
