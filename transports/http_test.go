package transports_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"encke/csp"
	"encke/transports"
)

// sessionID matches an id in a response.
var sessionID = regexp.MustCompile(`n0\.[A-Za-z0-9_-]{22}`)

// TestFormats shows what each technique puts on the wire: the answer to NEW with
// a packet, the echo, a heartbeat, and the answer to RESUME.
func TestFormats(t *testing.T) {
	type request func(r *rig, records []byte) *http.Response
	post := func(path string) request {
		return func(r *rig, records []byte) *http.Response { return r.post(path+"?hold=1", records) }
	}
	get := func(path string) request {
		return func(r *rig, records []byte) *http.Response { return r.get(path + "hold=1&" + query(records)) }
	}
	for _, tt := range []struct {
		name    string
		request request
		typ     string
		want    string // ID stands for the session id
		again   string // after RESUME with ack 1
		polls   bool
	}{
		{
			name: "fetch-streaming", request: post("fetch-streaming"), typ: "application/octet-stream",
			want: "\x03\x19ID\x01\x78\x19\x07\x01\x04\x01\x05\x02hi\x00", again: "\x07\x01\x00",
		},
		{
			name: "long-polling", request: post("long-polling"), typ: "application/octet-stream", polls: true,
			want: "\x03\x19ID\x01\x78\x19\x07\x01\x04\x01\x05\x02hi", again: "\x07\x01",
		},
		{
			name: "xhr-streaming", request: post("xhr-streaming"), typ: "text/plain; charset=utf-8",
			want: `[["welcome","ID",1,120,25],["ack",1],[1,0,"hi"]]` + "\n[]\n", again: `[["ack",1]]` + "\n[]\n",
		},
		{
			name: "eventsource", request: get("eventsource?"), typ: "text/event-stream",
			want:  `data: [["welcome","ID",1,120,25],["ack",1],[1,0,"hi"]]` + "\nid: 1\n\ndata: []\n\n",
			again: `data: [["ack",1]]` + "\n\ndata: []\n\n",
		},
		{
			name: "iframe", request: get("iframe?"), typ: "text/html; charset=utf-8",
			want:  `<i>[["welcome","ID",1,120,25],["ack",1],[1,0,"hi"]]</i><b></b>` + "\n<i>[]</i><b></b>\n",
			again: `<i>[["ack",1]]</i><b></b>` + "\n<i>[]</i><b></b>\n",
		},
		{
			name: "jsonp", request: get("jsonp?callback=a.b&seq=7&"), typ: "text/javascript; charset=utf-8", polls: true,
			want: `/**/a.b(7,[["welcome","ID",1,120,25],["ack",1],[1,0,"hi"]]);`, again: `/**/a.b(7,[["ack",1]]);`,
		},
	} {
		each(t, tt.name, func(t *testing.T, netHTTP bool) {
			r := newRigOf(t, transports.Options{}, csp.Options{}, netHTTP)
			read := func(resp *http.Response, want string) string {
				t.Helper()
				if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != tt.typ {
					t.Fatalf("status %d, type %q", resp.StatusCode, resp.Header.Get("Content-Type"))
				}
				buffering := "no"
				if tt.polls {
					buffering = ""
				}
				for h, v := range map[string]string{
					"Cache-Control": "no-cache, no-store, no-transform", "X-Accel-Buffering": buffering,
					"X-Content-Type-Options": "nosniff", "Vary": "Origin", "Referrer-Policy": "no-referrer",
				} {
					if resp.Header.Get(h) != v {
						t.Errorf("%s: %q, want %q", h, resp.Header.Get(h), v)
					}
				}
				s := newStream(t, resp)
				if tt.polls {
					s.end()
				} else {
					s.until(want[strings.LastIndex(want, "ID")+2:])
				}
				got := s.got.String()
				if i := strings.Index(got, "<body>"); i >= 0 {
					got = strings.TrimLeft(got[i+6:], " ")
				}
				return got
			}
			got := read(tt.request(r, join(r.hello(), packets(1, "hi"))), tt.want)
			id := sessionID.FindString(got)
			if got = strings.ReplaceAll(got, id, "ID"); got != tt.want {
				t.Errorf("new session:\n got %q\nwant %q", got, tt.want)
			}
			if got := read(tt.request(r, resume(id, 1)), "ID"+tt.again); got != tt.again {
				t.Errorf("resumed:\n got %q\nwant %q", got, tt.again)
			}
		})
	}
}

