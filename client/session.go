package client

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"encke/cause"
	"encke/csp"
	"encke/tcpsocket"
)

// Limits of liveness: a link that was silent for so long is dead.
const (
	linkSilence  = 45 * time.Second
	helloTimeout = 10 * time.Second
	maxBackoff   = 5 * time.Second
)

// session keeps one session with the proxy alive over one WebSocket at a time.
type session struct {
	url    string
	header http.Header
	http   *http.Client
	giveUp time.Duration
	key    csp.Key
	over   context.CancelFunc // tells run that the session is over
	done   chan struct{}      // closed when run has returned

	csp     *csp.Session
	sockets *tcpsocket.Client

	mu      sync.Mutex
	id      string        // from Welcome
	window  time.Duration // from Welcome
	retired bool          // ends with its last socket
}

func (s *session) usable() bool { return s.csp.Err() == nil && s.sockets.Err() == nil }

// retire lets the session end when its sockets have.
func (s *session) retire() {
	s.mu.Lock()
	s.retired = true
	s.mu.Unlock()
	s.endIfRetired()
}

func (s *session) endIfRetired() {
	s.mu.Lock()
	retired := s.retired
	s.mu.Unlock()
	if retired && s.sockets.Len() == 0 {
		s.csp.Close(cause.Closed.Err())
	}
}

// flushTime is how long Dialer.Close waits for what closed connections have sent.
const flushTime = 5 * time.Second

// stop ends the session and waits until the proxy was told, if it can be.
func (s *session) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), flushTime)
	defer cancel()
	s.sockets.Flush(ctx)
	s.csp.Close(cause.Closed.Err())
	<-s.done
}

// run connects, and connects again, until the session is over.
func (s *session) run(ctx context.Context) {
	defer close(s.done)
	defer s.http.CloseIdleConnections()
	lost := time.Now()
	for attempt := 0; ; attempt++ {
		welcomed, err := s.link(ctx)
		if welcomed {
			attempt, lost = 0, time.Now()
		}
		var over *cause.Error
		switch {
		case errors.As(err, &over) && s.final(over):
			s.csp.Close(over)
		case time.Since(lost) > s.patience():
			s.csp.Close(s.hopeless(err))
		}
		if s.csp.Err() != nil {
			return
		}
		wait := backoff(attempt)
		if over != nil && over.Retry > 0 {
			wait = time.Duration(over.Retry) * time.Second
			wait += rand.N(wait / 2) // others were told the same
			if time.Since(lost)+wait > s.patience() {
				s.csp.Close(over)
				return
			}
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// final reports whether what the proxy said ends the session. A proxy that is full
// or stopping may take a new session later; one that it had is over.
func (s *session) final(why *cause.Error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id != "" || why.Code != cause.GoingAway && why.Code != cause.Limit
}

// patience is how long links may fail before the session is given up.
func (s *session) patience() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.id == "" {
		return s.giveUp
	}
	return s.window
}

func (s *session) hopeless(err error) *cause.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var why *cause.Error
	switch {
	case s.id == "" && errors.As(err, &why):
		return why
	case s.id == "":
		return cause.NoTransport.With("websocket: %v", err)
	}
	return cause.SessionLost.With("no link for %v; websocket: %v", s.window, err)
}

// backoff has full jitter, 100 ms to maxBackoff; the first retry is at once.
func backoff(attempt int) time.Duration {
	if attempt == 0 {
		return 0
	}
	limit := min(100*time.Millisecond<<min(attempt, 10), maxBackoff)
	return rand.N(limit)
}

// subprotocol is offered together with the hello (csp/PROTOCOL.md section 5).
const subprotocol = "encke"

// link runs one WebSocket from its opening to its end. ctx ends only its opening.
// It reports whether the proxy answered the hello. An error of type *cause.Error
// comes from the proxy.
func (s *session) link(ctx context.Context) (welcomed bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, helloTimeout)
	defer cancel()
	url, record := s.hello()
	hello := record.Append(nil)
	ws, resp, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		HTTPClient: s.http, HTTPHeader: s.header, Subprotocols: []string{subprotocol, base64.RawURLEncoding.EncodeToString(hello)},
	})
	if err != nil {
		return false, s.explain(err, resp)
	}
	l := &link{s: s, ws: ws}
	defer l.end()
	ws.SetReadLimit(csp.MaxBody)
	if ws.Subprotocol() != subprotocol { // who answered has not looked at the hello in the request
		if err := ws.Write(ctx, websocket.MessageBinary, hello); err != nil {
			return false, err
		}
	}
	for timeout := helloTimeout; ; timeout = linkSilence {
		if err := l.receive(timeout); err != nil {
			return l.uplink != nil, err
		}
		s.endIfRetired()
	}
}

// hello returns where to connect and the first record to send.
func (s *session) hello() (string, *csp.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.id == "" {
		return s.url, &csp.Record{Kind: csp.New, Version: csp.Version, Key: s.key}
	}
	node, _, _ := strings.Cut(s.id, ".")
	return s.url + "?node=" + node, &csp.Record{Kind: csp.Resume, Session: []byte(s.id), ID: s.csp.Received()}
}

func (s *session) welcome(r *csp.Record) {
	if r.Kind != csp.Welcome {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id, s.window = string(r.Session), time.Duration(r.Window)*time.Second
}

// explain turns a refused upgrade into what its status means.
func (s *session) explain(err error, resp *http.Response) error {
	if resp == nil {
		return err
	}
	text := make([]byte, 256)
	n, _ := io.ReadFull(resp.Body, text)
	err = fmt.Errorf("HTTP status %d: %s", resp.StatusCode, strings.TrimSpace(string(text[:n])))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.id != "" {
		return err // we were welcome before: something on the way says this
	}
	switch resp.StatusCode {
	case http.StatusForbidden, http.StatusMisdirectedRequest:
		return cause.Denied.With("%v", err)
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return cause.NoTransport.With("websocket: %v", err)
	case http.StatusTooManyRequests:
		retry, _ := strconv.ParseUint(resp.Header.Get("Retry-After"), 10, 12) // too large: the largest
		return &cause.Error{Code: cause.Limit, Text: err.Error(), Retry: int(retry)}
	}
	return err
}
