package orbited2

import (
	"strings"
	"testing"
	"unicode/utf8"

	"encke/whitelist"
)

// FuzzHandshake: a handshake is refused with a reason, or names a target in its canonical
// form and a path that is one.
func FuzzHandshake(f *testing.F) {
	for _, seed := range []string{
		`{"hostname":"localhost","port":9999,"protocol":"tcp"}`, `{"hostname":"b.test","port":80,"path":"/chat?x=1","protocol":"ws_hixie75"}`,
		`{"hostname":"b.test","port":"80"}`, `{"hostname":"b.test","port":80.5}`, `{"hostname":"b","port":1,"protocol":"ws","path":"//x"}`, `[]`, `{`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		h, reason := parseHandshake(in)
		if (h == nil) == (reason == "") {
			t.Fatalf("%q: %+v and the reason %q", in, h, reason)
		}
		if h == nil {
			return
		}
		if dest, err := whitelist.ParseHostPort(h.dest.String()); err != nil || dest != h.dest {
			t.Errorf("%q names %v, which is %v, %v", in, h.dest, dest, err)
		}
		if h.path != "" && (h.path[0] != '/' || strings.HasPrefix(h.path, "//") || strings.ContainsAny(h.path, " \r\n\x00")) {
			t.Errorf("%q names the path %q", in, h.path)
		}
	})
}

// FuzzText: frames hold whole characters, and the cuts do not matter.
func FuzzText(f *testing.F) {
	f.Add([]byte("a\xe2\x98\x83b"), 2)
	f.Add([]byte("caf\xe9"), 4)
	f.Add([]byte("\xf0\x9f\xf0\x9f\xaa\x90"), 3)
	f.Fuzz(func(t *testing.T, in []byte, at int) {
		at = min(max(at, 0), len(in))
		var one, two text
		whole := one.end(one.append(nil, in))
		first := two.append(nil, in[:at])
		cut := two.end(two.append(first, in[at:]))
		if string(whole) != string(cut) {
			t.Errorf("%q whole: %q, cut at %d: %q", in, whole, at, cut)
		}
		if !utf8.Valid(first) || !utf8.Valid(whole) {
			t.Errorf("%q became %q and %q", in, first, whole)
		}
		if utf8.Valid(in) && string(in) != string(whole) {
			t.Errorf("%q became %q", in, whole)
		}
	})
}
