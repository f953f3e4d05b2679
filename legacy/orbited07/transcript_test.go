package orbited07

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"encke/cause"
	"encke/whitelist"
)

var update = flag.Bool("update", false, "write what was seen into testdata")

// TestTranscripts plays the files of testdata, one exchange each, in fake time. Each line is
// an action or what must be seen at that moment:
//
//	GET NAME PATH            a request begins; KEY is the key of the session
//	POST NAME PATH "BODY"
//	CUT NAME                 its client goes away
//	NAME STATUS TYPE         the status and type of its answer
//	NAME < "BYTES"           what has come of it since the last such line
//	NAME end                 it has come to its end
//	WAIT DURATION            time passes
//	REFUSE CAUSE             the next backend can not be reached
//	BACKEND host:port        has been connected to
//	BACKEND > "BYTES"        it says
//	BACKEND < "BYTES"        it has got since the last such line
//	BACKEND close            it closes
//	BACKEND closed           it has been closed
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var seen string
			synctest.Test(t, func(t *testing.T) { seen = play(t, string(src)) })
			if *update {
				if err := os.WriteFile(path, []byte(seen), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// theatre is where a transcript is played.
type theatre struct {
	t       *testing.T
	r       *rig
	key     string
	answers map[string]*answer
	refuse  string
	dialed  string
	backend net.Conn

	mu     sync.Mutex
	got    []byte // by the backend
	closed bool
}

func play(t *testing.T, src string) (seen string) {
	th := &theatre{t: t, answers: make(map[string]*answer)}
	th.r = newRig(t, openFunc(th.dial), nil)
	for n, line := range strings.Split(strings.TrimSuffix(src, "\n"), "\n") {
		was := line
		if line != "" && !strings.HasPrefix(line, "#") {
			was = th.line(line)
		}
		synctest.Wait()
		if was != line && !*update {
			t.Errorf("line %d:\n got %s\nwant %s", n+1, was, line)
		}
		seen += was + "\n"
	}
	for _, a := range th.answers {
		a.cancel()
	}
	if th.backend != nil {
		th.backend.Close()
	}
	th.r.stop()
	synctest.Wait()
	return seen
}

// line plays one line and returns it as it should have been.
func (th *theatre) line(line string) string {
	words := strings.SplitN(line, " ", 4)
	word := func(n int) string {
		if n >= len(words) {
			th.t.Fatalf("too short: %s", line)
		}
		return words[n]
	}
	switch words[0] {
	case "GET":
		th.ask(word(1), "GET", word(2), "")
	case "POST":
		th.ask(word(1), "POST", word(2), th.unquote(word(3)))
	case "CUT":
		th.answers[word(1)].cancel()
	case "WAIT":
		d, err := time.ParseDuration(word(1))
		if err != nil {
			th.t.Fatal(err)
		}
		time.Sleep(d)
	case "REFUSE":
		th.refuse = word(1)
	case "BACKEND":
		return th.backendLine(line, word(1))
	default:
		a := th.answers[words[0]]
		if a == nil {
			th.t.Fatalf("unknown line: %s", line)
		}
		return a.line(words[0], word(1), th)
	}
	return line
}

func (th *theatre) backendLine(line, what string) string {
	th.mu.Lock()
	defer th.mu.Unlock()
	switch what {
	case ">":
		text := th.unquote(strings.SplitN(line, " ", 3)[2])
		th.backend.Write([]byte(text)) // the pipe has a reader, or the test hangs and says where
	case "<":
		got := th.got
		th.got = nil
		return fmt.Sprintf("BACKEND < %q", got)
	case "close":
		th.backend.Close()
	case "closed", "open":
		if th.closed {
			return "BACKEND closed"
		}
		return "BACKEND open"
	default:
		return "BACKEND " + th.dialed
	}
	return line
}

func (th *theatre) dial(dest whitelist.Dest) (net.Conn, error) {
	th.dialed = dest.String()
	if th.refuse != "" {
		for c := range cause.Count {
			if cause.Code(c).String() == th.refuse {
				return nil, cause.Code(c).Err()
			}
		}
	}
	near, far := net.Pipe()
	th.backend = far
	go func() {
		var p [4096]byte
		for {
			n, err := far.Read(p[:])
			th.mu.Lock()
			th.got = append(th.got, p[:n]...)
			th.closed = err != nil
			th.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return near, nil
}

func (th *theatre) unquote(s string) string {
	text, err := strconv.Unquote(s)
	if err != nil {
		th.t.Fatalf("%s: %v", s, err)
	}
	return text
}

// ask begins a request.
func (th *theatre) ask(name, method, path, body string) {
	ctx, cancel := context.WithCancel(context.Background())
	r := httptest.NewRequest(method, "http://proxy.test"+strings.ReplaceAll(path, "KEY", th.key), strings.NewReader(body)).WithContext(ctx)
	if method == "GET" {
		r.Header.Set("Referer", "http://proxy.test/page")
	} else {
		r.Header.Set("Origin", "http://proxy.test")
	}
	a := &answer{header: make(http.Header), cancel: cancel}
	th.answers[name] = a
	go func() {
		defer func() {
			if v := recover(); v != nil && v != http.ErrAbortHandler {
				panic(v)
			}
			a.mu.Lock()
			a.ended = true
			a.mu.Unlock()
		}()
		th.r.mux.ServeHTTP(a, r)
		a.WriteHeader(http.StatusOK)
	}()
	synctest.Wait()
}

// answer is a response as it is written.
type answer struct {
	header http.Header
	cancel context.CancelFunc

	mu     sync.Mutex
	status int
	body   bytes.Buffer
	ended  bool
}

func (a *answer) line(name, what string, th *theatre) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch what {
	case "<":
		text, _ := io.ReadAll(&a.body)
		if th.key == "" {
			th.key = string(text)
			return name + ` < "KEY"`
		}
		return fmt.Sprintf("%s < %q", name, text)
	case "end", "open":
		if a.ended {
			return name + " end"
		}
		return name + " open"
	}
	return fmt.Sprintf("%s %d %s", name, a.status, a.header.Get("Content-Type"))
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.body.Write(p)
}

func (a *answer) Flush()                           {}
func (a *answer) SetReadDeadline(time.Time) error  { return nil }
func (a *answer) SetWriteDeadline(time.Time) error { return nil }