func TestUplinkIsAnsweredAndRepeatsAreDropped(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	id := r.open()
	for range 3 {
		recs := r.records(r.post("send", join(resume(id, 0), packets(1, "a", "b"))))
		if len(recs) != 1 || recs[0].Kind != csp.Ack || recs[0].ID != 2 {
			t.Fatalf("answer %v, want an acknowledgement of packet 2", recs)
		}
	}
	recs := r.records(r.post("long-polling", resume(id, 0)))
	if len(recs) != 2 || string(recs[1].Data) != "ab" {
		t.Errorf("the echo is %v, want ab once", recs)
	}
	resp := r.get("jsonp-send?callback=f&seq=1&" + query(join(resume(id, 1), packets(3, "c"))))
	if got := newStream(t, resp).end(); got != `/**/f(1,[["ack",3]]);` {
		t.Errorf("jsonp-send: %s", got)
	}
}

func TestRepeatedNewIsTheSameSession(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	body := join(r.hello(), packets(1, "once"))
	first := r.records(r.post("send", body))
	again := r.records(r.post("long-polling", body))
	if string(first[0].Session) != string(again[0].Session) {
		t.Errorf("sessions %s and %s", first[0].Session, again[0].Session)
	}
	if n := r.server.Stats(); n.Opened != 1 || n.Repeats != 1 {
		t.Errorf("%d sessions, %d repeats dropped; want 1 and 1", n.Opened, n.Repeats)
	}
}

func TestNewerDownlinkEndsTheOlder(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	id := r.open()
	old := newStream(t, r.post("xhr-streaming", resume(id, 0)))
	old.until("ack")
	now := newStream(t, r.get("eventsource?"+query(resume(id, 0))))
	now.until("ack")
	if got := old.end(); got != `[["ack",0]]`+"\n" {
		t.Errorf("the older response was %q", got)
	}
	r.post("send", join(resume(id, 0), packets(1, "hi")))
	now.until(`[1,0,"hi"]`)
}

func TestTextResponsesEnd(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	id := r.open()
	s := newStream(t, r.post("xhr-streaming", resume(id, 0)))
	s.until("ack")
	big := strings.Repeat("\x00", 60_000)
	for i := uint64(1); i <= 14; i++ {
		r.post("send", join(resume(id, i-1), packets(i, big))).Body.Close()
		s.until(fmt.Sprintf("[%d,1,", i))
	}
	if n := len(s.end()); n < 1<<20 || n > 1<<20+200_000 {
		t.Errorf("the response ended after %d bytes, want a little over 1 MiB", n)
	}
}

func TestLastEventID(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	id := r.open()
	r.post("send", join(resume(id, 0), packets(1, "a")))
	newStream(t, r.get("eventsource?"+query(resume(id, 0)))).until(`[1,0,"a"]`)
	s := newStream(t, r.get("eventsource?hold=1&"+query(resume(id, 0)), "Last-Event-ID", "1"))
	if got := s.until("[]"); strings.Contains(got, `"a"`) {
		t.Errorf("what Last-Event-ID acknowledges was sent again: %s", got)
	}
}

