// Package inprocess runs the proxy in the process of a test.
package inprocess

import (
	"bytes"
	"sync"
	"testing"

	"encke/cmd/encke/app"
)

// Start runs a proxy until the test ends, by default on a port of its own.
func Start(t testing.TB, cfg app.Config) *app.App {
	t.Helper()
	if len(cfg.Listen) == 0 {
		cfg.Listen = []string{"127.0.0.1:0"}
	}
	a, err := app.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// Log keeps what a proxy logs, and may be read meanwhile. Its zero value is empty.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
