package hostile

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// answer is what an attack must get.
type answer struct {
	status int
	kind   string // Content-Type; "" means text/plain with charset
	body   string // exactly; of a WebSocket: its messages
	code   int    // of a WebSocket: that it is closed with
	allow  string // Access-Control-Allow-Origin; "" means that there is none
	raw    bool   // by net/http or below it, before our handlers and their headers: see rawTexts
	opened int    // sessions that the attack makes all the same, and that are over now
}

// The fixed texts.
var (
	foreign     = answer{status: 403, body: "this page may not open sessions here: its origin is not accepted (--origin)\n"}
	misdirected = answer{status: 421, body: "this proxy does not answer to that host name (--host)\n"}
	wrongMethod = answer{status: 405, body: "wrong method\n"}
	notFound    = answer{status: 404, body: "not found\n"}
	noTransport = answer{status: 404, body: "no such transport, or not served here\n"}
	encoded     = answer{status: 415, body: "encoded bodies are not taken\n"}
)

// reply is what came back.
type reply struct {
	*http.Response
	text     string // the body
	messages string // of a WebSocket
	code     int    // that closed it
}

// patience is how long an answer may take before the test gives up. It decides nothing
// that a test asserts.
const patience = 20 * time.Second

// exchange sends bytes over a connection of their own and reads until the proxy closes
// it. It returns all answers.
func exchange(addr, method string, sent []byte) ([]reply, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	written := make(chan struct{})
	go func() { // ends at the latest when conn is closed
		defer close(written)
		conn.Write(sent) // what is refused early is not read to its end
	}()
	defer func() {
		conn.Close()
		<-written
	}()
	return replies(bufio.NewReader(conn), method)
}

// replies reads answers until the connection ends.
func replies(r *bufio.Reader, method string) (all []reply, err error) {
	for {
		if _, err := r.Peek(1); err != nil {
			if err == io.EOF || len(all) > 0 && !isTimeout(err) {
				return all, nil // a reset behind an answer ends the connection as well
			}
			return all, err
		}
		resp, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			return all, err
		}
		if resp.StatusCode == http.StatusSwitchingProtocols {
			messages, code, err := webSocket(r)
			return append(all, reply{resp, "", messages, code}), err
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return all, fmt.Errorf("after %q: %w", body, err)
		}
		all = append(all, reply{resp, string(body), "", 0})
	}
}

func isTimeout(err error) bool {
	n, ok := err.(net.Error)
	return ok && n.Timeout()
}

// webSocket reads what a server sends over a WebSocket to its close frame.
func webSocket(r *bufio.Reader) (messages string, code int, err error) {
	for {
		var head [2]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return messages, code, err
		}
		n := uint64(head[1] & 0x7f)
		switch n {
		case 126:
			var long uint16
			err = binary.Read(r, binary.BigEndian, &long)
			n = uint64(long)
		case 127:
			err = binary.Read(r, binary.BigEndian, &n)
		}
		payload := make([]byte, min(n, 1<<21))
		if _, err := io.ReadFull(r, payload); err != nil {
			return messages, code, err
		}
		if head[0]&0xf == 8 {
			if len(payload) >= 2 {
				code = int(binary.BigEndian.Uint16(payload))
			}
			return messages, code, nil
		}
		messages += string(payload)
	}
}

// check says what is wrong with the answers to a request for a session endpoint or a file.
func (want answer) check(got []reply) (problems []string) {
	bad := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if len(got) != 1 {
		bad("%d answers, want 1", len(got))
		for _, g := range got {
			bad("got %d %q", g.StatusCode, g.text)
		}
		return problems
	}
	g := got[0]
	switch want.kind {
	case "":
		want.kind = "text/plain; charset=utf-8"
	case "-":
		want.kind = ""
	}
	if want.raw {
		return append(checkRaw(g), headers(g)...)
	}
	if g.StatusCode != want.status {
		bad("status %d, want %d", g.StatusCode, want.status)
	}
	if want.status == http.StatusSwitchingProtocols {
		if g.messages != want.body || g.code != want.code {
			bad("messages %q and close code %d, want %q and %d", g.messages, g.code, want.body, want.code)
		}
		return append(problems, headers(g)...)
	}
	if g.text != want.body {
		bad("body %q, want %q", g.text, want.body)
	}
	if kind := g.Header.Get("Content-Type"); kind != want.kind {
		bad("Content-Type %q, want %q", kind, want.kind)
	}
	if allow := strings.Join(g.Header.Values("Access-Control-Allow-Origin"), "|"); allow != want.allow {
		bad("Access-Control-Allow-Origin %q, want %q", allow, want.allow)
	}
	if nosniff := g.Header.Get("X-Content-Type-Options"); nosniff != "nosniff" {
		bad("X-Content-Type-Options %q", nosniff)
	}
	return append(problems, headers(g)...)
}

// rawTexts are all that is said about a request that is refused before a handler sees it.
var rawTexts = []string{
	"", // to the preface of HTTP/2
	"400 Bad Request",
	"400 Bad Request: missing required Host header",
	"400 Bad Request: too many Host headers",
	"400 Bad Request: malformed Host header",
	"400 Bad Request: invalid header name",
	"400 Bad Request: invalid header value",
	"431 Request Header Fields Too Large",
	"501 Unsupported transfer encoding",
	"Unsupported transfer encoding",
	"505 HTTP Version Not Supported: unsupported protocol version",
	"malformed request line", "request line too long", "the target of a request is a path",
	"malformed header field", "lines end with CR LF", "header too large", "too many header fields",
	"one Host field is needed", "malformed Content-Length", "more than one length of the body",
	"unsupported Transfer-Encoding", "an upgrade has no body", "an upgrade is the last request of its connection",
}

// checkRaw is check for such an answer. The connection ends with it, or there would have
// been an answer to what stands behind the request.
func checkRaw(g reply) (problems []string) {
	if g.StatusCode < 400 || !slices.Contains(rawTexts, strings.TrimSpace(g.text)) {
		problems = append(problems, fmt.Sprintf("status %d, body %q", g.StatusCode, g.text))
	}
	if !g.Close {
		problems = append(problems, "the answer does not say that the connection ends")
	}
	return problems
}

// mark is in everything that an attack would like to see come back.
const mark = "eViL"

var marked = regexp.MustCompile(`(?i)` + mark)

// headers says what must not be in the headers of any answer.
func headers(g reply) (problems []string) {
	var all bytes.Buffer
	g.Header.Write(&all)
	if marked.Match(all.Bytes()) || marked.MatchString(g.text) {
		problems = append(problems, fmt.Sprintf("something of the request came back: %s%s", &all, g.text))
	}
	for _, name := range []string{"Server", "X-Powered-By", "Set-Cookie", "Location", "Access-Control-Allow-Credentials"} {
		if v := g.Header.Get(name); v != "" {
			problems = append(problems, fmt.Sprintf("%s: %q", name, v))
		}
	}
	return problems
}