func TestRefusals(t *testing.T) {
	new1 := string((&csp.Record{Kind: csp.New, Version: 1}).Append(nil))
	for _, tt := range []struct {
		name    string
		method  string
		path    string
		body    string
		headers []string
		status  int
		says    string // part of the body
	}{
		{name: "unknown path", method: "POST", path: "nothing", status: 404},
		{name: "wrong method", method: "GET", path: "send", headers: []string{"Origin", "OWN"}, status: 405},
		{name: "HEAD", method: "HEAD", path: "jsonp", status: 405},
		{name: "no body", method: "POST", path: "send", status: 400, says: "empty request"},
		{name: "no hello", method: "POST", path: "send", body: "\x08", status: 400, says: "begins with one NEW or RESUME"},
		{name: "two hellos", method: "POST", path: "send", body: new1 + new1, status: 400, says: "begins with one NEW or RESUME"},
		{name: "version 2", method: "POST", path: "send", body: "\x01\x02" + new1[2:], status: 400, says: "protocol version 2"},
		{name: "truncated", method: "POST", path: "send", body: new1[:10], status: 400, says: "truncated record"},
		{name: "unknown record", method: "POST", path: "send", body: new1 + "\x7f", status: 400, says: "unknown record type 0x7f"},
		{name: "record of a server", method: "POST", path: "send", body: new1 + "\x03\x01x\x00\x00\x00", status: 400, says: "record 0x03 from a client"},
		{name: "packet without id", method: "POST", path: "send", body: new1 + "\x05\x01x", status: 400, says: "packet without an id"},
		{name: "packet id 0", method: "POST", path: "send", body: new1 + "\x04\x00\x05\x01x", status: 400, says: "packet id 0"},
		{name: "ack of nothing", method: "POST", path: "send", body: new1 + "\x07\x09", status: 400, says: "never sent"},
		{name: "unknown session", method: "POST", path: "send", body: string(resume("n0.AAAAAAAAAAAAAAAAAAAAAA", 0)), status: 404, says: "unknown session"},
		{name: "empty session", method: "POST", path: "long-polling", body: string(resume("", 0)), status: 404, says: "unknown session"},
		{name: "too many packets", method: "POST", path: "send", body: new1 + "\x04\x01" + strings.Repeat("\x05\x00", 1001), status: 413, says: "more than 1000 packets"},
		{name: "too large", method: "POST", path: "send", body: new1 + strings.Repeat("\x00", 1<<20), status: 413, says: "body of more than"},
		{name: "encoded", method: "POST", path: "send", body: new1, headers: []string{"Content-Encoding", "gzip"}, status: 415},
		{name: "bad hold", method: "POST", path: "long-polling?hold=61", body: new1, status: 400, says: "hold must be"},
		{name: "negative hold", method: "POST", path: "long-polling?hold=-1", body: new1, status: 400, says: "hold must be"},
		{name: "no callback", method: "GET", path: "jsonp?seq=1", status: 400, says: "callback is not a name"},
		{name: "callback is code", method: "GET", path: "jsonp?seq=1&callback=alert(1)", status: 400, says: "callback is not a name"},
		{name: "callback with line end", method: "GET", path: "jsonp?seq=1&callback=a%0a", status: 400, says: "callback is not a name"},
		{name: "long callback", method: "GET", path: "jsonp?seq=1&callback=" + strings.Repeat("a", 65), status: 400, says: "callback is not a name"},
		{name: "seq is text", method: "GET", path: "jsonp?seq=x&callback=a", status: 400, says: "seq is not a number"},
		{name: "octal seq", method: "GET", path: "jsonp?seq=010&callback=a", status: 400, says: "seq is not a number"},
		{name: "script for an unknown session", method: "GET", path: "jsonp?seq=1&callback=a&" + query(resume("x", 0)), status: 200, says: `/**/a(1,[["close",13,0,"unknown session"]]);`},
		{name: "events of an unknown session", method: "GET", path: "eventsource?" + query(resume("x", 0)), status: 200, says: `data: [["close",13,0,"unknown session"]]`},
		{name: "d with a line end", method: "GET", path: "jsonp?seq=1&callback=a&" + query([]byte(new1))[:10] + "%0a" + query([]byte(new1))[10:], status: 200, says: "d is not URL-safe base64"},
		{name: "d is not base64", method: "GET", path: "eventsource?d=%25", status: 200, says: "d is not URL-safe base64"},
		{name: "no origin", method: "POST", path: "send", body: new1, headers: []string{"Origin", ""}, status: 403, says: "--origin"},
		{name: "foreign origin", method: "POST", path: "send", body: new1, headers: []string{"Origin", "http://evil.test"}, status: 403},
		{name: "origin null", method: "POST", path: "send", body: new1, headers: []string{"Origin", "null"}, status: 403},
		{name: "foreign script", method: "GET", path: "jsonp?seq=1&callback=a", headers: []string{"Sec-Fetch-Site", "cross-site"}, status: 403},
		{name: "foreign referer", method: "GET", path: "iframe", headers: []string{"Sec-Fetch-Site", "cross-site", "Referer", "http://evil.test/"}, status: 403},
		{name: "a WebSocket handshake that is none", method: "GET", path: "websocket", headers: []string{"Origin", "OWN", "Connection", "Upgrade", "Upgrade", "<b>"}, status: 426, says: "not a WebSocket handshake\n"},
		{name: "foreign host", method: "POST", path: "send", body: new1, headers: []string{"Host", "evil.test"}, status: 421},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, transports.Options{}, csp.Options{})
			req := r.request(tt.method, tt.path, []byte(tt.body))
			for i := 0; i < len(tt.headers); i += 2 {
				k, v := tt.headers[i], strings.ReplaceAll(tt.headers[i+1], "OWN", r.url)
				switch {
				case k == "Host":
					req.Host = v
				case v == "":
					req.Header.Del(k)
				default:
					req.Header.Set(k, v)
				}
			}
			resp := r.do(req)
			body := newStream(t, resp).end()
			if resp.StatusCode != tt.status || !strings.Contains(body, tt.says) {
				t.Errorf("status %d, body %q; want %d and %q", resp.StatusCode, body, tt.status, tt.says)
			}
			if resp.Header.Get("Access-Control-Allow-Origin") != "" && tt.status == 403 {
				t.Error("a refused origin may read the answer")
			}
			st := r.server.Stats()
			if st.Live > 0 {
				t.Errorf("%d sessions are left", st.Live)
			}
		})
	}
}

