package integration

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"encke/integration/browser"
	"encke/integration/proxy"
)

// What all tests share is made when the first one needs it and removed by TestMain.
var shared struct {
	mu       sync.Mutex
	dir      string // of the built command
	command  proxy.Command
	browsers map[browser.Kind]*browser.Browser
}

func TestMain(m *testing.M) {
	shared.browsers = make(map[browser.Kind]*browser.Browser)
	code := m.Run()
	for kind, b := range shared.browsers {
		if err := b.Close(); err != nil {
			fmt.Fprintf(os.Stderr, "close %s: %v\n", kind, err)
			code = 1
		}
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if shared.dir != "" {
		_ = os.RemoveAll(shared.dir)
	}
	os.Exit(code)
}

// encke returns the command under test: the one that the environment variable
// ENCKE_BINARY names, else it is built from this tree, with the race detector if the
// tests run with it.
func encke(t *testing.T) proxy.Command {
	t.Helper()
	if path := os.Getenv("ENCKE_BINARY"); path != "" {
		return proxy.Command(path)
	}
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.command != "" {
		return shared.command
	}
	var err error
	if shared.dir, err = os.MkdirTemp("", "encke-integration-"); err != nil {
		t.Fatal(err)
	}
	if shared.command, err = proxy.Build(shared.dir, raceDetector); err != nil {
		t.Fatal(err)
	}
	return shared.command
}

// launched returns the one running browser of a kind.
func launched(t *testing.T, kind browser.Kind) *browser.Browser {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if b := shared.browsers[kind]; b != nil {
		return b
	}
	b, err := browser.Launch(kind)
	if err != nil {
		t.Fatal(err)
	}
	shared.browsers[kind] = b
	return b
}
