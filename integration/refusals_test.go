package integration

import (
	"strings"
	"testing"

	"encke/cause"
	"encke/integration/backend"
	"encke/integration/pages"
	"encke/integration/proxy"
)

// failure is what a page learns about a socket that failed.
type failure struct {
	Name, Code, Message string
	Number              cause.Code
}

func (f failure) check(t *testing.T, code cause.Code, name string) {
	t.Helper()
	if f.Code != code.String() || f.Number != code || f.Name != name {
		t.Errorf("the page learns %s, %s (%d), want %s, %s (%d)", f.Name, f.Code, f.Number, name, code, code)
	}
}

// refused: nobody listens on the port.
func refused(t *testing.T, c cell) {
	port := backend.Refuse(t)
	allowed := backend.Echo(t)
	r := c.rigAllowing(t, []string{hostPort(port), allowed.Addr()})
	var got failure
	r.run(&got, "failing", args{"port": port})
	got.check(t, cause.Refused, "NetworkError")
	r.run(nil, "halfClose", args{"port": allowed.Port(), "bytes": 1000, "key": 1}) // the session lives on
}

// denied: the target is not allowed, and nobody there hears of it.
func denied(t *testing.T, c cell) {
	secret, allowed := backend.Echo(t), backend.Echo(t)
	r := c.rig(t, list(allowed))
	var got failure
	r.run(&got, "failing", args{"port": secret.Port()})
	got.check(t, cause.Denied, "NotAllowedError")
	if strings.Contains(got.Message, hostPort(allowed.Port())) {
		t.Errorf("the page learns of another target: %s", got.Message)
	}
	r.run(nil, "halfClose", args{"port": allowed.Port(), "bytes": 1000, "key": 1})
	if len(secret.Ended()) > 0 || secret.Open() > 0 {
		t.Error("the denied target was dialled")
	}
}

// reset: the backend cuts the connection; what it sent before arrives.
func reset(t *testing.T, c cell) {
	const greeting = "hello and "
	b := backend.Reset(t, greeting)
	r := c.rig(t, list(b))
	var got struct{ Closed, Read string }
	r.run(&got, "reset", args{"port": b.Port(), "greeting": greeting})
	if want := cause.Reset.String(); got.Closed != want || got.Read != want {
		t.Errorf("closed says %q and a read %q, want %q", got.Closed, got.Read, want)
	}
}

// TestOriginNotAccepted: a page of an origin that the operator did not name gets no
// session on any transport, and an error that says what to do.
func TestOriginNotAccepted(t *testing.T) {
	for _, transport := range proxy.Transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel() // a client may try for a while before it gives up
			b := backend.Echo(t)
			p := encke(t).Start(t, proxy.Options{Allow: []string{b.Addr()}})
			var site pages.Site
			page := launched(t, "chromium").Page(t)
			page.Goto(pages.URL(site.Serve(t), "http://"+p.Addr+"/TCPSocket.js", "/scenarios.js"))
			var got failure
			page.Eval(&got, `(args) => scenarios.failing(args)`, args{"host": b.Host(), "port": b.Port(), "transports": []string{transport}})
			if got.Code != cause.NoTransport.String() && got.Code != cause.Denied.String() {
				t.Errorf("the page learns %s, want no-transport or denied", got.Code)
			}
			if !strings.Contains(got.Message, "--origin") {
				t.Errorf("the message does not say what to do: %s", got.Message)
			}
			if len(b.Ended()) > 0 || b.Open() > 0 {
				t.Error("the backend was dialled")
			}
		})
	}
}