// What is malformed makes no session, not even one that is over at once: it would be
// remembered for a minute.
func TestMalformedNewOpensNothing(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	for _, path := range []string{"send", "long-polling", "fetch-streaming", "xhr-streaming"} {
		if resp := r.post(path, join(r.hello(), []byte{0x7f})); resp.StatusCode != 400 {
			t.Errorf("%s: status %d", path, resp.StatusCode)
		}
	}
	r.get("jsonp?callback=f&seq=1&" + query(join(r.hello(), []byte{0x7f})))
	if n := r.server.Stats().Opened; n > 0 {
		t.Errorf("%d sessions were made", n)
	}
}

func TestMalformedRequestEndsItsSessionOnly(t *testing.T) {
	r := newRig(t, transports.Options{}, csp.Options{})
	victim, other := r.open(), r.open()
	if resp := r.post("send", join(resume(victim, 0), []byte{0x7f})); resp.StatusCode != 400 {
		t.Errorf("status %d", resp.StatusCode)
	}
	recs := r.records(r.post("long-polling", resume(victim, 0)))
	if len(recs) != 1 || recs[0].Kind != csp.Close || recs[0].Cause != 14 {
		t.Errorf("the session goes on with %v, want CLOSE protocol-error", recs)
	}
	recs = r.records(r.post("send", join(resume(other, 0), packets(1, "x"))))
	if len(recs) != 1 || recs[0].Kind != csp.Ack {
		t.Errorf("another session got %v", recs)
	}
}

func TestServedTransports(t *testing.T) {
	r := newRig(t, transports.Options{Transports: transports.Default()}, csp.Options{})
	for _, path := range []string{"iframe", "jsonp?callback=a&seq=1", "jsonp-send?callback=a&seq=1"} {
		if resp := r.get(path); resp.StatusCode != 404 {
			t.Errorf("%s is served by default: status %d", path, resp.StatusCode)
		}
	}
	if _, err := transports.New(r.server, transports.Options{Transports: []string{"carrier-pigeon"}}); err == nil {
		t.Error("an unknown transport was accepted")
	}
}

func TestIframePage(t *testing.T) {
	origins, err := transports.ParseOrigins("https://app.example.org", "null")
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, transports.Options{Origins: origins}, csp.Options{})
	resp := r.get("iframe?hold=1&"+query(r.hello()), "Sec-Fetch-Site", "cross-site", "Referer", "https://app.example.org/x?\"><script>")
	got := newStream(t, resp).until("welcome")
	if !strings.Contains(got, `<html data-parent="https://app.example.org">`) {
		t.Errorf("page %.200s", got)
	}
	policy := resp.Header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'sha256-", "frame-ancestors 'self' https://app.example.org;", "base-uri 'none'", "form-action 'none'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("policy %q lacks %q", policy, part)
		}
	}
}

// each runs f for answers of our own and for those of net/http.
func each(t *testing.T, name string, f func(t *testing.T, netHTTP bool)) {
	t.Run(name, func(t *testing.T) { f(t, false) })
	t.Run(name+" in net/http", func(t *testing.T) { f(t, true) })
}
