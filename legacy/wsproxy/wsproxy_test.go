package wsproxy_test

import (
	"net/url"
	"testing"

	"encke/cause"
	"encke/cmd/encke/app"
	"encke/integration/backend"
	"encke/integration/wspeer"
)

func TestAddress(t *testing.T) {
	b := backend.Echo(t)
	base := wspeer.Start(t, app.Config{Allow: []string{b.Addr()}, Legacy: []string{"wsproxy"}, Prefix: "/db"})
	ws := wspeer.Dial(t, base, "/v1?address="+b.Addr())
	ws.Send([]byte("to postgres"))
	if got := ws.Bytes(11); string(got) != "to postgres" {
		t.Errorf("got %q", got)
	}
	for query, want := range map[string]cause.Code{
		"address=127.0.0.1:1":        cause.Denied,
		"address=db.example:5432":    cause.Denied,
		"address=169.254.169.254:80": cause.Denied,
		"address=0x7f.1:80":          cause.BadTarget,
		"address=localhost":          cause.BadTarget,
		"address=":                   cause.BadTarget,
		"":                           cause.BadTarget,
		"address=" + b.Addr() + "&address=" + b.Addr():  cause.BadTarget,
		"address=http://" + b.Addr():                    cause.BadTarget,
		"address=" + url.QueryEscape(b.Addr()+"\r\nx:"): cause.BadTarget,
	} {
		wspeer.Dial(t, base, "/v1?"+query).Ended(want)
	}
}
