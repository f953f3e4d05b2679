package hostile

import (
	"net/http"
	"strings"
	"testing"

	"encke/cause"
	"encke/csp"
)

// bye is a CLOSE record: the session that a request opens is over with its answer.
const bye = "\x0a\x00\x00\x00"

// TestControls sends what the attacks are made from without what is hostile about them.
// Were these refused, the attacks would be refused for nothing.
func TestControls(t *testing.T) {
	r := newRig(t)
	own := "http://" + r.addr
	_, port, _ := strings.Cut(r.addr, ":")
	local := "http://localhost:" + port
	for _, c := range []struct {
		name, host, page, origin string
		field                    string
	}{
		{"a listed page", r.addr, listed, listed, "X-A: b"},
		{"a listed page, in capitals", r.addr, strings.ToUpper(listed), listed, "X-A: b"},
		{"a listed page, with the default port", r.addr, listed + ":443", listed, "X-A: b"},
		{"another listed page", r.addr, another, another, "X-A: b"},
		{"a page below the wildcard", r.addr, "https://a.wild.test", "https://a.wild.test", "X-A: b"},
		{"the proxy's own page", r.addr, own, own, "X-A: b"},
		{"our name", name, "http://" + name, "http://" + name, "X-A: b"},
		{"our name with port and dot", name + ".:" + port, listed, listed, "X-A: b"},
		{"localhost", "localhost:" + port, local, local, "X-A: b"},
		{"a balancer's header", r.addr, listed, listed, "X-Forwarded-For: 192.0.2.1"},
		{"62 fields", r.addr, listed, listed, strings.Join(many(54), "\r\n")},
	} {
		for _, e := range endpoints {
			t.Run(e.name+": "+c.name, func(t *testing.T) {
				q := e.plain(r, fresh()+bye).with("Host", c.host).adding(c.field)
				if e.get {
					q = q.with("Referer", c.page+"/page")
				} else {
					q = q.with("Origin", c.page)
				}
				if e.ws() {
					r.welcomed(t, q)
					return
				}
				want := e.refusal(http.StatusOK, cause.Closed, "by the page")
				if want.allow != "" {
					want.allow = c.origin
				}
				want.body = strings.Replace(want.body, listed, c.origin, 1)
				want.opened = 1
				r.suffer(t, attack{request: q, want: want})
			})
		}
	}
	for _, e := range those(endpoint.post) {
		t.Run(e.name+": a chunked body", func(t *testing.T) {
			want := e.refusal(http.StatusOK, cause.Closed, "by the page")
			want.opened = 1
			r.suffer(t, attack{wire: string(e.plain(r, fresh()+bye).chunked(7).bytes()), want: want})
		})
	}
}

// welcomed is suffer for a WebSocket that may open its session. Its close frame and the
// proxy's cross, so either's code may end it.
func (r *rig) welcomed(t *testing.T, q request) {
	t.Helper()
	got, err := exchange(r.addr, "GET", q.bytes())
	if err != nil || len(got) != 1 || !strings.HasPrefix(got[0].messages, string(byte(csp.Welcome))) {
		t.Errorf("%+v, %v; want WELCOME", got, err)
	}
	r.beat(t)
}
