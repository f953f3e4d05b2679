package websockify

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"encke/legacy"
	"encke/whitelist"
)

func rules(t testing.TB) *whitelist.Rules {
	t.Helper()
	r, err := whitelist.New("a.example:80,81", "[2001:db8::1]:5900", "who.example -> a.example:83")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func dest(host string, port uint16) whitelist.Dest { return whitelist.Dest{Host: host, Port: port} }

func TestTargets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens")
	text := "# tokens\n\nfirst: a.example:81\r\n  second:A.Example:80;mqtt\nv6: [2001:db8::1]:5900\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := parseTargets([]string{"vm-1=a.example:80;mqtt,v12.stomp", "a.example:81", "some=a.example:83"}, []string{file}, rules(t))
	want := targets{
		"vm-1":   {dest("a.example", 80), []string{"mqtt", "v12.stomp"}},
		"":       {dest("a.example", 81), nil},
		"some":   {dest("a.example", 83), nil}, // who may not is told then
		"first":  {dest("a.example", 81), nil},
		"second": {dest("a.example", 80), []string{"mqtt"}},
		"v6":     {dest("2001:db8::1", 5900), nil},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

func TestBadTargets(t *testing.T) {
	for _, c := range []struct {
		values []string
		file   string
		says   []string
	}{
		{says: []string{"--target: none is named"}},
		{values: []string{"a.example:80", "a.example:81"}, says: []string{"--target a.example:81: there is another target without a name"}},
		{values: []string{"x=a.example:80", "x=a.example:80"}, says: []string{"another target of this name"}},
		{values: []string{"=a.example:80"}, says: []string{`the name ""`}},
		{values: []string{"a b=a.example:80"}, says: []string{`the name "a b"`}},
		{values: []string{strings.Repeat("n", 257) + "=a.example:80"}, says: []string{"1 to 256 letters"}},
		{values: []string{"x=a.example"}, says: []string{"no port"}},
		{values: []string{"x=a.example:82"}, says: []string{"no rule allows it; --allow a.example:82 would"}},
		{values: []string{"x=a.example:80;"}, says: []string{`the subprotocol ""`}},
		{values: []string{"x=a.example:80;base64"}, says: []string{"and not base64"}},
		{values: []string{"x=a.example:80;a\r\nb"}, says: []string{`the subprotocol "a\r\nb"`}},
		{file: "fine: a.example:80\nno colon\nbad name: a.example:80\nx: b.example:80\n", says: []string{"line 2: write it like NAME", `line 3: the name "bad name"`, "line 4: no rule"}},
		{file: "x: unix_socket:/tmp/x\n", says: []string{"line 1: bad target"}},
	} {
		var files []string
		if c.file != "" {
			files = []string{filepath.Join(t.TempDir(), "tokens")}
			if err := os.WriteFile(files[0], []byte(c.file), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, err := parseTargets(c.values, files, rules(t))
		for _, part := range c.says {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%q, file %q: %v, want %q", c.values, c.file, err, part)
			}
		}
	}
	if _, err := parseTargets(nil, []string{"does-not-exist"}, rules(t)); err == nil || !strings.Contains(err.Error(), "--target-file: open does-not-exist") {
		t.Errorf("a file that is not there: %v", err)
	}
	// That the rules are wrong is said by others.
	if _, err := parseTargets([]string{"x=b.example:1"}, nil, nil); err != nil {
		t.Errorf("without rules: %v", err)
	}
}

func TestTokenOf(t *testing.T) {
	for _, c := range []struct {
		path, query, want string
		bad               bool
	}{
		{path: "/websockify"},
		{path: "/websockify/"},
		{path: "/websockify", query: "token=vm", want: "vm"},
		{path: "/websockify", query: "token=v%6d&x=y", want: "vm"},
		{path: "/websockify/vm", want: "vm"},
		{path: "/websockify/vm", query: "token=vm", want: "vm"},
		{path: "/websockify/vm", query: "token=", want: "vm"},
		{path: "/websockify/a/b", want: "a/b"}, // no target has such a name
		{path: "/websockify/vm", query: "token=other", bad: true},
		{path: "/websockify", query: "token=a&token=b", bad: true},
		{path: "/websockify", query: "token=%zz", bad: true},
		{path: "/websockify", query: "a;token=b", bad: true},
	} {
		got, err := tokenOf(c.path, c.query)
		if got != c.want || (err != nil) != c.bad {
			t.Errorf("%s?%s: %q, %v, want %q, error %t", c.path, c.query, got, err, c.want, c.bad)
		}
	}
}

// Whatever is accepted is a target that the rules allow, and its parts are harmless.
func FuzzTargets(f *testing.F) {
	for _, s := range []string{"x: a.example:80", "x:a.example:80;mqtt,binary\n# no\n\ny: [2001:db8::1]:5900", ": :", "x: a.example:80;\x00"} {
		f.Add(s, s)
	}
	r := rules(f)
	f.Fuzz(func(t *testing.T, file, query string) {
		all := make(targets)
		_ = all.parse(strings.NewReader(file), r)
		for name, target := range all {
			if !nameForm.MatchString(name) || legacy.Allowed(r, target.dest) != nil {
				t.Errorf("%q: accepted %q for %v", file, name, target.dest)
			}
			for _, s := range target.subprotocols {
				if strings.ContainsAny(s, "\r\n ,;") || s == "" {
					t.Errorf("%q: accepted the subprotocol %q", file, s)
				}
			}
		}
		if token, err := tokenOf("/websockify", query); err != nil && token != "" {
			t.Errorf("%q: %q beside the error %v", query, token, err)
		}
	})
}
