package transports_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"encke/cause"
	"encke/csp"
	"encke/transports"
)

// lines is a log that may be written and read at the same time.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A fault of ours ends the session that met it, with internal, and nothing else.
func TestPanicsEndTheirSessionOnly(t *testing.T) {
	for _, kind := range []string{"request", "WebSocket"} {
		t.Run(kind, func(t *testing.T) {
			var log lines
			r := newRig(t, transports.Options{Log: slog.New(slog.NewTextHandler(&log, nil))}, csp.Options{})
			healthy, broken := r.open(), r.open()
			if kind == "request" {
				resp, err := r.client.Do(r.request("POST", "send", join(resume(broken, 0), packets(1, "panic"))))
				if err == nil {
					resp.Body.Close()
					t.Errorf("status %d, want the connection cut", resp.StatusCode)
				}
			} else {
				ws := r.websocket()
				r.say(ws, join(resume(broken, 0), packets(1, "panic")))
				for err := error(nil); err == nil; {
					_, _, err = ws.Read(t.Context())
				}
			}
			for { // the session is closed a moment after the connection
				_, err := r.server.Resume(broken)
				if err == nil {
					continue
				}
				if !errors.Is(err, cause.Internal.Err()) {
					t.Errorf("the session ended with %v, want internal", err)
				}
				break
			}
			if n := r.h.Stats().Panics; n != 1 {
				t.Errorf("%d panics counted, want 1", n)
			}
			for _, part := range []string{"level=ERROR", "as a fault of ours would", "rig_test.go"} {
				if !strings.Contains(log.String(), part) {
					t.Errorf("the log lacks %q:\n%s", part, log.String())
				}
			}
			if recs := r.records(r.post("send", join(resume(healthy, 0), packets(1, "hello")))); recs[0].Kind != csp.Ack || recs[0].ID != 1 {
				t.Errorf("another session is answered %+v", recs)
			}
		})
	}
}
