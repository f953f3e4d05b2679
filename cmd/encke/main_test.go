package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"encke/cmd/encke/app"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// run runs the command and returns what it printed.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	a := newApp()
	var out bytes.Buffer
	a.Writer, a.ErrWriter = &out, &out
	err := a.RunContext(t.Context(), append([]string{"encke"}, args...))
	return out.String(), err
}

func TestBadCommandLines(t *testing.T) {
	for _, tt := range []struct {
		args string
		says string
	}{
		{"", "pass --allow HOST:PORT"},
		{"--allow", "flag needs an argument"},
		{"--alow x", "not defined: -alow (see encke --help)"},
		{"check --alow x", "not defined: -alow (see encke check --help)"},
		{"--allow a.example:80 extra", `unexpected argument "extra"`},
		{"check --allow a.example --origin x", "2 settings are wrong"},
		{"--allow a.example:80 --log-level loud", "--log-level"},
		{"--allow a.example:80 --log-format xml", "--log-format"},
		{"check --allow a.example:80 --log-format xml", "--log-format"},
		{"check --allow a.example:80 --trusted-proxy 10.0.0.1/8", "--trusted-proxy"},
		{"check --allow a.example:80 --proxy-protocol 127.0.0.1:1=10.0.0.0/8", "there is no --listen 127.0.0.1:1"},
		{"check --allow a.example:80 --proxy-protocol balancer", "--proxy-protocol"},
		{"check --allow a.example:80 --address-sessions -2", "--address-sessions"},
		{"check --allow a.example:80 --max-connections -1", "--max-connections"},
		{"check --allow a.example:80 --body-timeout 1ms", "--body-timeout"},
		{"check --allow a.example:80 --legacy gopher", "the older protocols are "},
		{"check --allow a.example:80 --legacy websockify --target x=a.example:81", "--target x=a.example:81: no rule allows it"},
		{"check --allow a.example:80 --target x=a.example:80", "--target: of no use without --legacy websockify"},
		{"check --allow a.example:80 --legacy wisp --wisp-password-file does-not-exist", "--wisp-password-file: open does-not-exist"},
		{"connect", "two arguments"},
		{"connect ftp://x a:1", "write it like https://"},
	} {
		out, err := run(t, strings.Fields(tt.args)...)
		if err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("encke %s: error %v, want %q", tt.args, err, tt.says)
		}
		if strings.Contains(out, "GLOBAL OPTIONS") || strings.Contains(out, "\nOPTIONS") {
			t.Errorf("encke %s: the error is buried under a page of help", tt.args)
		}
	}
}

func TestCheck(t *testing.T) {
	out, err := run(t, "check", "--allow", "irc.example.org:6667,6697", "--allow", "10.0.0.0/8:80 [2001:db8::1]:80")
	want := "allow irc.example.org:6667,6697\nallow 10.0.0.0/8:80\nallow [2001:db8::1]:80\nok\n"
	if err != nil || out != want {
		t.Errorf("%q, %v; want %q", out, err, want)
	}
}

// A rule with a source is one rule, with and without spaces, among others in one value.
func TestRulesWithSources(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rules")
	if err := os.WriteFile(file, []byte("www.example.org -> c.example:3 # of the site\nd.example:4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const want = "allow www.example.org -> a.example:1\nallow localhost:8000 -> b.example:2,5\nallow e.example:6\n" +
		"allow www.example.org -> c.example:3\nallow d.example:4\nok\n"
	for _, values := range [][]string{
		{"--allow", "www.example.org -> a.example:1", "--allow", "localhost:8000->b.example:2,5", "--allow", "* -> e.example:6"},
		{"--allow", "www.example.org -> a.example:1 localhost:8000 ->b.example:2,5\te.example:6"},
		{"--allow", "www.example.org-> a.example:1 localhost:8000->b.example:2,5 *\n->\ne.example:6"},
	} {
		out, err := run(t, append([]string{"check", "--host", "www.example.org", "--allow-file", file}, values...)...)
		if err != nil || out != want {
			t.Errorf("%q: %q, %v, want %q", values, out, err, want)
		}
	}
	if _, err := run(t, "check", "--allow", "www.example.org -> a.example:1"); err == nil || !strings.Contains(err.Error(), "add --host") {
		t.Errorf("a source by which nobody may ask: %v", err)
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("ENCKE_ALLOW", "a.example:80,81 localhost -> b.example:82")
	t.Setenv("ENCKE_TRANSPORTS", "websocket long-polling")
	if out, err := run(t, "check"); err != nil || out != "allow a.example:80,81\nallow localhost -> b.example:82\nok\n" {
		t.Errorf("%q, %v", out, err)
	}
	t.Setenv("ENCKE_TRANSPORTS", "pigeon")
	if _, err := run(t, "check"); err == nil || !strings.Contains(err.Error(), "pigeon") {
		t.Errorf("%v", err)
	}
}

// Every option has an environment variable that is named after it, and a text.
func TestOptionsAreDocumented(t *testing.T) {
	help, err := run(t, "--help")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range serveFlags() {
		name := f.Names()[0]
		env := "ENCKE_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		if !strings.Contains(help, "--"+name+" ") || !strings.Contains(help, "[$"+env+"]") {
			t.Errorf("--%s or $%s is missing in the help", name, env)
		}
	}
}

func TestConnect(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() { // a server that answers when it has heard everything
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		p, _ := io.ReadAll(c)
		c.Write(bytes.ToUpper(p))
	}()
	a, err := app.Start(app.Config{Listen: []string{"127.0.0.1:0"}, Allow: []string{ln.Addr().String()}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	stdin := os.Stdin
	os.Stdin = r
	defer func() { os.Stdin = stdin }()
	io.WriteString(w, "hello through the proxy")
	w.Close()
	out, err := run(t, "connect", a.URL(), ln.Addr().String())
	if err != nil || out != "HELLO THROUGH THE PROXY" {
		t.Errorf("%q, %v", out, err)
	}
	if _, err := run(t, "connect", a.URL(), "192.0.2.1:80"); err == nil || !strings.Contains(err.Error(), "denied") {
		t.Errorf("a target that is not allowed: %v", err)
	}
}

func TestServeStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := newApp()
	a.Writer = io.Discard
	if err := a.RunContext(ctx, []string{"encke", "--allow", "a.example:80", "--listen", "127.0.0.1:0", "--log-level", "error"}); err != nil {
		t.Error(err)
	}
	a = newApp()
	var out bytes.Buffer
	a.Writer = &out
	if err := a.RunContext(ctx, []string{"encke", "demo", "--listen", "127.0.0.1:0", "--log-level", "error"}); err != nil || !strings.Contains(out.String(), "/demo/") {
		t.Errorf("demo: %v, %q", err, out.String())
	}
}
