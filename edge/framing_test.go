package edge_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"encke/edge"
)

const last = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

// Each of these is refused, nothing behind it is answered, and the handler sees
// neither.
var malformed = []struct {
	name, request string
	status        int
}{
	{"length and chunked", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
	{"chunked and length", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", 400},
	{"two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", 400},
	{"the same length twice", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400},
	{"a list of lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx", 400},
	{"signed length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx", 400},
	{"negative length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400},
	{"hexadecimal length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\nx", 400},
	{"empty length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400},
	{"length with a space in it", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 1\r\n\r\nx", 400},
	{"length beyond 64 bits", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551617\r\n\r\nx", 400},
	{"two codings", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
	{"coding identity", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", 400},
	{"coding xchunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400},
	{"coding gzip, chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400},
	{"coding chunked, identity", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400},
	{"quoted coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 400},
	{"coding with vertical tab", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400},
	{"coding on two lines", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400},
	{"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
	{"space before the colon", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400},
	{"tab before the colon", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length\t: 1\r\n\r\nx", 400},
	{"space before the name", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
	{"folded line", "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", 400},
	{"folded line with tab", "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n\tc\r\n\r\n", 400},
	{"field without colon", "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400},
	{"field without name", "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", 400},
	{"name that is no token", "GET / HTTP/1.1\r\nHost: a\r\nX@: x\r\n\r\n", 400},
	{"name that is not ASCII", "GET / HTTP/1.1\r\nHost: a\r\n\u017for: x\r\n\r\n", 400},
	{"bare LF behind the line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
	{"bare LF behind a field", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400},
	{"bare LF at the end", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
	{"bare CR in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: y\rZ: z\r\n\r\n", 400},
	{"bare CR behind the line", "GET / HTTP/1.1\rHost: a\r\n\r\n", 400},
	{"CR CR LF", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", 400},
	{"NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n", 400},
	{"DEL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n", 400},
	{"no Host", "GET / HTTP/1.1\r\nX: a\r\n\r\n", 400},
	{"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
	{"absolute form", "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"authority form", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 400},
	{"CONNECT to a path", "CONNECT /x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"asterisk form", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
	{"HTTP/0.9", "GET /\r\n", 400},
	{"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 400},
	{"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 400},
	{"http in small letters", "GET / http/1.1\r\nHost: a\r\n\r\n", 400},
	{"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"space behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
	{"tab for a space", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"control byte in the target", "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"target that is not ASCII", "GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"empty line first", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"PROXY header version 1", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"PROXY header version 2", "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\x00\x01\x00\x02", 400},
	{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400},
	{"upgrade with a body", "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\nx", 400},
	{"upgrade with chunks", "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n0\r\n\r\n", 400},
	{"long method", strings.Repeat("M", 30) + " / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"line of 8193 bytes", "GET /" + strings.Repeat("a", edge.MaxRequestLine-13) + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
	{"head of more than 16 KiB", "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("a", edge.MaxHead) + "\r\n\r\n", 431},
	{"65 fields", "GET / HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X: y\r\n", edge.MaxFields) + "\r\n", 431},
}

func TestMalformedRequests(t *testing.T) {
	s := newSite(t, edge.Options{})
	for _, tt := range malformed {
		t.Run(tt.name, func(t *testing.T) {
			before := s.stats.Copy()
			got := s.talk(t, tt.request, last)
			want := fmt.Sprintf("HTTP/1.1 %d ", tt.status)
			if !strings.HasPrefix(got, want) || strings.Count(got, "HTTP/1.") != 1 {
				t.Errorf("%.100q is answered %q, want %s and nothing else", tt.request, got, want)
			}
			for _, field := range []string{"Connection: close\r\n", "X-Content-Type-Options: nosniff\r\n", "Content-Type: text/plain; charset=utf-8\r\n"} {
				if !strings.Contains(got, field) {
					t.Errorf("the answer %q lacks %q", got, field)
				}
			}
			if seen := s.requests(); len(seen) > 0 {
				t.Errorf("%.100q: the handler got %q", tt.request, seen)
			}
			after := s.stats.Copy()
			if after.Malformed+after.TooLarge != before.Malformed+before.TooLarge+1 || tt.status == 400 && after.Malformed == before.Malformed {
				t.Errorf("counted %+v, before %+v", after, before)
			}
		})
	}
}

// The same behind a good request on the same connection, and a byte at a time.
func TestMalformedBehindGood(t *testing.T) {
	s := newSite(t, edge.Options{})
	first := "POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
	for _, tt := range malformed {
		t.Run(tt.name, func(t *testing.T) {
			for _, pieces := range [][]string{{first + tt.request + last}, {first, tt.request, last}, append(strings.Split(first+tt.request[:min(len(tt.request), 200)], ""), tt.request[min(len(tt.request), 200):]+last)} {
				got := s.talk(t, pieces...)
				if !strings.HasPrefix(got, "HTTP/1.1 200 ") || strings.Count(got, "HTTP/1.1 ") != 2 || !strings.Contains(got, fmt.Sprintf(">HTTP/1.1 %d ", tt.status)) {
					t.Errorf("%.100q in %d pieces is answered %q, want 200 and then %d", tt.request, len(pieces), got, tt.status)
				}
				if seen := s.requests(); !slices.Equal(seen, []string{"POST /first abc"}) {
					t.Errorf("%.100q: the handler got %q", tt.request, seen)
				}
			}
		})
	}
}

var wellFormed = []struct {
	name, request, got string
}{
	{"no body", "GET /a HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a "},
	{"HTTP/1.0 without Host, as balancers ask for health", "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET /a "},
	{"length", "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", "POST /a hello"},
	{"length 0", "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "POST /a "},
	{"length with space around it", "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: \t 05 \t\r\n\r\nhello", "POST /a hello"},
	{"small letters", "POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello", "POST /a hello"},
	{"chunked", "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0A\r\n, world...\r\n0\r\n\r\n", "POST /a hello, world..."},
	{"Chunked", "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", "POST /a x"},
	{"a body that looks like a request", "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 18\r\n\r\nGET / HTTP/1.1\r\n\r\n", "POST /a GET / HTTP/1.1\r\n\r\n"},
	{"chunks that look like requests", "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n12\r\nGET / HTTP/1.1\r\n\r\n\r\n0\r\n\r\n", "POST /a GET / HTTP/1.1\r\n\r\n"},
	{"GET with a body", "GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", "GET /a x"},
	{"long name", "GET /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding-Of-Another-Kind: x\r\nX-Host: b\r\n\r\n", "GET /a "},
	{"64 fields", "GET /a HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X: y\r\n", edge.MaxFields-1) + "\r\n", "GET /a "},
	{"line of 8192 bytes", "GET /a?" + strings.Repeat("a", edge.MaxRequestLine-16) + " HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a "},
	{"value that is not ASCII", "GET /a HTTP/1.1\r\nHost: a\r\nX: \xff\u00e9\t!\r\n\r\n", "GET /a "},
}

// Well-formed requests work one after the other, all in one write, each in a write of
// its own, and a byte at a time.
func TestWellFormedRequests(t *testing.T) {
	s := newSite(t, edge.Options{})
	var all, want []string
	for _, tt := range wellFormed {
		all, want = append(all, tt.request), append(want, tt.got)
	}
	all, want = append(all, last), append(want, "GET /last ")
	joined := strings.Join(all, "")
	for name, pieces := range map[string][]string{"at once": {joined}, "one by one": all, "byte by byte": strings.Split(joined, "")} {
		got := s.talk(t, pieces...)
		if seen := s.requests(); !slices.Equal(seen, want) {
			t.Errorf("%s: the handler got %q, want %q", name, seen, want)
		}
		if n := strings.Count(got, " 200 OK\r\n"); n != len(all) {
			t.Errorf("%s: %d answers, want %d", name, n, len(all))
		}
	}
	if st := s.stats.Copy(); st.Malformed+st.TooLarge != 0 {
		t.Errorf("refused: %+v", st)
	}
}

// A malformed body ends the connection without an answer, and what follows it is not
// answered either.
func TestMalformedChunks(t *testing.T) {
	s := newSite(t, edge.Options{})
	for _, body := range []string{
		"5;ext=1\r\nhello\r\n0\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n", "+5\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n", "\r\nhello\r\n0\r\n\r\n",
		"5\nhello\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhelloX\r\n0\r\n\r\n", "5\r\nhell\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\nX: y\r\n\r\n",
		"5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n", "123456789\r\nhello\r\n0\r\n\r\n", "-1\r\n", "5\rhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\n\n",
	} {
		got := s.talk(t, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"+body+last)
		if strings.Contains(got, " 200 ") || strings.Count(got, "HTTP/1.") > 1 {
			t.Errorf("%q is answered %q", body, got)
		}
		if seen := s.requests(); len(seen) > 0 {
			t.Errorf("%q: the handler got %q", body, seen)
		}
	}
	if st := s.stats.Copy(); st.Malformed != 15 {
		t.Errorf("%d counted, want 15", st.Malformed)
	}
}

// A request that asks for an upgrade and does not get it is the last.
func TestRefusedUpgradeIsTheLast(t *testing.T) {
	s := newSite(t, edge.Options{})
	got := s.talk(t, "GET /up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"+last)
	if strings.Count(got, "HTTP/1.1 200") != 1 || strings.Count(got, "HTTP/1.1 400") != 1 {
		t.Errorf("answers %q, want 200 and then 400", got)
	}
	if seen := s.requests(); !slices.Equal(seen, []string{"GET /up "}) {
		t.Errorf("the handler got %q", seen)
	}
}
