package faults

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"encke/integration/browser"
	"encke/integration/proxy"
)

// What all rows share is made when the first one needs it and removed by TestMain.
var shared struct {
	mu      sync.Mutex
	dir     string // of the built command
	command proxy.Command
	planted proxy.Command // of row 34
	browser *browser.Browser
}

// What the environment asks for.
var (
	seed       = time.Now().UnixNano()
	full       = os.Getenv("FULL") != "" // all rows, to their full length
	onlyRows   = words("ROWS")
	onlyTransp = words("TRANSPORTS")
)

func words(name string) []string {
	return strings.FieldsFunc(os.Getenv(name), func(r rune) bool { return r == ',' || r == ' ' })
}

func TestMain(m *testing.M) {
	if settings := os.Getenv(asClient); settings != "" {
		os.Exit(clientMain(settings))
	}
	if text := os.Getenv("SEED"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			fmt.Fprintf(os.Stderr, "SEED: %v\n", err)
			os.Exit(2)
		}
		seed = n
	}
	if os.Getenv("GORACE") == "" { // a command with the race detector sleeps 1 s at its end, once for each test
		os.Setenv("GORACE", "atexit_sleep_ms=50")
	}
	code := m.Run()
	if shared.browser != nil {
		if err := shared.browser.Close(); err != nil {
			fmt.Fprintf(os.Stderr, "close the browser: %v\n", err)
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
	if err := report(); err != nil {
		fmt.Fprintf(os.Stderr, "report: %v\n", err)
		code = 1
	}
	os.Exit(code)
}

// encke returns the command under test, built from this tree, with the race detector if
// the tests run with it.
func encke(t *testing.T) proxy.Command {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.command != "" {
		return shared.command
	}
	var err error
	if shared.dir == "" {
		if shared.dir, err = os.MkdirTemp("", "encke-faults-"); err != nil {
			t.Fatal(err)
		}
	}
	if shared.command, err = proxy.BuildWatched(shared.dir, raceDetector); err != nil {
		t.Fatal(err)
	}
	return shared.command
}

// chromium returns the one running browser.
func chromium(t *testing.T) *browser.Browser {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.browser == nil {
		b, err := browser.Launch(browser.Chromium)
		if err != nil {
			t.Fatal(err)
		}
		shared.browser = b
	}
	return shared.browser
}
