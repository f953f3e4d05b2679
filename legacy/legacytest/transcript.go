package legacytest

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"encke/legacy"
)

var update = flag.Bool("update", false, "write what happens into the transcripts")

// Transcripts plays the files testdata/*.txt of the test's package, one exchange each, and
// compares what happens, byte for byte.
//
//	# what the file shows
//	open QUERY        opens a session, whose id KEY stands for from now on
//	connect QUERY     opens one and connects it to b.test:7; packet 1 has said so
//	NAME> GET /path   a request on the connection NAME, made when it is first named;
//	NAME> Name: value   header fields, "Name: -" for none where there is one by default,
//	NAME| text          and a body
//	NAME<             what came on the connection since last time, a line each
//	NAME close        closes the connection
//	far> text         the backend says something; far< what it got; far close
//	wait 30s
//
// Texts are as in Go strings.
func Transcripts(t *testing.T, protocols ...func(*legacy.Proxy) legacy.Protocol) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			script, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var got string
			synctest.Test(t, func(t *testing.T) {
				got = play(t, New(t, protocols...), string(script))
			})
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(script) {
				t.Errorf("this happened, and differs from %s:\n%s", file, got)
			}
		})
	}
}

// player plays one transcript.
type player struct {
	t     *testing.T
	rig   *Rig
	key   string
	conns map[string]*wire
	out   strings.Builder
}

func play(t *testing.T, r *Rig, script string) string {
	p := &player{t: t, rig: r, conns: make(map[string]*wire)}
	lines := strings.Split(strings.TrimSuffix(script, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		name, _, _ := strings.Cut(line, " ")
		kind := name[max(len(name)-1, 0):]
		name = strings.TrimSuffix(name, kind)
		switch {
		case line == "" || line[0] == '#':
		case kind == ">" && name != "far":
			last := i
			for last+1 < len(lines) && (strings.HasPrefix(lines[last+1], name+"> ") && !isRequest(lines[last+1]) || strings.HasPrefix(lines[last+1], name+"| ")) {
				last++
			}
			p.request(name, lines[i:last+1])
			for ; i < last; i++ {
				p.out.WriteString(lines[i] + "\n")
			}
			line = lines[i]
		case kind == "<":
			for i+1 < len(lines) && strings.HasPrefix(lines[i+1], name+"< ") {
				i++
			}
			p.out.WriteString(p.came(name))
			continue
		default:
			p.do(line)
		}
		p.out.WriteString(line + "\n")
	}
	return p.out.String()
}

func isRequest(line string) bool {
	_, rest, _ := strings.Cut(line, "> ")
	method, target, _ := strings.Cut(rest, " ")
	return strings.HasPrefix(target, "/") && strings.ToUpper(method) == method
}

// do plays a line that is no request.
func (p *player) do(line string) {
	verb, rest, _ := strings.Cut(line, " ")
	switch {
	case verb == "open":
		p.open(rest)
	case verb == "connect":
		p.open(rest)
		if answer := p.quietly("POST /csp/send?s=KEY", `[[1,0,"b.test:7\n"]]`); !strings.Contains(answer, `("OK")`) {
			p.t.Fatalf("not connected: %q", answer)
		}
		p.wire("far")
		p.quietly("POST /csp/comet?s=KEY&a=0", "")
	case verb == "wait":
		d, err := time.ParseDuration(rest)
		if err != nil {
			p.t.Fatal(err)
		}
		time.Sleep(d)
	case verb == "far>":
		if _, err := p.wire("far").Write([]byte(unquote(p.t, rest))); err != nil {
			p.t.Fatal(err)
		}
		synctest.Wait()
	case rest == "close":
		p.wire(verb).Close()
		synctest.Wait()
	default:
		p.t.Fatalf("what is %q?", line)
	}
}

func (p *player) open(query string) {
	if answer := p.quietly("POST /csp/handshake?"+query, "{}"); !p.learn(answer) {
		p.t.Fatalf("no session: %q", answer)
	}
}

// learn takes the id of a session from the answer that has it.
func (p *player) learn(answer string) bool {
	_, after, ok := strings.Cut(answer, `"session":"`)
	if ok {
		p.key, _, _ = strings.Cut(after, `"`)
	}
	return ok
}

// quietly makes a request that the transcript does not show.
func (p *player) quietly(request, body string) string {
	p.request("quiet", []string{"quiet> " + request, "quiet| " + body})
	return p.wire("quiet").take()
}

// request sends a request, with what a browser adds to it.
func (p *player) request(name string, lines []string) {
	method, target, _ := strings.Cut(strings.TrimPrefix(lines[0], name+"> "), " ")
	fields := [][2]string{{"Host", Host}, {"Origin", "http://" + Host}}
	if method == "GET" {
		fields[1] = [2]string{"Sec-Fetch-Site", "same-origin"}
	}
	var body *string
	for _, line := range lines[1:] {
		if text, ok := strings.CutPrefix(line, name+"| "); ok {
			s := text
			body = &s
			continue
		}
		field, value, _ := strings.Cut(strings.TrimPrefix(line, name+"> "), ": ")
		for i := range fields {
			if strings.EqualFold(fields[i][0], field) {
				fields[i][0] = ""
			}
		}
		if value != "-" {
			fields = append(fields, [2]string{field, value})
		}
	}
	if body != nil {
		*body = strings.ReplaceAll(*body, "KEY", p.key)
		fields = append(fields, [2]string{"Content-Length", strconv.Itoa(len(*body))})
	} else if method == "POST" {
		fields = append(fields, [2]string{"Content-Length", "0"})
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", method, strings.ReplaceAll(target, "KEY", p.key))
	for _, f := range fields {
		if f[0] != "" {
			fmt.Fprintf(&b, "%s: %s\r\n", f[0], strings.ReplaceAll(f[1], "KEY", p.key))
		}
	}
	b.WriteString("\r\n")
	if body != nil {
		b.WriteString(*body)
	}
	if _, err := p.wire(name).Write(b.Bytes()); err != nil {
		p.t.Fatal(err)
	}
	synctest.Wait() // so that requests are served in their order
}

// came renders what came on a connection, one line for each.
func (p *player) came(name string) string {
	w := p.wire(name)
	synctest.Wait()
	text := w.take()
	p.learn(text)
	if p.key != "" {
		text = strings.ReplaceAll(text, p.key, "KEY")
	}
	var out strings.Builder
	out.WriteString(name + "<\n")
	for _, line := range strings.SplitAfter(text, "\n") {
		if line != "" {
			q := strconv.QuoteToASCII(line)
			q = strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
			out.WriteString(name + "< " + q + "\n")
		}
	}
	if w.ended() {
		out.WriteString(name + "< (end)\n")
	}
	return out.String()
}

// wire returns the connection of that name.
func (p *player) wire(name string) *wire {
	p.t.Helper()
	if w := p.conns[name]; w != nil {
		return w
	}
	var conn net.Conn
	if name == "far" {
		synctest.Wait()
		select {
		case conn = <-p.rig.Far:
		default:
			p.t.Fatal("no backend was connected")
		}
	} else {
		conn, _ = p.rig.Dial(p.t.Context(), "", "")
	}
	w := &wire{Conn: conn}
	p.conns[name] = w
	go w.read() // until the connection is closed
	p.t.Cleanup(func() { conn.Close() })
	return w
}

// wire is a connection and what came on it.
type wire struct {
	net.Conn
	mu  sync.Mutex
	got bytes.Buffer
	err error
}

func (w *wire) read() {
	b := make([]byte, 64<<10)
	for {
		n, err := w.Conn.Read(b)
		w.mu.Lock()
		w.got.Write(b[:n])
		w.err = err
		w.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (w *wire) take() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.got.String()
	w.got.Reset()
	return s
}

func (w *wire) ended() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err == io.EOF
}

func unquote(t *testing.T, s string) string {
	t.Helper()
	text, err := strconv.Unquote(`"` + strings.ReplaceAll(s, `"`, `\"`) + `"`)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return text
}
